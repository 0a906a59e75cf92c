"""`bench calendar` without the libraries that it compares with: our figures, and what is not there."""

from pathlib import Path

import pytest

from pointsman.cli.bench.servers import Bench
from pointsman_sla import bench_calendar
from pointsman_sla.bench_calendar import calendar


async def test_a_library_that_is_not_installed_is_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    absent = {name: ("no_such_module", ask) for name, (_, ask) in bench_calendar.LIBRARIES.items()}
    monkeypatch.setattr(bench_calendar, "LIBRARIES", absent)
    monkeypatch.setattr(bench_calendar, "QUESTIONS", 50)
    samples = await calendar(Bench("tansu", tmp_path, 2, 7))
    assert {name: len(values) for name, values in samples.items()} == dict.fromkeys(
        ("due_us", "elapsed_us", "elapsed_ten_years_us"), 2
    )
    said = capfd.readouterr().err
    assert [line.split(" is not")[0] for line in said.splitlines()] == list(absent)
    assert "make bench-libraries" in said
