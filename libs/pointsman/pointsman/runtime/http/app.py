"""`service_app`: the FastAPI application that each service's routes are added to.

It gives every service the same errors (problem documents), limits, ids, documented answers, and the common routes.
Unknown fields are errors: bodies derive from `Body`, and unknown query parameters are refused here.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, model_validator
from starlette.requests import Request

from pointsman.core.fields import describe
from pointsman.runtime.http import every_service, problems, secrets
from pointsman.runtime.http.limits import CallLayer
from pointsman.runtime.http.problems import ERRORS_MAX, MEDIA_TYPE, Problem, ProblemDocument, invalid
from pointsman.runtime.http.storable import refuse_unstorable
from pointsman.runtime.secret_store import SecretSet

if TYPE_CHECKING:
    from pointsman.runtime.process import ApiProcess

ConfigVersionOf = Callable[[str], Awaitable[int | None]]
"""Workspace → the version of its document that this service has; None when it has none."""

_ANSWERS = {
    400: "The call is malformed: no JSON, or an operator named no workspace.",
    401: "The token is absent, expired, revoked or not of this installation.",
    403: "The token's role does not allow it.",
    404: "There is no such thing in this workspace.",
    405: "The path has other methods.",
    409: "It conflicts with the state of things, or the same call is still running.",
    412: "`If-Match` names another version than the current one.",
    413: "The body is too large.",
    415: "The body's media type is not one of those that are read here.",
    422: "The input has errors, or an idempotency key was used with another body.",
    428: "`If-Match` is required.",
    429: "Too many calls with this token or from this address, or too many at once.",
    503: "Not applied, and safe to retry.",
}


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
    problem = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(refuse_without_database), Depends(refuse_unstorable), Depends(_known_parameters)],
        responses={
            status: {"description": text, "content": {MEDIA_TYPE: problem}} for status, text in _ANSWERS.items()
        },
        separate_input_output_schemas=False,
        redirect_slashes=False,
        # Measurements, logs and spans are our own: FastAPI's spans have the path and the query, in which links carry
        # tokens; and what asks for a provider on every call costs a tenth of a call.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.process = process
    app.state.signing_secret = signing_secret
    app.state.secret_set = secret_set
    problems.install(app)
    app.add_middleware(
        CallLayer,
        service=name,
        body_bytes_max=body_bytes_max or process.settings.body_bytes_max,
        admission=process.admission,
    )
    app.include_router(every_service.router(config_version))
    if keeps_secrets:
        app.include_router(secrets.routes)
    app.openapi = lambda: _openapi(app, name)  # type: ignore[method-assign]
    return app


async def refuse_without_database(request: Request) -> None:
    """503 at once while the database does not answer: what waited for it would only wait longer."""
    process: ApiProcess = request.app.state.process
    if process.database.away:
        detail = "the database is out of reach; repeat the call, with its Idempotency-Key if it had one"
        raise Problem(503, "unavailable", detail, headers={"Retry-After": "2"})


async def _known_parameters(request: Request) -> None:
    """Refuses query parameters that the route does not know: a misspelt filter must not answer everything."""
    if not request.scope["query_string"]:
        return
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = _parameters_of(route)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        errors = [{"pointer": f"?{name}", "detail": "unknown parameter"} for name in unknown]
        raise invalid(errors)


_known: dict[int, frozenset[str]] = {}


def _parameters_of(route: APIRoute) -> frozenset[str]:
    known = _known.get(id(route))
    if known is None:
        names: set[str] = set()
        waiting = [route.dependant]
        while waiting:
            dependant = waiting.pop()
            names.update(field.alias for field in dependant.query_params)
            waiting.extend(dependant.dependencies)
        known = _known[id(route)] = frozenset(names)
    return known


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
