"""Instants as integers of microseconds since 1970, in which calendars and clocks compute: exact, quick to compare."""

from datetime import timedelta

from pointsman.core.instant import EPOCH, Instant

MICROS = 1_000_000
"""Microseconds in a second."""

_ONE = timedelta(microseconds=1)


def micros(at: Instant) -> int:
    """The instant in microseconds since 1970 (UTC)."""
    return (at - EPOCH) // _ONE


def instant(at: int) -> Instant:
    """The instant that many microseconds after 1970 (UTC)."""
    return EPOCH + timedelta(microseconds=at)


def seconds(amount: int) -> float:
    """A duration in seconds, as facts and answers give it."""
    return amount / MICROS
