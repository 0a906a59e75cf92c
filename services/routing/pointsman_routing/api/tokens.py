"""`/v1/tokens`: the workspace's tokens. A token is shown once, when it is issued; only its id is kept."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import TokenIssue, TokenRevoke
from pointsman.contracts.wire import actor
from pointsman.core.ids import derived_id, random_id
from pointsman.core.instant import EPOCH, after, parse_rfc3339
from pointsman.core.nearest import no_such
from pointsman.runtime.auth import TTL_SECONDS_MAX, Caller, require, sign_token
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import IdempotencyKey, ask
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.pages import Cursor, Limit, Page, decode_cursor, page_of
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.routes import routes_under
from pointsman_routing.api.names import named_in_document

routes = routes_under("/v1", "tokens")

Admin = Annotated[Caller, Depends(require("admin"))]
AdminOrInstallation = Annotated[Caller, Depends(require("admin", workspace_optional=True))]


TokenId = Annotated[str, Path(min_length=1, max_length=200, description="As `POST /tokens` or the command told it.")]


class Issue(Body):
    """`sub` is the connector's or agent's slug, else a person's name. An operator's token is issued only on the
    command line."""

    role: Literal["connector", "viewer", "agent", "supervisor", "admin"]
    sub: Annotated[str, Field(min_length=1, max_length=200)]
    ttl_seconds: Annotated[int, Field(ge=1, le=TTL_SECONDS_MAX)]


class Issued(BaseModel):
    token_id: str
    token: str
    expires_at: datetime


class Token(BaseModel):
    token_id: str
    role: str
    sub: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@routes.post("/tokens", response_model=Issued, status_code=201)
async def issue(request: Request, caller: Admin, body: Issue, key: IdempotencyKey) -> Response:
    """Issues a token, a connector's or agent's only if the document has it. With a key a repeat answers the same token
    again: it is signed anew, and nothing is stored."""
    process = request.app.state.process
    await _known(process.pool, caller.workspace, body)
    now = process.clock.now().replace(microsecond=0)
    token_id = random_id("tok", now) if key is None else derived_id("tok", EPOCH, key.id)
    command = TokenIssue(
        actor=actor(caller.role, caller.sub),
        token_id=token_id,
        role=body.role,
        sub=body.sub,
        expires_at=after(now, body.ttl_seconds),
    )
    answer, status, headers = await ask(request, caller, command, subject=f"token:{token_id}", key=key)
    expires_at = parse_rfc3339(answer["expires_at"])
    issued = expires_at.timestamp() - body.ttl_seconds
    try:
        token = sign_token(
            process.auth.key, body.role, caller.workspace, body.sub, body.ttl_seconds, token_id, now=issued
        )
    except ValueError as error:
        raise Problem(503, "cannot-sign", str(error), headers={"Retry-After": "60"}) from error
    return Json({"token_id": token_id, "token": token, "expires_at": expires_at}, status, headers)


async def _known(pool: Any, workspace: str, body: Issue) -> None:
    """A token for nobody would be found out only when its app is refused everything. Raises `Problem` 422."""
    if body.role not in ("agent", "connector"):
        return
    names = await named_in_document(pool, workspace, f"{body.role}s")
    if names is not None and body.sub not in names:
        detail = no_such(body.role, body.sub, names)
        raise Problem(422, "invalid-request", detail, [{"pointer": "/sub", "detail": detail}])


@routes.get("/tokens", response_model=Page[Token])
async def tokens(request: Request, caller: Admin, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The tokens issued here, by id; never the tokens themselves."""
    rows = await request.app.state.process.pool.fetch(
        """
        SELECT id AS token_id, role, sub, issued_at, expires_at, revoked_at FROM token
        WHERE workspace = $1 AND id > $2 ORDER BY id LIMIT $3
        """,
        caller.workspace,
        decode_cursor(cursor, str)[0] if cursor else "",
        limit + 1,
    )
    return page_of(rows, limit, dict, lambda row: (row["token_id"],))


@routes.delete("/tokens/{id}", status_code=204)
async def revoke(request: Request, caller: AdminOrInstallation, id: TokenId) -> Response:
    """Takes a token back: every process refuses it as soon as it hears of it, which takes milliseconds.

    An operator may revoke any id, also of a token that was signed offline and is in no list, an operator's among them;
    then no workspace need be named.
    """
    command = TokenRevoke(actor=actor(caller.role, caller.sub), token_id=id)
    await ask(request, caller, command, subject=f"token:{id}")
    return Response(status_code=204)
