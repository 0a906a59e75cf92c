"""One edition of the time zone database in a process, the newer of the host's and the package's.

America/Vancouver stopped changing its clock in 2026: a host whose edition is of 2025 puts every deadline of its winter
an hour late, and nothing said so.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from pointsman.core import zones
from pointsman.core.zones import UnknownZone, Zones, ZonesTooOld, newest, zone_names, zone_of
from tests.unit.house.checkout import ROOT

OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
VANCOUVER = {
    "id": "vancouver",
    "op": "due",
    "calendar": {"tz": "America/Vancouver", "week": OFFICE},
    "start": "2026-11-30T16:00:00Z",
    "seconds": 3600,
    "expect": "2026-11-30T17:00:00Z",
}


def a_host(folder: Path, edition: str | None, *, telling: str = "tzdata.zi", **places: str) -> str:
    """A host's compiled zones; `places` are read from others' files."""
    folder.mkdir(parents=True)
    if edition is not None:
        (folder / telling).write_text(f"# version {edition}\n# This zic input file …\n" if "zi" in telling else edition)
    for name, of in places.items():
        (folder / "America").mkdir(exist_ok=True)
        shutil.copy(str(resources.files("tzdata").joinpath("zoneinfo", *of.split("/"))), folder / "America" / name)
    return str(folder)


def evaluated(tmp_path: Path, host: str) -> dict[str, Any]:
    """`pointsman sla eval` of the case, in a process whose host has these zones."""
    vectors = tmp_path / "vectors.json"
    vectors.write_text(json.dumps({"vectors": [VANCOUVER]}))
    command = [sys.executable, "-m", "pointsman.cli.main", "sla", "eval", str(vectors), "--json"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONTZPATH": host}, check=False)
    found: dict[str, Any] = json.loads(done.stdout)["results"][0]
    return found


def test_a_hosts_older_edition_does_not_put_a_deadline_an_hour_late(tmp_path: Path) -> None:
    old = a_host(tmp_path / "host", "2025b", Vancouver="America/Los_Angeles")
    found = evaluated(tmp_path, old)
    assert (found["got"], found["ok"]) == ("2026-11-30T17:00:00Z", True)


def test_a_hosts_newer_edition_is_what_everything_reads(tmp_path: Path) -> None:
    new = a_host(tmp_path / "host", "2099c", Vancouver="America/Los_Angeles")
    assert evaluated(tmp_path, new)["got"] == "2026-11-30T18:00:00Z"


@pytest.mark.parametrize(
    ("host", "packaged", "taken"),
    [
        ("2025b", "2026f", "2026f"),
        ("2027a", "2026f", "2027a"),
        ("2026f", "2026f", "2026f"),
        ("2026z", "2026za", "2026za"),
        ("2026zb", "2026z", "2026zb"),
        ("2026b-14-g1a2b3c4", "2026a", "2026b"),
        ("nonsense", "2026f", "2026f"),
        (None, "2026f", "2026f"),
    ],
)
@pytest.mark.parametrize("telling", ["tzdata.zi", "+VERSION"])
def test_the_newer_edition_is_taken(tmp_path: Path, host: str | None, packaged: str, taken: str, telling: str) -> None:
    folder = a_host(tmp_path / "host", host, telling=telling)
    found = newest((str(tmp_path / "absent"), folder), packaged)
    assert (found.edition, found.folder) == (taken, folder if taken != packaged else None)


def test_of_several_folders_of_a_host_the_newest_is_taken(tmp_path: Path) -> None:
    folders = [a_host(tmp_path / edition, edition) for edition in ("2027a", "2027c", "2027b")]
    assert newest(folders, "2026f") == Zones("2027c", folders[1])


def test_an_edition_older_than_the_locks_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zones, "ZONES", Zones("2025b", "/usr/share/zoneinfo"))
    with pytest.raises(ZonesTooOld, match=r"2025b of /usr/share/zoneinfo.*2026"):
        zones.in_use()


def test_the_least_edition_is_the_locks() -> None:
    locked = re.search(r"^tzdata==(\d{4})\.(\d+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert locked is not None
    assert f"{locked[1]}{chr(ord('a') + int(locked[2]) - 1)}" == zones.LEAST_EDITION
    assert Zones(zones.packaged()).age >= Zones(zones.LEAST_EDITION).age


def test_names_that_are_no_zone_are_refused() -> None:
    for name in ("Mars/Olympus", "../etc/passwd", "", "\x00", "\ud800", "a" * 100_000, "Europe"):
        with pytest.raises(UnknownZone):
            zone_of(name)
    assert zone_of("America/Vancouver").key in zone_names()
