"""The document's plain question of when a calendar opens and shuts has the answers of the clocks' arithmetic."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.contracts.document import Calendar, is_open, next_change
from pointsman.core.instant import Instant, parse_rfc3339
from pointsman_sla.calendar import compile_calendar
from pointsman_sla.micros import instant, micros

ZONES = ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo", "Pacific/Apia")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AROUND = {  # days on which these zones change their clocks
    "Europe/Rome": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),
}


def a_time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def spans(draw: st.DrawFn) -> list[list[str]]:
    edges = sorted(draw(st.sets(st.integers(0, 96), min_size=0, max_size=4)))
    pairs = [[a_time(start * 15), a_time(end * 15)] for start, end in zip(edges[::2], edges[1::2], strict=False)]
    if draw(st.booleans()) and not pairs:
        pairs = [["22:00", "02:30"]]
    return pairs


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    zone = draw(st.sampled_from(ZONES))
    definition: dict[str, Any] = {"tz": zone, "week": draw(st.dictionaries(st.sampled_from(DAYS), spans()))}
    near = AROUND.get(zone, ("2026-06-01", "2026-06-02"))
    definition["holidays"] = draw(st.lists(st.sampled_from([*near, "12-25"]), max_size=1))
    definition["days"] = draw(st.dictionaries(st.sampled_from(near), spans(), max_size=1))
    if draw(st.booleans()):
        definition["ical"] = {"dates": dict.fromkeys(draw(st.sets(st.sampled_from(near))), "Shut")}
    if draw(st.booleans()):
        change: dict[str, Any] = {"week": draw(st.dictionaries(st.sampled_from(DAYS), spans()))}
        if draw(st.booleans()):
            change = {"always": draw(st.booleans())}
        if draw(st.booleans()):
            change = {**change, "tz": draw(st.sampled_from(ZONES))}
        definition["from"] = {draw(st.sampled_from(near)): change}
    if draw(st.booleans()):
        definition["always"] = True
    return definition


@settings(max_examples=60, deadline=None)
@given(definition=definitions(), data=st.data())
def test_opens_and_shuts_with_the_clocks(definition: dict[str, Any], data: Any) -> None:
    calendar, clocks = Calendar.model_validate(definition), compile_calendar(definition)
    near = data.draw(st.sampled_from(AROUND.get(definition["tz"], ("2026-06-01",))))
    start = datetime.fromisoformat(near).replace(tzinfo=UTC) - timedelta(days=2)
    at = start + timedelta(minutes=data.draw(st.integers(0, 4 * 1440)))
    horizon = at + timedelta(days=370)
    stretches = [(instant(low), instant(high)) for low, high in clocks.spans(micros(at), micros(horizon))]
    opened = bool(stretches) and stretches[0][0] == at
    assert is_open(calendar, at, workspace_zone="UTC") is opened
    expected = stretches[0][1] if opened else stretches[0][0] if stretches else None
    if expected is not None and expected < horizon:
        assert next_change(calendar, at, workspace_zone="UTC") == expected


def _change(at: str, **calendar: Any) -> Instant | None:
    return next_change(Calendar.model_validate(calendar), parse_rfc3339(at), workspace_zone="Europe/Rome")


@pytest.mark.parametrize(
    ("at", "changes"),
    [
        ("2026-11-23T07:00:00Z", "2026-11-23T08:00:00Z"),  # opens on Monday
        ("2026-11-23T08:00:00Z", "2026-11-23T17:00:00Z"),  # shuts
        ("2026-11-23T17:00:00Z", "2026-11-30T08:00:00Z"),  # a week later
        ("2026-03-24T00:00:00Z", "2026-03-30T07:00:00Z"),  # summer time by then
    ],
)
def test_the_next_change(at: str, changes: str) -> None:
    assert _change(at, week={"mon": [["09:00", "18:00"]]}) == parse_rfc3339(changes)


def test_what_never_changes_has_no_next_change() -> None:
    assert _change("2026-11-23T07:00:00Z", always=True) is None
    public = {"country": "IT", "dates": ["2026-11-24"]}
    assert _change("2026-11-23T07:00:00Z", always=True, holidays_of=public) == parse_rfc3339("2026-11-23T23:00:00Z")
    assert _change("2026-11-23T07:00:00Z", days={"2020-01-01": [["09:00", "18:00"]]}) is None
