"""`pointsman bench`: what is installed, and how samples are summed up."""

import pytest

from pointsman.cli.bench.command import summed_up
from pointsman.cli.main import run


def test_each_figure_has_its_smallest_middle_and_largest_sample() -> None:
    assert summed_up({"per_second": [3.0, 1.0, 2.0], "none": []}) == {
        "per_second": {"min": 1.0, "median": 2.0, "max": 3.0}
    }


def test_an_unknown_bench_names_those_that_are_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "nonsense"]) == 2
    assert "pipeline" in capsys.readouterr().err
