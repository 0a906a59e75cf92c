"""Lists by pages: `?limit=` and `?cursor=` in, `{items, next_cursor}` out.

A cursor is opaque to callers: the sort and the last item's key, base64url. It proves nothing and hides nothing; what
it names is looked up in the caller's own workspace. Whatever comes back as one has a bounded shape: texts that can be
kept, and numbers and instants that a column can be compared with.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel
from starlette.responses import Response

from pointsman.core.instant import parse_rfc3339
from pointsman.core.storable import why_unstorable
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import Problem

T = TypeVar("T")
Part = str | int
Kind = type[str] | type[int] | type[datetime] | range
"""Of a cursor's part: a text, a number of 64 bits, an instant (as RFC 3339 writes it), or a number of that range."""

INT8 = range(-(2**63), 2**63)
INT4 = range(-(2**31), 2**31)

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


def decode_cursor(cursor: str, *shape: Kind, name: str = "cursor") -> tuple[Any, ...]:
    """The parts of a cursor, each of the given kind. Raises `Problem` 422 for what we did not hand out."""
    try:
        parts = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list):
            raise ValueError("no list of parts")
        return tuple(_part(part, kind) for part, kind in zip(parts, shape, strict=True))
    except ValueError as error:
        raise invalid_cursor(name) from error


def invalid_cursor(name: str = "cursor") -> Problem:
    """The problem of a cursor that we did not hand out."""
    return Problem(
        422, "invalid-cursor", "the cursor is not one of this list", [{"pointer": f"?{name}", "detail": "unknown"}]
    )


def _part(part: Any, kind: Kind) -> Any:
    """Raises `ValueError` for a part that is not of the kind."""
    if kind is datetime and isinstance(part, str):
        return parse_rfc3339(part)
    if kind is str and isinstance(part, str) and why_unstorable(part) is None:
        return part
    reach = INT8 if kind is int else kind
    if isinstance(reach, range) and type(part) is int and part in reach:
        return part
    raise ValueError("another kind of part")
