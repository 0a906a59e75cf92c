"""`/v1/secrets` of a service that needs some: an admin puts values, and nobody ever reads one back.

Each service has its own store, encrypted with the installation's key; a value goes to each service that uses it.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import Problem, invalid, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.secret_store import Kept, NoSealingKey, SecretStore, TooManySecrets
from pointsman.runtime.secrets import SECRET_BYTES_MAX
from pointsman.runtime.standard_webhook import PREFIX, signing_key

SigningSecret = Callable[[str, str], Awaitable[bool]]
"""Workspace, name → whether its document names this secret as one that signs or proves Standard Webhooks."""

PREVIOUS_VALID_SECONDS_MAX = 30 * 86_400

routes = routes_under("/v1", "secrets")

Admin = Annotated[Caller, Depends(require("admin"))]


def _no_double_dash(name: str) -> str:
    if "--" in name:
        raise ValueError("a name has no `--`")
    return name


NAME = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
UNSET_ASKED_MAX = 100

Name = Annotated[str, Path(pattern=NAME, description="As the document names it."), AfterValidator(_no_double_dash)]
Named = Annotated[str, StringConstraints(pattern=NAME)]


class SecretValue(BaseModel):
    """A new value. The one it replaces stays valid for `previous_valid_seconds`: both verify, and both sign."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    value: Annotated[str, Field(min_length=1, max_length=SECRET_BYTES_MAX)]
    previous_valid_seconds: Annotated[int, Field(strict=True, ge=0, le=PREVIOUS_VALID_SECONDS_MAX)] = 0


class Secret(BaseModel):
    """What is told of a secret. `previous_until`: up to when the value before this one is valid too."""

    name: str
    set_at: datetime
    set_by: str
    previous_until: datetime | None


@routes.put("/secrets/{name}", response_model=Secret)
async def put(request: Request, caller: Admin, name: Name, body: SecretValue) -> Response:
    """Stores the value in this service, encrypted. It is never read back; putting the same again changes nothing but
    that what waited because the value was missing or wrong is tried at once.

    A secret of Standard Webhooks (by `whsec_`, or because the document names it for them) is at least 24 base64 bytes.
    """
    try:
        size = len(body.value.encode())
    except UnicodeEncodeError as error:
        raise _invalid("the value has half a character (a lone surrogate)") from error
    if size > SECRET_BYTES_MAX:
        raise _invalid(f"a secret has at most {SECRET_BYTES_MAX} bytes")
    await _signs(request, caller.workspace, name, body.value)
    try:
        kept = await _store(request).put(
            caller.workspace,
            name,
            body.value,
            f"{caller.role} {caller.sub}",
            body.previous_valid_seconds,
            request.app.state.secret_set,
        )
    except NoSealingKey as error:
        raise Problem(409, "no-sealing-key", str(error)) from error
    except TooManySecrets as error:
        raise Problem(409, "too-many-secrets", str(error)) from error
    return Json(_shown(kept))


@routes.get("/secrets", response_model=Page[Secret])
async def names(request: Request, caller: Admin, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The names that have a value in this service's store, and since when. Never a value."""
    after = decode_cursor(cursor, str)[0] if cursor else ""
    kept = await _store(request).names(caller.workspace, after, limit + 1)
    return page_of(kept, limit, _shown, lambda one: (one.name,))


class Unset(BaseModel):
    """Those of the names that stand for nothing in this service, in their order."""

    unset: list[str]


@routes.get("/secrets/unset", response_model=Unset)
async def unset(
    request: Request,
    caller: Admin,
    name: Annotated[list[Named], Query(max_length=UNSET_ASKED_MAX, description="May be repeated.")],
) -> Response:
    """Which of these names have no value here: neither in the store nor in a file or a variable of this process."""
    secrets = request.app.state.process.secrets
    return Json({"unset": await secrets.unset(caller.workspace, name)})


@routes.delete("/secrets/{name}", status_code=204)
async def remove(request: Request, caller: Admin, name: Name) -> Response:
    """Forgets the value, and the one before it."""
    if not await _store(request).remove(caller.workspace, name):
        raise not_found("secret")
    return Response(status_code=204)


async def _signs(request: Request, workspace: str, name: str, value: str) -> None:
    """Raises `Problem` 422 when a value that has to be a key of Standard Webhooks is none: it would prove nothing."""
    signing: SigningSecret | None = request.app.state.signing_secret
    if value.startswith(PREFIX) or (signing is not None and await signing(workspace, name)):
        try:
            signing_key(value)
        except ValueError as error:
            raise _invalid(str(error)) from error


def _store(request: Request) -> SecretStore:
    store = request.app.state.process.secrets.store
    assert isinstance(store, SecretStore)
    return store


def _shown(kept: Kept) -> dict[str, object]:
    return {
        "name": kept.name,
        "set_at": kept.set_at,
        "set_by": kept.set_by,
        "previous_until": kept.previous_until,
    }


def _invalid(detail: str) -> Problem:
    return invalid([{"pointer": "/value", "detail": detail}])
