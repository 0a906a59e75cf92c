"""`pointsman simulate`: a scenario's file in, its figures out."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.output import print_fields, print_json, print_table
from pointsman.contracts.document import DocumentErrors
from pointsman_routing.simulation.floor import RefusedBySimulatedDesk
from pointsman_routing.simulation.plan import Plan
from pointsman_routing.simulation.planning import read_scenario
from pointsman_routing.simulation.run import simulate as play

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ProcessesOption = Annotated[
    int | None, typer.Option("--processes", min=1, max=256, help="In how many processes; else one a core.")
]


def simulate(
    scenario: Annotated[Path, typer.Argument(help="A scenario, as docs/simulation.md describes it.")],
    processes: ProcessesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play a scenario on the production desk, on a virtual clock: waits, abandonment, blocking, load.

    Times are in the scenario's unit. Exit code 1 when a check of the desk failed.
    """
    result = with_progress(_plan(scenario), processes)
    if as_json:
        print_json(result)
    else:
        _print(result)
    if not all(result["checks"].values()):
        raise CommandFailed("; ".join(result["counter_examples"][:1]))


def with_progress(plan: Plan, processes: int | None) -> dict[str, Any]:
    """The result; a bar on a terminal shows how far it is."""
    console = Console(stderr=True)
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("replications", total=plan.replications)
            return play(plan, processes=processes, done=lambda: bar.advance(task))
    except RefusedBySimulatedDesk as error:
        raise CommandFailed(str(error)) from error


def _plan(scenario: Path) -> Plan:
    try:
        return read_scenario(scenario)
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
    ci = figures[f"{name}_ci95"]
    return _figure(figures[name]) + (f" [{_figure(ci[0])}, {_figure(ci[1])}]" if ci else "")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
