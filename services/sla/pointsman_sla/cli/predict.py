"""`pointsman predict`: how far predictions can be believed, measured on recorded histories."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import orjson
import typer

from pointsman.cli.errors import WrongInput
from pointsman.cli.output import print_fields, print_json, print_table, say
from pointsman_sla.predict import calibration, evaluation
from pointsman_sla.predict.calibration import Map
from pointsman_sla.predict.history import HistoryRefused
from pointsman_sla.predict.report import Measured, measured, page

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def predict(
    histories: Annotated[list[Path], typer.Argument(metavar="HISTORY...", help="Recorded histories, or directories.")],
    fit: Annotated[
        Path | None,
        typer.Option(
            "--fit", metavar="FILE", help="Fit on every other history, write the map there, measure the rest."
        ),
    ] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Write the page there.")] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, max=256, help="In how many processes.")] = None,
    as_json: JsonOption = False,
) -> None:
    """How far `breach_probability` can be believed: reliability, Brier score, how long before the breach it is told.

    Histories are written by `pointsman replay --record` (of a server) and `pointsman simulate --record` (of scenarios).
    """
    files = list(_files(histories))
    if not files or (fit is not None and len(files) < 2):
        raise WrongInput("name a recorded history" if not files else "--fit needs two histories or more")
    try:
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            samples = dict(zip([file.stem for file in files], pool.map(evaluation.samples_of, files), strict=True))
    except HistoryRefused as error:
        raise WrongInput(str(error)) from error
    except OSError as error:
        raise WrongInput(f"{error.filename}: {error.strerror}") from error
    maps: Mapping[str, Map] = calibration.shipped()
    train, test = samples, samples
    if fit is not None:
        train, test = dict(list(samples.items())[::2]), dict(list(samples.items())[1::2])
        maps = evaluation.fit(sample for some in train.values() for sample in some)
        fit.write_bytes(orjson.dumps(maps, option=orjson.OPT_INDENT_2) + b"\n")
    if not any(test.values()):
        raise WrongInput("no clock met or breached in these histories")
    result = measured(test, train, maps)
    if markdown is not None:
        markdown.write_text(page(result), "utf-8")
    if as_json:
        print_json(result.plain())
    elif markdown is None:
        _print(result)


def _files(given: list[Path]) -> Iterator[Path]:
    for path in given:
        yield from sorted(path.glob("*.jsonl")) if path.is_dir() else [path]


def _print(result: Measured) -> None:
    rows = [
        (f"{band.low:.1f}", band.predictions, f"{band.predicted:.3f}", f"{band.observed:.3f}") for band in result.bands
    ]
    print_table(("from", "predictions", "predicted", "breached"), rows, none="No clock met or breached.")
    for name, lead in result.leads.items():
        say(f"{name}: {lead.flagged} of {lead.breached} breaches were told before, {lead.false_alarms} in vain.")
    print_fields({"brier": result.brier, "brier_of_base_rates": result.base, "calibration_error": result.error})
