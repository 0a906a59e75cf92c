"""From a call to a command and back: `Idempotency-Key`, `If-Match`, the answer.

A key belongs to a token, the workspace that it is used in, and a route (method and path), and is kept for 24 hours. A
repeat with the same body gets the first result with `Idempotency-Replayed: true`; with another body 422; while the
first still runs 409 with `Retry-After`; after a 503 "not applied" the command runs anew.
"""

from typing import Annotated, Any

from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from pointsman.core.ids import digest_of
from pointsman.runtime.auth import Caller
from pointsman.runtime.commands import KEY_CHARACTERS_MAX, CommandBody, Key
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.limits import traceparent_of
from pointsman.runtime.http.problems import Problem

VERSION_MAX = 2**31 - 1

_KEY_HEADER = Header(
    alias="Idempotency-Key",
    min_length=1,
    max_length=KEY_CHARACTERS_MAX,
    description="A repeat with the same key answers the first result.",
)


async def _read_key(request: Request, key: Annotated[str | None, _KEY_HEADER] = None) -> Key | None:
    if key is None:
        return None
    caller: Caller = request.state.caller
    body = await request.body()
    said = b"\0".join((body, request.scope["query_string"], request.headers.get("if-match", "").encode()))
    return Key(key, caller.token_id, caller.workspace, f"{request.method} {request.url.path}", digest_of(said))


IdempotencyKey = Annotated[Key | None, Depends(_read_key)]
"""The call's key; the route's parameter must come after its caller."""


async def _read_version(
    if_match: Annotated[str | None, Header(alias="If-Match", description="The version seen, as `ETag` had it.")] = None,
) -> int | None:
    return None if if_match is None or if_match.strip() == "*" else version_of_etag(if_match)


IfMatch = Annotated[int | None, Depends(_read_version)]
"""The version that the caller saw; None when it does not mind."""


def etag_of(version: int) -> str:
    return f'"{version}"'


def version_of_etag(etag: str) -> int:
    """The version in an entity tag. Raises `Problem` 412 for a tag that is none of ours: it can match nothing."""
    text = etag.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > VERSION_MAX:
        raise Problem(412, "version-mismatch", f"If-Match: {etag} is no version that was ever given")
    return int(text)


async def answer_command(
    request: Request, caller: Caller, command: CommandBody, *, subject: str, key: Key | None = None
) -> Response:
    """Asks the command and answers its outcome. Raises `Problem` for a refusal, and when it was not applied."""
    body, status, headers = await ask(request, caller, command, subject=subject, key=key)
    return Json(body, status, headers)


async def ask(
    request: Request, caller: Caller, command: CommandBody, *, subject: str, key: Key | None = None
) -> tuple[Any, int, dict[str, str]]:
    """(body, status, headers) of the command's outcome, for routes that add to it."""
    try:
        answer = await request.app.state.process.commander.ask(
            command, workspace=caller.workspace, subject=subject, key=key, traceparent=traceparent_of(request)
        )
    except Problem as problem:
        current = problem.extra.get("version", problem.extra.get("config_version"))
        if problem.status == 412 and isinstance(current, int):
            problem.headers.setdefault("ETag", etag_of(current))
        raise
    return answer.body, answer.status, {"Idempotency-Replayed": "true"} if answer.replayed else {}
