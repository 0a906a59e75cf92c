"""What `pointsman ledger` prints for people."""

from typing import Any

import pytest

from pointsman_sla.cli.clocks import print_ledger


def an_interval(start: str, end: str, **changes: Any) -> dict[str, Any]:
    return {
        "start": start, "end": end, "counted": True, "reason": "counted", "date": None, "name": None,
        "calendar": "office", "config_version": 3, "business_seconds": 3600.0, "calendar_seconds": 3600.0,
        "business_sum_seconds": 3600.0, "calendar_sum_seconds": 3600.0, **changes,
    }  # fmt: skip


def a_clock(*intervals: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "metric": "resolution", "cycle": 1, "state": "running", "reason": None, "policy": "standard",
        "target_seconds": 7200, "calendar": "office", "config_version": 3, "elapsed_business_seconds": 3600.0,
        "elapsed_calendar_seconds": 90000.000001, "intervals": list(intervals), **changes,
    }  # fmt: skip


DAY = [
    an_interval("2025-12-24T23:00:00Z", "2025-12-25T00:00:00Z"),
    an_interval("2025-12-25T00:00:00Z", "2025-12-26T00:00:00.000001Z", reason="holiday", date="2025-12-25",
                name="Christmas Day", business_seconds=0.0, calendar_seconds=86400.000001,
                calendar_sum_seconds=90000.000001),
]  # fmt: skip


def printed(clock: dict[str, Any], columns: int, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_ledger(clock)
    lines: list[str] = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    return lines


def test_every_interval_is_a_line_with_exact_figures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(a_clock(*DAY), 140, monkeypatch, capsys)
    assert [" ".join(line.split()) for line in lines] == [
        "resolution, cycle 1: running. Policy standard, target 2 h in calendar office of configuration 3.",
        "from business s business sum why calendar s calendar sum calendar",
        "2025-12-24 23:00:00Z 3600 3600 counted 3600 3600 office v3",
        "2025-12-25 00:00:00Z 0 3600 holiday 2025-12-25 Christmas Day 86400.000001 90000.000001 office v3",
        "until 2025-12-26 00:00:00Z",
        "The clock: 3600 business s, 90000.000001 calendar s, as the sums say.",
        "",
    ]
    assert lines[1].startswith("from  ")
    assert lines[2].index("3600 ") > lines[1].index("business s"), "numbers are to the right"


def test_at_80_columns_no_line_is_wider_and_the_sum_that_counts_is_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines were as wide as they came, since it was no table."""
    lines = printed(a_clock(*DAY, policy="a-policy-with-a-long-name" * 2), 80, monkeypatch, capsys)
    (holiday,) = (line for line in lines if "holiday" in line)
    assert holiday.split()[:4] == ["2025-12-25", "00:00:00Z", "0", "3600"]


def test_a_sum_that_is_not_the_clocks_is_not_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    print_ledger(a_clock(*DAY, elapsed_business_seconds=3601.0))
    assert "NOT what the sums say" in capsys.readouterr().out
