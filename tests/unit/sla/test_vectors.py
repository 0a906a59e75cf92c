"""`pointsman sla eval`: files of worked cases."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.cli.main import run
from pointsman_sla.calendar.evaluate import VectorError, evaluate

SAMPLES = os.environ.get("POINTSMAN_SAMPLES")
OFFICE = {"tz": "UTC", "week": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}


def one(**vector: Any) -> dict[str, Any]:
    result: dict[str, Any] = evaluate({"vectors": [{"id": "x", "calendar": OFFICE, **vector}]})["results"][0]
    return result


@pytest.mark.skipif(SAMPLES is None, reason="POINTSMAN_SAMPLES names no folder of samples")
def test_the_public_vectors_pass() -> None:
    result = evaluate(json.loads((Path(SAMPLES or "") / "sla/vectors-public.json").read_bytes()))
    assert [row for row in result["results"] if not row["ok"]] == []
    assert result["passed"] > 0


def test_due_and_breach_differ_at_closing() -> None:
    got = one(op="due", start="2026-11-20T16:00:00Z", seconds=3600, expect="2026-11-20T17:00:00Z",
              expect_breach="2026-11-23T09:00:00Z")  # fmt: skip
    assert (got["ok"], got["got"], got["got_breach"]) == (True, "2026-11-20T17:00:00Z", "2026-11-23T09:00:00Z")


def test_pauses_do_not_count_and_may_overlap() -> None:
    pauses = [["2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"], ["2026-11-20T10:30:00Z", "2026-11-20T12:00:00Z"]]
    got = one(op="due", start="2026-11-20T09:00:00Z", seconds=7200, pauses=pauses, expect="2026-11-20T13:00:00Z")
    assert got["ok"]
    got = one(op="elapsed", start="2026-11-20T09:00:00Z", end="2026-11-20T13:00:00Z", pauses=pauses, expect=7200,
              paused_business_seconds=7200)  # fmt: skip
    assert got["ok"]


def test_a_target_used_up_at_the_beginning_of_a_pause_breaches_after_it() -> None:
    pauses = [["2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"]]
    got = one(op="due", start="2026-11-20T09:00:00Z", seconds=3600, pauses=pauses, expect="2026-11-20T10:00:00Z",
              expect_breach="2026-11-20T11:00:00Z")  # fmt: skip
    assert got["ok"]


def test_a_warning_and_an_escalation_count_from_the_start() -> None:
    got = one(op="due", start="2026-11-20T16:00:00Z", seconds=7200, expect="2026-11-23T10:00:00Z", warn_before=5400,
              expect_warning="2026-11-20T16:30:00Z", then_escalate_after=3600,
              expect_escalation="2026-11-23T11:00:00Z")  # fmt: skip
    assert got["ok"]


def test_subtract_goes_backwards_over_closed_time() -> None:
    assert one(op="subtract", end="2026-11-23T10:00:00Z", seconds=7200, expect="2026-11-20T16:00:00Z")["ok"]


def test_wall_time_is_read_in_the_zone_in_brackets_and_else_in_the_calendars() -> None:
    assert one(op="due", start="2026-11-20T10:00:00[Europe/Rome]", seconds=60, expect="2026-11-20T09:01:00Z")["ok"]
    assert one(op="due", start="2026-11-20T10:00:00", seconds=60, expect="2026-11-20T10:01:00Z")["ok"]


def test_subtract_leaves_pauses_out_too() -> None:
    pauses = [["2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"], ["2026-11-20T10:30:00Z", "2026-11-20T12:00:00Z"]]
    back = {"op": "subtract", "end": "2026-11-20T13:00:00Z", "pauses": pauses}
    assert one(**back, seconds=5400, expect="2026-11-20T09:30:00Z")["ok"]
    assert one(**back, seconds=3600, expect="2026-11-20T12:00:00Z")["ok"], "the latest such instant"
    assert one(**back, seconds=0, expect="2026-11-20T13:00:00Z")["ok"]


def test_a_time_that_comes_twice_starts_as_the_first_and_is_expected_as_either() -> None:
    always = {"tz": "Europe/Rome", "always": True}
    for seconds in (60, 3660):
        got = one(op="due", calendar=always, start="2026-10-25T02:29:00[Europe/Rome]", seconds=seconds,
                  expect="2026-10-25T02:30:00[Europe/Rome]")  # fmt: skip
        assert got["ok"]
    assert one(op="due", calendar=always, start="2026-10-25T02:29:00[Europe/Rome]", seconds=60,
               expect="2026-10-25T00:30:00Z")["ok"]  # fmt: skip


@pytest.mark.parametrize(
    ("calendar", "opens"),
    [
        ({"holidays_of": {"country": "DE"}}, "2026-01-06T09:00:00Z"),
        ({"holidays_of": {"country": "DE", "subdivision": "BY"}}, "2026-01-07T09:00:00Z"),
        ({"holidays_of": {"country": "DE", "dates": []}}, "2026-01-06T09:00:00Z"),
        ({"holidays": ["01-06"]}, "2026-01-07T09:00:00Z"),
        ({"ical": {"text": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20200106\nRRULE:FREQ=YEARLY\nEND:VEVENT\n"
                           "END:VCALENDAR\n"}}, "2026-01-07T09:00:00Z"),
    ],
)  # fmt: skip
def test_holidays_are_looked_up_where_no_version_has_made_dates_of_them(calendar: dict[str, Any], opens: str) -> None:
    definition = {**OFFICE, **calendar}
    got = one(op="due", calendar=definition, start="2026-01-05T17:00:00Z", seconds=0, expect_breach=opens)
    assert got["ok"], got


def test_the_29th_of_february_is_a_yearly_holiday_of_leap_years() -> None:
    leap = {**OFFICE, "holidays": ["02-29"]}
    for year, seconds in ((2024, 0), (2025, 8 * 3600), (2028, 0)):
        day = f"{year}-02-29" if not year % 4 else f"{year}-02-28"
        got = one(op="elapsed", calendar=leap, start=f"{day}T00:00:00Z", end=f"{day}T23:00:00Z", expect=seconds)
        assert got["ok"], got


def test_a_wrong_answer_fails_and_a_wrong_vector_says_why() -> None:
    assert one(op="elapsed", start="2026-11-20T09:00:00Z", end="2026-11-20T10:00:00Z", expect=1)["ok"] is False
    assert "/op" in one(op="add", expect=1)["error"]
    assert "/seconds" in one(op="due", start="2026-11-20T09:00:00Z", seconds=-1, expect="x")["error"]
    assert "/start" in one(op="due", start="yesterday", seconds=1, expect="x")["error"]
    assert "/tz" in one(op="due", calendar={"tz": "Mars/Olympus"}, start="x", seconds=1, expect="x")["error"]
    for calendar, place in (
        ({"holidays_of": "IT"}, "/holidays_of: "),
        ({"holidays_of": {"country": "XX"}}, "/holidays_of/country: "),
        ({"holidays_of": {"country": "IT", "years": ["x"]}}, "/holidays_of/years/0: "),
        ({"ical": {"file": "it.ics"}}, "/ical/text: "),
        ({"ical": {"text": "<html>"}}, "/ical/text: is not an iCal file"),
        ({"ical": {"text": "BEGIN:VCALENDAR"}, "tz": "Mars/Olympus"}, "/tz: "),
    ):
        assert place in one(op="due", calendar=calendar, start="2026-11-20T09:00:00Z", seconds=1, expect="x")["error"]
    for pauses, place in (
        (5, "/pauses"),
        ("no", "/pauses"),
        ([1], "/pauses/0"),
        ([["2026-11-20T09:00:00Z", None]], "/0/1"),
    ):
        assert place in one(op="due", start="2026-11-20T09:00:00Z", seconds=1, pauses=pauses, expect="x")["error"]


PIECES: tuple[Any, ...] = (
    *(None, 1, -1, 1e300, float("nan"), True, 3600, 99_999_999_999, "x", [], {}, [1], [[1, 2]]),
    *("2026-11-20T09:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1899-01-01T00:00:00Z"),
    *("2026-11-20T09:00:00[Mars/Olympus]", "2026-11-20[Europe/Rome]", [["2026-11-20T09:00:00Z", None]]),
    [["2026-11-20T09:00:00Z", "2026-11-19T09:00:00Z"]],
)
CALENDARS: tuple[Any, ...] = (
    *(
        {},
        5,
        None,
        [],
        OFFICE,
        {"always": True},
        {"tz": 5},
        {"week": 5},
        {"week": {"mon": 5}},
        {"week": {"mon": [[5, 6]]}},
    ),
    *({"holidays": {"a": 1}}, {"holidays": [5, None]}, {"days": {"2026-01-01": 5}}, {"days": 5}, {"from": [1]}),
    *({"holidays_of": {"country": 5}}, {"holidays_of": {"country": "IT", "subdivision": 5}}, {"ical": 5}),
    *({"ical": {"dates": 5}}, {"holidays_of": {"dates": 5}}, {"holidays_of": {"dates": "abc"}}, {"always": "yes"}),
)
KEYS = (
    "start",
    "end",
    "seconds",
    "pauses",
    "warn_before",
    "then_escalate_after",
    "expect",
    "expect_breach",
    "expect_first",
)


@given(st.sampled_from(("due", "elapsed", "subtract", "add", None)), st.sampled_from(CALENDARS),
       st.dictionaries(st.sampled_from(KEYS), st.sampled_from(PIECES)))  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_whatever_a_vector_says_it_has_a_result(op: str | None, calendar: Any, rest: dict[str, Any]) -> None:
    said = {"start": "2026-11-20T09:00:00Z", "end": "2026-11-23T09:00:00Z", "seconds": 60, "expect": 0, **rest}
    got = one(op=op, calendar=calendar, **said)
    assert got["ok"] in (True, False)
    with pytest.raises(VectorError):
        evaluate({"vectors": "none"})


def test_the_command_prints_one_json_document_and_fails_when_a_vector_does(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good = {"id": "a", "op": "elapsed", "calendar": OFFICE, "start": "2026-11-20T09:00:00Z",
            "end": "2026-11-20T10:00:00Z", "expect": 3600}  # fmt: skip
    file = tmp_path / "vectors.json"
    file.write_text(json.dumps({"vectors": [good]}))
    assert run(["sla", "eval", str(file), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["passed"] == 1
    file.write_text(json.dumps({"vectors": [good, {**good, "id": "b", "expect": 1}]}))
    assert run(["sla", "eval", str(file), "--json"]) == 1
    capfd.readouterr()
    assert run(["sla", "eval", str(file)]) == 1
    assert "FAILED" in capfd.readouterr().out


def test_the_command_says_in_one_line_what_is_wrong_with_its_input(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "vectors.json"
    for text in ("{", '{"vectors": 3}', "[3]"):
        file.write_text(text)
        assert run(["sla", "eval", str(file)]) == 2
        assert capfd.readouterr().err.count("\n") == 1
    assert run(["sla", "eval", str(tmp_path / "absent.json")]) == 2
