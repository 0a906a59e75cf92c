"""`Idempotency-Key` for the routes that are no commands: a repeat answers the first result.

The result is kept among the outcomes (24 h) under the key's id. While the work runs the key is claimed by a row, for a
bounded time, and no connection is held. Work and result are two commits: should the process die between them, the
repeat does the work again once the claim is over, which each of these routes bears. A refusal is not kept.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from pointsman.core.instant import after
from pointsman.runtime.commands import Key
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.process import ApiProcess
from pointsman_intake.api.callers import gate_of

log = structlog.get_logger(__name__)

WORK_SECONDS_MAX = 20.0
"""Longer than a mail may take to be parsed, and than a commit waits."""
CLAIM_SECONDS = WORK_SECONDS_MAX + 2.0

_CLAIM = """
INSERT INTO asked (id, body_hash, not_after) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET id = asked.id
RETURNING body_hash, attempt, not_after, xmax = 0 AS mine
"""
_TAKE_OVER = """
UPDATE asked SET attempt = attempt + 1, not_after = $3 WHERE id = $1 AND attempt = $2 RETURNING attempt
"""
_GIVE_UP = "DELETE FROM asked WHERE id = $1 AND attempt = $2"
_KEPT = "SELECT status, body FROM outcome WHERE id = $1"
_KEEP = "INSERT INTO outcome (id, body_hash, status, body) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING"

Work = Callable[[], Awaitable[tuple[Any, int]]]
"""Does it; (body, status) of the answer."""


async def once(request: Request, key: Key | None, work: Work) -> Response:
    """The answer of the work, or of the first call with this key. Raises `Problem` 409 while that still runs, and 422
    when it had another body; `TimeoutError` when the work takes longer than `WORK_SECONDS_MAX`."""
    if key is None:
        body, status = await work()
        return Json(body, status)
    process = gate_of(request).process
    claimed = await _claim(process, key)
    if isinstance(claimed, Response):
        return claimed
    try:
        async with asyncio.timeout(WORK_SECONDS_MAX):
            body, status = await work()
    except BaseException:
        await _give_up(process, key, claimed)
        raise
    await process.pool.execute(_KEEP, key.id, key.body_hash, status, body)
    return Json(body, status)


async def _claim(process: ApiProcess, key: Key) -> int | Response:
    """Which attempt this call is, or the answer that the key already has. Raises `Problem` 409 and 422."""
    now = process.clock.now()
    until = after(now, CLAIM_SECONDS)
    row = await process.pool.fetchrow(_CLAIM, key.id, key.body_hash, until)
    if row["mine"]:
        return 0
    if row["body_hash"] != key.body_hash:
        raise Problem(422, "idempotency-key-reused", "the Idempotency-Key was used with another body")
    kept = await process.pool.fetchrow(_KEPT, key.id)
    if kept is not None:
        return Json(kept["body"], kept["status"], headers={"Idempotency-Replayed": "true"})
    attempt: int | None = None
    if row["not_after"] < now:
        # Whoever claimed it is gone.
        attempt = await process.pool.fetchval(_TAKE_OVER, key.id, row["attempt"], until)
    if attempt is None:
        raise Problem(409, "still-running", "the first call with this key still runs", headers={"Retry-After": "1"})
    return attempt


async def _give_up(process: ApiProcess, key: Key, attempt: int) -> None:
    """Nothing came of it: the next call with the key begins anew. Otherwise the claim ends by itself."""
    try:
        await process.pool.execute(_GIVE_UP, key.id, attempt)
    except INFRASTRUCTURE_ERRORS as error:
        log.warning("a key stays claimed for a while", error=repr(error))
