"""The transitions of a zone as its file in the IANA database has them (TZif, RFC 8536): what the compiled offsets are
held to, which are found by looking."""

import struct
import zoneinfo
from bisect import bisect_left
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

_DAY = 86_400
_RULES_SINCE = int(datetime(1900, 1, 1, tzinfo=UTC).timestamp())
_USUALLY_UNTIL = int(datetime(2040, 1, 1, tzinfo=UTC).timestamp())


@cache
def distinct_zones() -> tuple[str, ...]:
    """Every zone of the database, of those that are the same file one."""
    named: dict[bytes, str] = {}
    for name in sorted(zoneinfo.available_timezones() - {"localtime", "Factory"}):
        named.setdefault(_file(name), name)
    return tuple(sorted(named.values()))


def transitions(zone: str, first: int, last: int) -> list[int]:
    """The epoch seconds in [first, last) at which the zone's offset from UTC changes."""
    found = _transitions(zone, max(last, _USUALLY_UNTIL))
    return found[bisect_left(found, first) : bisect_left(found, last)]


@cache
def _transitions(zone: str, last: int) -> list[int]:
    """All of them before `last`."""
    data = _file(zone)
    listed = _listed(data)
    after = max(_RULES_SINCE, listed[-1][0] + 1)
    # Past the file's last transition a rule in its last line may go on: there it is looked for from day to day.
    goes_on = b"," in data[data[:-1].rindex(b"\n") :]
    tz = ZoneInfo(zone)
    days = [(at, _offset(tz, at)) for at in range(after, last + _DAY, _DAY)] if goes_on else []
    listed += [(_between(tz, low, high), there) for (low, here), (high, there) in pairwise(days) if here != there]
    return [at for (_, before), (at, offset) in pairwise(listed) if before != offset and at < last]


def _between(tz: ZoneInfo, low: int, high: int) -> int:
    here = _offset(tz, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(tz, middle) == here else (low, middle)
    return high


def _offset(tz: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, tz).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _file(zone: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        path = Path(folder, zone)
        if path.is_file():
            return path.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


def _listed(data: bytes) -> list[tuple[int, int]]:
    """(epoch second, offset from then on) of the file's second part, the first one from ever."""
    begin = _size(data, 0, 4)
    count, types = struct.unpack_from(">2l", data, begin + 32)
    body = begin + 44
    instants = struct.unpack_from(f">{count}q", data, body)
    kinds = data[body + 8 * count : body + 9 * count]
    offsets = [struct.unpack_from(">l", data, body + 9 * count + 6 * place)[0] for place in range(types)]
    return [(-(2**62), offsets[0]), *((at, offsets[kind]) for at, kind in zip(instants, kinds, strict=True))]


def _size(data: bytes, begin: int, width: int) -> int:
    """The length of the header and the body that begin there, whose instants have that many bytes."""
    assert data[begin : begin + 4] == b"TZif"
    ut, std, leap, count, types, characters = struct.unpack_from(">6l", data, begin + 20)
    return int(44 + count * (width + 1) + types * 6 + characters + leap * (width + 4) + std + ut)
