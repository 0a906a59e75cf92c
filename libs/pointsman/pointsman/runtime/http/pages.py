"""Lists by pages: `?limit=` and `?cursor=` in, `{items, next_cursor}` out.

A cursor is opaque to callers: the sort and the last item's key, base64url. It proves nothing and hides nothing; what
it names is looked up in the caller's own workspace.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem

T = TypeVar("T")
Part = str | int | float | None

LIMIT_MAX = 200

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many items at most.")]
Cursor = Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")]


class Page(BaseModel, Generic[T]):
    """One page; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None = None


def page_of(
    rows: Sequence[T], limit: int, shown: Callable[[T], Any], place: Callable[[T], tuple[Part, ...]]
) -> Response:
    """One page of rows in the list's order, of which one more than `limit` was fetched: it tells that more follow.

    `place` is where a row stands in that order, the parts of the cursor after it.
    """
    last = rows[limit - 1] if len(rows) > limit else None
    return Json(
        {
            "items": [shown(row) for row in rows[:limit]],
            "next_cursor": None if last is None else encode_cursor(*place(last)),
        }
    )


def encode_cursor(*parts: Part) -> str:
    return urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode_cursor(cursor: str, *shape: type | tuple[type, ...], name: str = "cursor") -> tuple[Any, ...]:
    """The parts of a cursor, each of the given type. Raises `Problem` 422 for what we did not hand out."""
    try:
        parts = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        parts = None
    fits = isinstance(parts, list) and len(parts) == len(shape)
    if not fits or not all(isinstance(part, kind) for part, kind in zip(parts or [], shape, strict=True)):
        raise Problem(
            422, "invalid-cursor", "the cursor is not one of this list", [{"pointer": f"?{name}", "detail": "unknown"}]
        )
    return tuple(parts or ())
