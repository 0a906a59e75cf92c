"""`Idempotency-Key` for the routes that are no commands: a repeat answers the first result.

The result is kept among the outcomes (24 h) under the key's id. Work and result are two commits: should the process
die between them, the repeat does the work again, which each of these routes bears. A refusal is not kept.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pointsman.runtime.commanding import Key
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem
from pointsman_intake.api.callers import gate_of

_KEPT = "SELECT status, body, body_hash FROM outcome WHERE id = $1"
_KEEP = "INSERT INTO outcome (id, body_hash, status, body) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING"
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended($1, 4712))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended($1, 4712))"

Work = Callable[[], Awaitable[tuple[Any, int]]]
"""Does it; (body, status) of the answer."""


async def once(request: Request, key: Key | None, work: Work) -> Response:
    """The answer of the work, or of the first call with this key. Raises `Problem` 409 while that still runs, and 422
    when it had another body."""
    if key is None:
        body, status = await work()
        return Json(body, status)
    async with gate_of(request).process.pool.acquire() as db:
        if not await db.fetchval(_LOCK, key.id):
            raise Problem(409, "still-running", "the first call with this key still runs", headers={"Retry-After": "1"})
        try:
            kept = await db.fetchrow(_KEPT, key.id)
            if kept is not None and kept["body_hash"] != key.body_hash:
                raise Problem(422, "idempotency-key-reused", "the Idempotency-Key was used with another body")
            if kept is not None:
                return Json(kept["body"], kept["status"], headers={"Idempotency-Replayed": "true"})
            body, status = await work()
            await db.execute(_KEEP, key.id, key.body_hash, status, body)
            return Json(body, status)
        finally:
            try:
                await db.fetchval(_UNLOCK, key.id)
            except BaseException:
                db.terminate()  # the lock goes with its session
                raise
