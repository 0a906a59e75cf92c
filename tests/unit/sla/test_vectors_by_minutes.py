"""Worked cases as a file has them, made at random around changes of clocks, with the answers of a count by minutes.

`POINTSMAN_VECTORS` says how many. Each has what vectors can have: split days, nights, holidays by date and every year,
special days, changes, pauses that overlap each other and closing times, boundaries, warnings, escalations.
"""

import os
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pointsman_sla.calendar.evaluate import evaluate
from tests.unit.sla.by_minutes import DAYS, ByMinutes, outside

VECTORS = int(os.environ.get("POINTSMAN_VECTORS", "240"))
AT_ONCE = 8
"""So many groups, a test each."""

PLACES: tuple[tuple[str, str], ...] = (
    ("Europe/Rome", "2026-03-29"),
    ("Europe/Rome", "2026-10-25"),
    ("America/New_York", "2024-03-10"),
    ("America/St_Johns", "2024-11-03"),  # half past
    ("Australia/Lord_Howe", "2025-04-06"),  # half an hour
    ("Australia/Lord_Howe", "2025-10-05"),
    ("Asia/Kathmandu", "2025-01-01"),  # +05:45
    ("Pacific/Chatham", "2025-04-06"),  # +12:45, at 02:45
    ("Pacific/Apia", "2011-12-30"),  # a day that never was
    ("Pacific/Fakaofo", "2011-12-30"),
    ("Asia/Pyongyang", "2015-08-15"),  # another standard time
    ("America/Caracas", "2016-05-01"),
    ("Europe/Volgograd", "2018-10-28"),
    ("America/Sao_Paulo", "2018-11-04"),  # midnight does not exist
    ("Asia/Tehran", "2015-09-22"),
    ("Africa/Casablanca", "2025-02-23"),  # the other way round
    ("Antarctica/Troll", "2026-10-25"),  # two hours
    ("Africa/Juba", "2021-02-01"),
    ("UTC", "2024-02-29"),
    ("Asia/Kolkata", "2024-02-28"),
)


def a_case(chance: random.Random) -> tuple[dict[str, Any], ByMinutes, int, int]:
    """(definition, the same by minutes, start, end): some days around a change of the clock."""
    zone, near = chance.choice(PLACES)
    noon = datetime.fromisoformat(near).replace(tzinfo=UTC)
    around = [(noon + timedelta(days=step)).date() for step in range(-3, 5)]
    raw: dict[str, Any] = {"tz": zone, "week": {day: _spans(chance) for day in DAYS if chance.random() < 0.85}}
    if chance.random() < 0.15:
        raw["always"] = True
    raw["holidays"] = [_holiday(chance, day) for day in around if chance.random() < 0.12]
    raw["days"] = {day.isoformat(): _spans(chance) for day in around if chance.random() < 0.12}
    if chance.random() < 0.3:
        change = {"always": chance.random() < 0.5} if chance.random() < 0.3 else {"week": {"mon": _spans(chance)}}
        raw["from"] = {chance.choice(around).isoformat(): change}
    start = int(noon.timestamp()) - chance.randrange(0, 2 * 1440) * 60
    return raw, ByMinutes(raw), start, start + chance.randrange(1, 4 * 1440) * 60


def _spans(chance: random.Random) -> list[list[str]]:
    marks = sorted(chance.sample(range(97), chance.choice((0, 2, 2, 4, 6))))
    spans = [[_time(a), _time(b)] for a, b in zip(marks[::2], marks[1::2], strict=True)]
    if spans and chance.random() < 0.3 and spans[0][0] > "03:00":
        spans[-1][1] = "02:30"
    return spans


def _time(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


def _holiday(chance: random.Random, day: date) -> str:
    return day.isoformat()[5:] if chance.random() < 0.4 else day.isoformat()


def written(chance: random.Random, at: int, zone: str) -> str:
    """The instant as a vector has it; wall time only where it names one instant."""
    if chance.random() < 0.5:
        return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    wall = datetime.fromtimestamp(at, ZoneInfo(zone))
    if wall.fold:
        return wall.isoformat()
    return wall.replace(tzinfo=None).isoformat() + f"[{zone}]"


def vectors(chance: random.Random) -> list[dict[str, Any]]:
    """Those of one case."""
    raw, naive, start, end = a_case(chance)
    zone = raw["tz"]
    pauses = []
    for _ in range(chance.choice((0, 0, 1, 2, 3))):
        low = start + chance.randrange(-300, (end - start) // 60) * 60
        pauses.append((low, low + chance.randrange(0, 900) * 60))
    told = {"calendar": raw, "pauses": [[written(chance, at, zone) for at in pause] for pause in pauses]}
    all_minutes = naive.open_minutes(start, end)
    minutes = outside(all_minutes, pauses)
    found = [
        {
            "op": "elapsed",
            "start": written(chance, start, zone),
            "end": written(chance, end, zone),
            "expect": len(minutes) * 60,
            "paused_business_seconds": (len(all_minutes) - len(minutes)) * 60,
        }
    ]
    if len(minutes) > 2:
        count, before, after = (chance.randrange(1, len(minutes) - 1) for _ in range(3))
        due: dict[str, Any] = {"op": "due", "start": written(chance, start, zone), "seconds": count * 60}
        due["expect"] = written(chance, minutes[count - 1] + 60, zone)
        due["expect_breach"] = written(chance, minutes[count], zone)
        if before < count:
            due["warn_before"] = before * 60
            due["expect_warning"] = written(chance, minutes[count - before - 1] + 60, zone)
        if count + after < len(minutes):  # something opens after it
            due["then_escalate_after"] = after * 60
            due["expect_escalation"] = written(chance, minutes[count + after - 1] + 60, zone)
        back = {"op": "subtract", "end": written(chance, end, zone), "seconds": count * 60}
        found += [due, {**back, "expect": written(chance, minutes[-count], zone)}]
    return [{**told, **vector} for vector in found]


@pytest.mark.parametrize("group", range(AT_ONCE))
def test_vectors_have_the_answers_of_a_count_by_minutes(group: int) -> None:
    chance = random.Random(group)
    many = [vector for _ in range(VECTORS // AT_ONCE // 3) for vector in vectors(chance)]
    results = evaluate(many)["results"]
    wrong = [(result, vector) for result, vector in zip(results, many, strict=True) if not result["ok"]]
    assert wrong == []
    assert {result["op"] for result in results} == {"elapsed", "due", "subtract"}
