"""`pointsman simulate`: a scenario's file in, its figures out."""

from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.output import print_fields, print_json, print_table, say
from pointsman.contracts.document import DocumentErrors
from pointsman_routing.simulation import comparison, recording
from pointsman_routing.simulation.planning import read_scenario
from pointsman_routing.simulation.recording import NotRecordable
from pointsman_routing.simulation.replication import RefusedBySimulatedDesk
from pointsman_routing.simulation.run import in_processes
from pointsman_routing.simulation.run import simulate as play

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ProcessesOption = Annotated[
    int | None, typer.Option("--processes", min=1, max=256, help="In how many processes; else one a core.")
]

RECORDED = Path(__file__).parent / "recorded"


def simulate(
    scenario: Annotated[
        Path | None, typer.Argument(help="A scenario, as docs/simulation.md describes it.", show_default=False)
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Under several policies; without SCENARIO the shipped comparison.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="With --compare: write the page there.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="DIR", help="Write each replication there as a history.")
    ] = None,
    processes: ProcessesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play a scenario on the production desk, on a virtual clock: waits, abandonment, blocking, load.

    Times are in the scenario's unit. Exit code 1 when a check of the desk failed.
    """
    if markdown is not None and not compare:
        raise WrongInput("--markdown goes with --compare")
    if compare:
        _compare(scenario, markdown, processes, as_json)
        return
    if record is not None:
        _record(scenario, record, processes)
        return
    if scenario is None:
        raise WrongInput("name a scenario, or say --compare or --record")
    plan = _read(scenario, read_scenario)
    result = with_progress(plan.replications, lambda done: play(plan, processes=processes, done=done))
    if as_json:
        print_json(result)
    else:
        _print(result)
    if not all(result["checks"].values()):
        raise CommandFailed("; ".join(result["counter_examples"][:1]))


def _record(scenario: Path | None, directory: Path, processes: int | None) -> None:
    """Histories of a scenario, or of the shipped ones that predictions are measured by."""
    paths = sorted(RECORDED.glob("*.yaml")) if scenario is None else [scenario]
    plans = {path.stem: _read(path, read_scenario) for path in paths}
    directory.mkdir(parents=True, exist_ok=True)
    tasks = [
        (plan, number, directory / f"{name}-{number:02}.jsonl")
        for name, plan in plans.items()
        for number in range(plan.replications)
    ]
    try:
        events = sum(in_processes(recording.record, tasks, processes, lambda: None))
    except (NotRecordable, RefusedBySimulatedDesk) as error:
        raise CommandFailed(str(error)) from error
    say(f"{directory}: {len(tasks)} histories, {events} events.")


def with_progress(steps: int, work: Callable[[Callable[[], None]], dict[str, Any]]) -> dict[str, Any]:
    """What the work gives, which is handed what to call after each of its steps; a bar on a terminal shows how far."""
    console = Console(stderr=True)
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("replications", total=steps)
            return work(lambda: bar.advance(task))
    except RefusedBySimulatedDesk as error:
        raise CommandFailed(str(error)) from error


def _compare(scenario: Path | None, markdown: Path | None, processes: int | None, as_json: bool) -> None:
    paths = [comparison.SHIPPED / f"{name}.yaml" for name in comparison.SCENARIOS] if scenario is None else [scenario]
    plans = {path.stem: _read(path, comparison.read_in_every_way) for path in paths}
    steps = sum(plan.replications for by_way in plans.values() for plan in by_way.values())
    result = with_progress(steps, lambda done: comparison.compared(plans, processes, done))
    comments = {path.stem: _comment(path) for path in paths}
    if markdown is not None:
        markdown.write_text(comparison.page(result, plans, comments), "utf-8")
    if as_json:
        print_json(result)
    elif markdown is None:
        for name, by_way in result.items():
            rows = [
                (way, *(_interval(figures[figure]["mean"], figures[figure]["ci95"]) for figure in comparison.FIGURES))
                for way, figures in by_way.items()
            ]
            print_table((name, *comparison.FIGURES.values()), rows)
    broken = [said for by_way in result.values() for figures in by_way.values() for said in figures["counter_examples"]]
    if broken:
        raise CommandFailed(broken[0])


def _comment(path: Path) -> str:
    """What a scenario says of itself, in its first lines."""
    lines = path.read_text("utf-8").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines))


T = TypeVar("T")


def _read(scenario: Path, read: Callable[[Path], T]) -> T:
    try:
        return read(scenario)
    except DocumentErrors as error:
        raise WrongInput(f"{scenario}: {error}") from error
    except OSError as error:
        raise WrongInput(f"{scenario}: {error.strerror}") from error


def _print(result: dict[str, Any]) -> None:
    columns = ("class", "arrived", "served", "mean wait", "p95", "P(wait)", "P(abandon)", "blocking", "breached")
    rows = [
        (
            name,
            one["arrived"],
            one["served"],
            _measured(one, "mean_wait"),
            _figure(one["wait_p95"]),
            _measured(one, "p_wait"),
            _measured(one, "p_abandon"),
            _measured(one, "blocking"),
            one["breached"],
        )
        for name, one in result["classes"].items()
    ]
    print_table(columns, rows)
    print_fields(
        {
            "utilisation": _measured(result, "utilisation"),
            "waiting": _measured(result, "mean_waiting"),
            "checks": {check: "holds" if held else "BROKEN" for check, held in result["checks"].items()},
            "decisions": result["decisions"],
            "seconds": result["seconds"],
        }
    )


def _measured(figures: dict[str, Any], name: str) -> str:
    return _interval(figures[name], figures[f"{name}_ci95"])


def _interval(mean: float | None, ci: list[float] | None) -> str:
    return _figure(mean) + (f" [{_figure(ci[0])}, {_figure(ci[1])}]" if ci else "")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
