"""Instants are aware UTC datetimes with microseconds, everywhere in Pointsman.

They come in as arguments: nothing in the domain reads a clock (the runtime's `Clock` is the database's time).
"""

from datetime import UTC, datetime, timedelta

Instant = datetime

EPOCH: Instant = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER: Instant = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than every instant that occurs; stands for "no deadline" where a comparison needs a value."""


def rfc3339(at: Instant) -> str:
    """The instant as RFC 3339 in UTC with `Z`, microseconds only where there are some."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_rfc3339(text: str) -> Instant:
    """The instant written as RFC 3339. Raises `ValueError` when the text is no instant or has no offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone offset")
    return at.astimezone(UTC)


def after(at: Instant, seconds: float) -> Instant:
    """The instant `seconds` of elapsed time after `at` (before it when negative)."""
    return at + timedelta(seconds=seconds)


def seconds_between(start: Instant, end: Instant) -> float:
    """Elapsed seconds from `start` to `end`, negative when `end` is earlier."""
    return (end - start).total_seconds()
