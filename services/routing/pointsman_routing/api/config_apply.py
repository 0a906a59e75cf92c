"""From a document to a version: checked, asked of the desk as a command, answered with its version."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Header, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import ConfigPut
from pointsman.contracts.document import Written
from pointsman.contracts.wire import actor
from pointsman.runtime.auth import Caller
from pointsman.runtime.commands import Key
from pointsman.runtime.http.idempotency import ask, etag_of
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem
from pointsman_routing.api.config_document import Change, checked, known_place, stored, unset_here

RACES_MAX = 10
"""How often a change of one entry is made anew when another change came between."""

OpenClocks = Annotated[
    Literal["keep", "recompute"] | None, Query(description="What becomes of running clocks whose promise changed.")
]
Reason = Annotated[str | None, Query(max_length=500, description="Kept with the version.")]
IfNoneMatch = Annotated[Literal["*"] | None, Header(alias="If-None-Match")]

_DOCUMENT = {"type": "object", "description": "The workspace document (see /v1/config/schema)."}


def document_body(*media_types: str) -> dict[str, Any]:
    """What OpenAPI says of a body that is a document or a part of one."""
    content = {media_type: {"schema": _DOCUMENT} for media_type in media_types}
    return {"requestBody": {"required": True, "content": content}}


BODY = document_body("application/json", "application/yaml")


class UnsetSecret(BaseModel):
    """A key that names a secret which has no value in the service that uses it: nothing comes of the key until then."""

    pointer: str
    secret: str
    service: str


class Applied(BaseModel):
    """The version that holds now; `inactive` points at keys that are valid and whose feature is not built yet.
    `recompute_job_id`, after `open_clocks=recompute`: the job that lays open tickets' clocks anew
    (`GET /sla/v1/jobs/{id}`). `unset`: secrets that routing is to use and that have no value yet; intake and sla tell
    theirs by `GET /{service}/v1/secrets/unset`."""

    version: int
    inactive: list[str]
    unset: list[UnsetSecret]
    recompute_job_id: str | None = None


async def apply(
    request: Request,
    caller: Caller,
    change: Change,
    expects: int | None,
    *,
    open_clocks: Any = None,
    reason: str | None = None,
    key: Key | None = None,
    expand: bool = True,
    standing: Mapping[str, Any] | None = None,
) -> Response:
    """The answer of a change. `expand`: public holidays and iCal files are made dates anew. `standing`: the version of
    which a part is changed. Raises `Problem` 422 for a document with mistakes, and what the desk refuses."""
    document, written = await checked(request, change, standing=standing, expand=expand)
    inactive = document.inactive()
    command = ConfigPut(
        actor=actor(caller.role, caller.sub),
        document=written.value,
        expects=expects,
        reason=reason,
        open_clocks=open_clocks,
        moves=change.moves,
    )
    body, status, headers = await ask(request, caller, command, subject="config", key=key)
    version = int(body["config_version"])
    unset = await unset_here(request, caller.workspace, written.value)
    answer = {"version": version, "inactive": inactive, "unset": unset}
    if job := body.get("recompute_job_id"):
        answer["recompute_job_id"] = job
    return Json(answer, status, headers | {"ETag": etag_of(version)})


async def apply_to_stored(
    request: Request,
    caller: Caller,
    changed: Callable[[Mapping[str, Any]], dict[str, Any]],
    if_match: int | None = None,
    *,
    key: Key | None = None,
    moves: dict[str, Any] | None = None,
    **said: Any,
) -> Response:
    """Applies a change of a part to the current version; anew when another change came between. Raises `Problem`."""
    for attempt in range(RACES_MAX):
        version, document = await stored(request, caller.workspace)
        if if_match is not None and if_match != version:
            raise mismatch(version)
        with known_place():
            change = Change(Written(changed(document), None), moves)
        own = _attempted(key, attempt)
        try:
            return await apply(request, caller, change, version, key=own, standing=document, **said)
        except Problem as problem:
            if problem.status != 412 or if_match is not None or attempt == RACES_MAX - 1:
                raise
    raise AssertionError("unreachable")


def _attempted(key: Key | None, attempt: int) -> Key | None:
    """Each attempt has an outcome of its own: a repeated call finds the refused ones, then the one that held."""
    return key if key is None or not attempt else replace(key, key=f"{key.key} {attempt}")


def required(request: Request, if_match: int | None) -> int | None:
    """The version that the caller replaces. Raises `Problem` 428 when the call names none."""
    if "if-match" not in request.headers:
        raise Problem(428, "if-match-required", "say which version is replaced: If-Match with the ETag of GET /config")
    return if_match


def mismatch(version: int) -> Problem:
    """412, with the version that holds."""
    return Problem(
        412,
        "version-mismatch",
        f"the current version is {version}",
        headers={"ETag": etag_of(version)},
        version=version,
    )
