"""Whether a calendar is open at an instant."""

from typing import Any

import pytest

from pointsman.contracts.document import Calendar, is_open
from pointsman.core.instant import parse_rfc3339


def _open(at: str, **calendar: Any) -> bool:
    return is_open(Calendar.model_validate(calendar), parse_rfc3339(at), workspace_zone="Europe/Rome")


WEEK = {"mon": [["09:00", "13:00"], ["14:00", "18:00"]], "fri": [["22:00", "02:00"]], "sun": [["00:00", "24:00"]]}


@pytest.mark.parametrize(
    ("at", "is_so"),
    [
        ("2026-11-23T07:59:59Z", False),  # Monday 08:59:59 in Rome
        ("2026-11-23T08:00:00Z", True),
        ("2026-11-23T11:59:59Z", True),
        ("2026-11-23T12:00:00Z", False),
        ("2026-11-24T10:00:00Z", False),
        ("2026-11-27T22:30:00Z", True),  # Friday 23:30
        ("2026-11-28T00:59:59Z", True),  # Saturday 01:59:59, Friday's span
        ("2026-11-28T01:00:00Z", False),
        ("2026-11-29T22:59:59Z", True),  # Sunday until midnight
        ("2026-11-29T23:00:00Z", False),
    ],
)
def test_a_week_of_spans(at: str, is_so: bool) -> None:
    assert _open(at, week=WEEK) is is_so


def test_holidays_shut_and_special_days_go_before_them() -> None:
    assert not _open("2026-12-07T10:00:00Z", week=WEEK, holidays=["2026-12-07"])
    assert not _open("2026-12-07T10:00:00Z", week=WEEK, holidays=["12-07"])
    special = {"2026-12-07": [["10:30", "12:00"]]}
    assert _open("2026-12-07T10:00:00Z", week=WEEK, holidays=["12-07"], days=special)
    assert not _open("2026-12-07T09:00:00Z", week=WEEK, holidays=["12-07"], days=special)


def test_what_holds_from_a_date_on() -> None:
    change = {"2026-12-01": {"week": {"mon": [["06:00", "08:00"]]}}}
    assert not _open("2026-11-30T06:00:00Z", week=WEEK, **{"from": change})
    assert _open("2026-12-07T06:00:00Z", week=WEEK, **{"from": change})


def test_public_holidays_shut_by_the_dates_of_the_version() -> None:
    public = {"country": "IT", "dates": ["2026-12-07"]}
    assert not _open("2026-12-07T10:00:00Z", week=WEEK, holidays_of=public)
    assert _open("2026-12-14T10:00:00Z", week=WEEK, holidays_of=public)


def test_always_is_always_but_on_holidays() -> None:
    assert _open("2026-11-25T03:00:00Z", always=True)
    assert not _open("2026-12-25T11:00:00Z", always=True, holidays=["12-25"])


def test_a_span_that_starts_in_the_gap_of_a_summer_night_starts_at_its_end() -> None:
    week = {"sun": [["02:30", "05:00"]]}
    assert not _open("2026-03-29T00:59:59Z", week=week)  # 01:59:59, then 03:00
    assert _open("2026-03-29T01:00:00Z", week=week)


def test_the_hour_that_comes_twice_is_open_twice() -> None:
    week = {"sun": [["02:00", "03:00"]]}
    assert _open("2026-10-25T00:30:00Z", week=week)
    assert _open("2026-10-25T01:30:00Z", week=week)
    assert not _open("2026-10-25T02:00:00Z", week=week)
