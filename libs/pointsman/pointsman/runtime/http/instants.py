"""The one type of every instant that a call gives: in a body, a query or a cursor.

A text as RFC 3339 defines it, with an offset; between 1970 and the year 9999; in UTC from here on, so that every answer
says it with `Z`.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

from pointsman.core.instant import Instant, parse_rfc3339


def _read(value: object) -> Instant:
    if not isinstance(value, str):
        raise ValueError("an instant is a text as RFC 3339 writes it, like 2026-03-01T09:30:00Z")
    return parse_rfc3339(value)


GivenInstant = Annotated[datetime, BeforeValidator(_read)]
