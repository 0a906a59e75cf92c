"""`pointsman bench NAME`: measures one thing several times and prints its figures.

A bench is an entry point of the group `pointsman.benches`: an async function that takes a `Bench` and gives a list of
samples per figure, one a run.
"""

import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from pointsman.cli.bench.servers import Bench, BrokerKind
from pointsman.cli.errors import WrongInput
from pointsman.cli.output import print_json, print_table, say
from pointsman.cli.server import JsonOption, run

SEED = 7
RUNS = 3


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: pointsman bench pipeline --broker kafka --json")(bench)


def bench(
    name: Annotated[str, typer.Argument(help="intake, engine, pipeline, …: what is installed.")],
    broker: Annotated[str, typer.Option(help="tansu, or kafka (needs a JVM 17 and Maven).")] = "tansu",
    runs: Annotated[int, typer.Option(min=1, max=50, help="How often each figure is measured.")] = RUNS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same load.")] = SEED,
    json: JsonOption = False,
) -> None:
    """Measures on servers of its own (durable, in a temporary folder), with a warm-up, several times."""
    benches = {entry.name: entry for entry in entry_points(group="pointsman.benches")}
    if name not in benches:
        raise WrongInput(f"there is no bench {name!r}: {', '.join(sorted(benches))}")
    kind: BrokerKind
    if broker == "tansu":
        kind = "tansu"
    elif broker == "kafka":
        kind = "kafka"
    else:
        raise WrongInput(f"--broker {broker}: it is tansu or kafka")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    say(f"Measuring {name} on {broker}, {runs} times.")
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as folder:
        os.chmod(folder, 0o755)  # PostgreSQL's user, when we are root, must pass
        samples = run(benches[name].load()(Bench(kind, Path(folder), runs, seed)))
    figures = summed_up(samples)
    result = {
        "name": name,
        "broker": broker,
        "cores": os.cpu_count(),
        "commit": _commit(),
        "seed": seed,
        "figures": figures,
    }
    if json:
        print_json(result)
        return
    rows = [(figure, *values.values()) for figure, values in figures.items()]
    print_table(("figure", "min", "median", "max"), rows)


def summed_up(samples: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Of each figure the smallest, the middle and the largest sample."""
    return {
        name: {
            "min": round(min(values), 3),
            "median": round(statistics.median(values), 3),
            "max": round(max(values), 3),
        }
        for name, values in samples.items()
        if values
    }


def _commit() -> str | None:
    """The commit that is checked out here, with `+` when files differ from it; None outside a checkout."""
    try:
        head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changes = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")
