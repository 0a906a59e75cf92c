"""`service_app`: the FastAPI application that each service's routes are added to.

It gives every service the same errors (problem documents), limits, ids, documented answers, and the common routes.
Unknown fields are errors: bodies derive from `Body`, and unknown query parameters are refused in `routes`.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, model_validator

from pointsman.core.fields import describe
from pointsman.runtime.http import every_service, problems, secrets
from pointsman.runtime.http.limits import CallLayer
from pointsman.runtime.http.problems import ERRORS_MAX, ProblemDocument
from pointsman.runtime.http.routes import ANSWERS, DEPENDENCIES, add_routes
from pointsman.runtime.secret_store import SecretSet

if TYPE_CHECKING:
    from pointsman.runtime.process import ApiProcess

ConfigVersionOf = Callable[[str], Awaitable[int | None]]
"""Workspace → the version of its document that this service has; None when it has none."""


class Body(BaseModel):
    """A request's body: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _not_far_more_than_is_known(cls, value: Any) -> Any:
        """Thousands of unknown members are one error: each by itself would cost more than the whole call."""
        if isinstance(value, dict) and len(value) > len(cls.model_fields) + ERRORS_MAX:
            raise ValueError(f"has {len(value)} members, and {len(cls.model_fields)} are known")
        return value


def service_app(
    process: "ApiProcess",
    name: str,
    title: str,
    *,
    config_version: ConfigVersionOf | None = None,
    body_bytes_max: int | None = None,
    keeps_secrets: bool = False,
    signing_secret: secrets.SigningSecret | None = None,
    secret_set: SecretSet | None = None,
) -> FastAPI:
    """The application of one service, mounted at `/<name>`; its routes start with `/v1`.

    `config_version` answers `GET /v1/config-version`; services without configuration leave it out. `body_bytes_max` is
    for a service whose routes take larger bodies than the settings say, and look at their size themselves.
    `keeps_secrets`: its schema has the table `secret`, and an admin keeps secrets there;
    `signing_secret` says which of them must be keys of Standard Webhooks, `secret_set` wakes what waited for one.
    """
    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        dependencies=DEPENDENCIES,
        responses=ANSWERS,
        separate_input_output_schemas=False,
        redirect_slashes=False,
        # Measurements, logs and spans are our own: FastAPI's spans have the path and the query, in which links carry
        # tokens; and what asks for a provider on every call costs a tenth of a call.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.process = process
    app.state.known_parameters = {}
    app.state.signing_secret = signing_secret
    app.state.secret_set = secret_set
    problems.install(app)
    app.add_middleware(
        CallLayer,
        service=name,
        body_bytes_max=body_bytes_max or process.settings.body_bytes_max,
        admission=process.admission,
    )
    if config_version is not None:
        app.state.config_version = config_version
        add_routes(app, every_service.version_routes)
    add_routes(app, every_service.routes)
    if keeps_secrets:
        add_routes(app, secrets.routes)
    app.openapi = lambda: _openapi(app, name)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI, name: str) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas["ProblemDocument"] = schema
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
        document["servers"] = [{"url": f"/{name}"}]
        document["security"] = [{"token": []}]
        describe(document)
        app.openapi_schema = document
    return app.openapi_schema
