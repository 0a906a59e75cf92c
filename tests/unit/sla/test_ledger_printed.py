"""What `pointsman ledger` prints for people."""

from typing import Any

import pytest

from pointsman_sla.cli import print_ledger


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


def test_every_interval_is_a_line_however_narrow_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_ledger(a_clock(*DAY))
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "resolution, cycle 1: running. Policy standard, target 7200 s in calendar office of configuration 3.",
        "from business s calendar s sum sum why, in which calendar",
        "2025-12-24T23:00:00Z 3600 3600 3600 3600 counted, office v3",
        "2025-12-25T00:00:00Z 0 86400.000001 3600 90000.000001 holiday 2025-12-25 Christmas Day, office v3",
        "2025-12-26T00:00:00.000001Z",
        "The clock: 3600 business s, 90000.000001 calendar s, as the sums say.",
        "",
    ]


def test_a_sum_that_is_not_the_clocks_is_not_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    print_ledger(a_clock(*DAY, elapsed_business_seconds=3601.0))
    assert "NOT what the sums say" in capsys.readouterr().out
