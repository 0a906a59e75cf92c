"""Instants are aware UTC datetimes with microseconds, everywhere in Pointsman.

They come in as arguments: nothing in the domain reads a clock (the runtime's `Clock` is the database's time).
"""

from datetime import UTC, datetime, timedelta

Instant = datetime

EPOCH: Instant = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER: Instant = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than every instant that occurs; stands for "no deadline" where a comparison needs a value."""
INSTANT_LENGTH_MAX = 64


def rfc3339(at: Instant) -> str:
    """The instant as RFC 3339 in UTC with `Z`, microseconds only where there are some."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_rfc3339(text: str) -> Instant:
    """The instant written as RFC 3339, in UTC. Raises `ValueError` when the text is no instant, has no offset, or lies
    outside of `EPOCH` to `FOREVER`: whatever is computed from what it gives stays an instant."""
    if len(text) > INSTANT_LENGTH_MAX:
        raise ValueError(f"a text of {len(text)} characters is no instant")
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise ValueError(f"{text!r} is no instant as RFC 3339 writes it, like 2026-03-01T09:30:00Z") from error
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC, like Z or +02:00")
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        at = datetime.max.replace(tzinfo=UTC)
    if not EPOCH <= at <= FOREVER:
        raise ValueError(f"{text!r} is out of range: instants lie between 1970 and 9999-01-01T00:00:00Z")
    return at


def after(at: Instant, seconds: float) -> Instant:
    """The instant `seconds` of elapsed time after `at` (before it when negative)."""
    return at + timedelta(seconds=seconds)


def seconds_between(start: Instant, end: Instant) -> float:
    """Elapsed seconds from `start` to `end`, negative when `end` is earlier."""
    return (end - start).total_seconds()
