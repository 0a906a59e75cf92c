"""Predictions on histories of the simulator that nothing was fitted on: other days, drawn by another seed."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman.cli.main import run
from pointsman_routing.replay.history import read_history
from pointsman_routing.simulation.command import RECORDED
from pointsman_routing.simulation.planning import read_scenario
from pointsman_routing.simulation.recording import NotRecordable, record
from pointsman_sla.predict import calibration, evaluation
from pointsman_sla.predict.history import HistoryRefused, read
from pointsman_sla.predict.report import measured

HOUR_US = 3_600_000_000


def a_history(path: Path, name: str, *, seed: int, hours: int = 10, number: int = 0) -> Path:
    plan = replace(read_scenario(RECORDED / f"{name}.yaml"), seed=seed, horizon_us=hours * HOUR_US)
    file = path / f"{name}-{number}.jsonl"
    record(plan, number, file)
    return file


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[evaluation.Sample]]:
    """Samples of days that the shipped map does not know."""
    path = tmp_path_factory.mktemp("histories")
    names = ("calm", "busy", "overload", "surges", "several-at-once")
    return {name: evaluation.samples_of(a_history(path, name, seed=4711)) for name in names}


@pytest.mark.long
def test_what_is_said_happens_as_often_as_it_is_said(days: Mapping[str, list[evaluation.Sample]]) -> None:
    """Within a tenth on any kind of day, and of what is said to be near certain nearly all."""
    for name, samples in days.items():
        said = evaluation.probabilities(samples, calibration.shipped())
        bands = evaluation.reliability(samples, said)
        assert evaluation.calibration_error(bands) < 0.1, name
    whole = [sample for samples in days.values() for sample in samples]
    bands = evaluation.reliability(whole, evaluation.probabilities(whole, calibration.shipped()))
    assert evaluation.calibration_error(bands) < 0.06
    assert bands[0].observed < 0.1
    assert bands[-1].observed > 0.85


@pytest.mark.long
def test_it_says_more_than_base_rates_do(days: Mapping[str, list[evaluation.Sample]]) -> None:
    """Even base rates of the very days that are predicted, by the share of the target that is gone."""
    result = measured(days, days, calibration.shipped())
    assert result.brier < 0.75 * result.base


@pytest.mark.long
def test_most_breaches_are_told_before(days: Mapping[str, list[evaluation.Sample]]) -> None:
    samples = days["overload"]
    told = evaluation.lead(samples, evaluation.probabilities(samples, calibration.shipped()))
    assert told.flagged > 0.95 * told.breached > 0
    assert told.lead_seconds is not None
    assert told.lead_seconds[1] > 300


@pytest.mark.long
def test_a_first_prediction_is_cold(days: Mapping[str, list[evaluation.Sample]]) -> None:
    samples = days["busy"]
    assert samples[0].cold
    assert not samples[-1].cold


def test_a_recorded_simulation_is_a_history_that_replays(tmp_path: Path) -> None:
    file = a_history(tmp_path, "calm", seed=1, hours=1)
    assert read_history(file).tickets
    book, records = read(file)
    assert book.policies
    assert records


def test_a_scenario_whose_priorities_have_other_names_on_the_desk_is_not_recorded(tmp_path: Path) -> None:
    plan = read_scenario(RECORDED.parent / "policies" / "balanced.yaml")
    with pytest.raises(NotRecordable, match="all four priorities"):
        record(plan, 0, tmp_path / "x.jsonl")


@pytest.mark.parametrize("text", ["", "{", '{"document": 1}\n', '{"history": 1}\n'])
def test_what_is_no_history_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text(text)
    with pytest.raises(HistoryRefused, match=r"broken\.jsonl: no recorded history"):
        read(file)


def test_the_command_fits_on_some_histories_and_measures_the_others(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for number in range(2):
        a_history(tmp_path, "busy", seed=3, hours=2, number=number)
    fitted, page = tmp_path / "map.json", tmp_path / "page.md"
    options = ["--fit", str(fitted), "--markdown", str(page), "--processes", "1", "--json"]
    assert run(["predict", str(tmp_path), *options]) == 0
    result: dict[str, Any] = orjson.loads(capfdbinary.readouterr().out)
    assert (result["histories"], set(result["leads"])) == (1, {"busy"})
    assert set(orjson.loads(fitted.read_bytes())) == {"waiting", "held"}
    assert page.read_text().startswith("# How likely a clock is to breach")


def test_the_command_refuses_what_it_cannot_measure(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{")
    for arguments in ([str(tmp_path / "none.jsonl")], [str(broken)], [str(broken), "--fit", str(tmp_path / "map")]):
        assert run(["predict", *arguments, "--processes", "1"]) == 2
