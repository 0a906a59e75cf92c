"""A zone's offsets from UTC as stretches of constant offset, on epoch seconds.

The zone data is the IANA database in the edition of `pointsman.core.zones`. It does not tell its transitions, so they
are found by looking once a day and bisecting to the second; no zone ever had two transitions within less than four days
(a test over the files of the database holds it to that).
"""

from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from pointsman.core.zones import UnknownZone, zone_of

LOOK_SECONDS = 24 * 3600


def year_start(year: int) -> int:
    """The epoch second at which the year begins in UTC."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


@lru_cache(maxsize=16384)
def year_offsets(name: str, year: int) -> tuple[tuple[int, int], ...]:
    """The stretches of one UTC year, in order: (first epoch second, offset in seconds). The first begins the year."""
    zone = zone_of(name)
    at, end = year_start(year), year_start(year + 1)
    offset = _offset(zone, at)
    stretches = [(at, offset)]
    while at < end:
        look = min(at + LOOK_SECONDS, end)
        there = _offset(zone, look)
        if there != offset:
            first = _first_with_another(zone, at, look, offset)
            if first < end:
                stretches.append((first, there))
            offset = there
        at = look
    return tuple(stretches)


def midnight_of(name: str, day: int) -> int:
    """The epoch second at which a day (counted since 1970-01-01) begins in the zone; where 00:00 does not exist, the
    first that does."""
    wall = day * 86_400
    year = datetime.fromtimestamp(wall, UTC).year
    stretches = [stretch for near in (year - 1, year, year + 1) for stretch in year_offsets(name, near)]
    for (first, offset), (end, _) in pairwise(stretches):
        if wall - offset < end:
            return max(first, wall - offset)
    raise UnknownZone(f"{name} has no {year}")  # pragma: no cover


def _first_with_another(zone: ZoneInfo, low: int, high: int, offset: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    if offset is None:
        raise UnknownZone(f"{zone.key} gives no offset")
    return offset.days * 86_400 + offset.seconds
