"""The IANA time zone database as this process knows it: one edition, chosen once, before the first zone is read.

A host brings an edition of its own, and the package `tzdata` that the lock pins another; either may be the older one,
and what a deadline is worth depends on which is read. The newer of the two is taken, for every library of the process
alike, and never one older than `LEAST_EDITION`, which is the lock's. A host's data that do not tell their edition are
never taken. (A zone that the host's newer edition leaves out, as some do with old names, is read from the package.)
"""

import re
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LEAST_EDITION = "2026f"
"""The edition of the package in requirements.lock (a test holds it to that)."""

_EDITION = re.compile(r"\b(\d{4})([a-z]{1,2})\b")
_TELLING_FILES = ("tzdata.zi", "+VERSION", "version")
"""Where a folder of compiled zones says its edition, if it does: the first line."""
_NO_PLACES = frozenset({"localtime", "posixrules"})
"""What a host takes these for is its own."""


class UnknownZone(ValueError):
    """The IANA database has no zone of that name."""


class ZonesTooOld(RuntimeError):
    """Neither the host nor the installed package has the edition that this version needs. Nothing may be computed."""


@dataclass(frozen=True, slots=True)
class Zones:
    """An edition (as `2026f`) and where it is: a folder of the host, or the package when that is None."""

    edition: str
    folder: str | None = None

    @property
    def age(self) -> tuple[int, int, str]:
        """Orders editions; after `2026z` comes `2026za`."""
        found = _EDITION.fullmatch(self.edition)
        return (int(found[1]), len(found[2]), found[2]) if found else (0, 0, "")

    def __str__(self) -> str:
        return f"{self.edition} of {self.folder or 'the package tzdata'}"


def newest(folders: Sequence[str], package: str) -> Zones:
    """The newest edition among the host's folders and the package; the package's when they are the same."""
    found = [Zones(package)]
    found += [Zones(edition, folder) for folder in folders for edition in _edition_of(Path(folder))]
    return max(found, key=lambda zones: zones.age)  # the first of equals


def _edition_of(folder: Traversable) -> Iterator[str]:
    for name in _TELLING_FILES:
        try:
            with folder.joinpath(name).open("r", encoding="ascii", errors="replace") as file:
                said = _EDITION.search(file.readline(200))
        except OSError:
            continue
        if said is not None:
            yield said[0]
            return


def packaged() -> str:
    """The edition of the installed package."""
    return next(_edition_of(resources.files("tzdata").joinpath("zoneinfo")), "")


def _chosen() -> Zones:
    zones = newest(zoneinfo.TZPATH, packaged())
    zoneinfo.reset_tzpath(() if zones.folder is None else (zones.folder,))
    ZoneInfo.clear_cache()
    return zones


ZONES = _chosen()
"""What every zone of this process is read from."""


def in_use() -> Zones:
    """What zones are read from. Raises `ZonesTooOld`."""
    if ZONES.age < Zones(LEAST_EDITION).age:
        raise ZonesTooOld(
            f"the time zone data is edition {ZONES}, and {LEAST_EDITION} at least is needed: "
            "install what requirements.lock names"
        )
    return ZONES


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name. Raises `UnknownZone`, and `ZonesTooOld`."""
    in_use()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(f"{name!r} is no zone of the IANA database") from error


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the zone's wall clock first shows the day; a day that it never showed begins where the
    clock jumped over it."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    first, again = midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC)
    if first <= again:
        return first
    # Midnight does not exist: the clock jumped between the two instants that either offset would make of it.
    low, high = again, first
    early = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) // 2).replace(microsecond=0)
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == early else (low, middle)
    return high


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every zone's name."""
    in_use()
    return frozenset(zoneinfo.available_timezones() - _NO_PLACES)
