"""The command itself."""

import asyncio
import signal
import sys
from typing import Annotated, Any

import structlog
import typer

from pointsman.cli.chaos.run import NAMED, Options, run_chaos
from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.output import print_fields, print_json, say
from pointsman.cli.server import JsonOption
from pointsman.runtime.tasks import awaited


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: pointsman chaos --rounds 20 --seed 1 --json")(chaos)


def chaos(
    rounds: Annotated[int, typer.Option(min=0, max=10_000, help="How many rounds of faults.")] = 20,
    seed: Annotated[int, typer.Option(help="Chooses the faults and the load.")] = 1,
    broker: Annotated[str, typer.Option(help="tansu, or kafka (needs a JVM 17 and Maven).")] = "tansu",
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder with logs and data in any case.")] = False,
    json: JsonOption = False,
) -> None:
    """Kills and stops the processes of a stack of its own under load, and verifies that nothing is lost or doubled.

    Exit code 1 when something was violated.
    """
    if broker not in ("tansu", "kafka"):
        raise WrongInput(f"--broker {broker}: it is tansu or kafka")
    # Standard output is the report's.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    report = asyncio.run(_until_terminated(Options(rounds, seed, broker, keep=keep)))
    if json:
        print_json(report)
    else:
        print_fields({name: value for name, value in report.items() if name != "counter_examples"})
        for kind, examples in report["counter_examples"].items():
            for example in examples:
                print(f"{kind}: {example}")
    if not report["ok"]:
        violated = {**report["other_violations"], **{name: report[name] for name in NAMED if report[name]}}
        said = ", ".join(f"{count} {name}" for name, count in violated.items())
        raise CommandFailed(f"{rounds} rounds, {report['accepted']} messages accepted; violated: {said}")
    say(f"{rounds} rounds, {report['accepted']} messages accepted, {report['commands']} commands: nothing violated")


async def _until_terminated(options: Options) -> dict[str, Any]:
    """The run; SIGTERM and SIGHUP end it as Ctrl-C does, with everything cleaned up."""
    running = awaited(run_chaos(options, say))
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        raise CommandFailed("interrupted; everything that was started has ended") from None
