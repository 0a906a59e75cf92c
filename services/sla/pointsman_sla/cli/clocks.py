"""`pointsman sla eval`, `ledger` and `due`: the arithmetic, the proof of a clock, and what breaches next."""

import csv as stdlib_csv
import json as stdlib_json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from pointsman.cli.errors import WrongInput
from pointsman.cli.output import print_json, print_table, say, say_lines
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask
from pointsman.cli.tables import Exact, duration, to_the_second
from pointsman_sla.calendar.evaluate import VectorError, evaluate

LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]


def eval_vectors(
    vectors: Annotated[Path, typer.Argument(help="JSON: {vectors: [{id, op, calendar, …, expect}]}.")],
    json: JsonOption = False,
) -> None:
    """Evaluates calendar vectors against what they expect; exit code 1 when one fails."""
    try:
        result = evaluate(stdlib_json.loads(vectors.read_bytes()))
    except OSError as error:
        raise WrongInput(f"{vectors}: {error.strerror}") from error
    except (stdlib_json.JSONDecodeError, UnicodeDecodeError) as error:
        raise WrongInput(f"{vectors}: not JSON: {error}") from error
    except VectorError as error:
        raise WrongInput(f"{vectors}{error}") from error
    if json:
        print_json(result)
    else:
        rows = (
            (row["id"], row["op"], row["got"], row.get("error") or row["expect"], "ok" if row["ok"] else "FAILED")
            for row in result["results"]
        )
        print_table(("vector", "op", "got", "expected", ""), rows, none="No vector.")
        say(f"{result['passed']} passed, {result['failed']} failed.")
    raise typer.Exit(1 if result["failed"] else 0)


LEDGER_COLUMNS = (
    "start",
    "end",
    "counted",
    "reason",
    "date",
    "name",
    "calendar",
    "config_version",
    "business_seconds",
    "calendar_seconds",
    "business_sum_seconds",
    "calendar_sum_seconds",
)

INTERVAL = ("from", "business s", "business sum", "why", "calendar s", "calendar sum", "calendar")
"""What people read of an interval: first what the promise is measured in."""


def ledger(
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="A ticket's id.")],
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print one line an interval, as CSV.")] = False,
) -> None:
    """Proves a ticket's clocks: every interval since each started, counted or not and why, with running sums."""
    if json and csv:
        raise WrongInput("--json and --csv: choose one")
    items = ask(profile, workspace, lambda session: session.pages(f"/sla/v1/tickets/{ticket}/ledger"))
    if json:
        print_json({"items": items})
    elif csv:
        writer = stdlib_csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("ticket_id", "clock_id", "metric", "cycle", "policy", *LEDGER_COLUMNS))
        for clock in items:
            head = [clock[name] for name in ("ticket_id", "clock_id", "metric", "cycle", "policy")]
            writer.writerows([*head, *map(exactly, line)] for line in _lines(clock))
    else:
        for clock in items:
            print_ledger(clock)
        if not items:
            say("No clock.")


def print_ledger(clock: dict[str, Any]) -> None:
    """A clock's ledger for people: what it is, its intervals, and the clock's own figures beside the last sums.

    Each interval lasts until the next begins, the last until the instant below it. Figures are exact; instants are told
    to the second, and what has no room is left out from the right: `--csv` and `--json` have all.
    """
    why = f" ({clock['reason']})" if clock["reason"] else ""
    say_lines(f"{clock['metric']}, cycle {clock['cycle']}: {clock['state']}{why}. Policy {clock['policy']}, target "
              f"{duration(clock['target_seconds'])} in calendar {clock['calendar']} of configuration "
              f"{clock['config_version']}.")  # fmt: skip
    if clock["intervals"]:
        print_table(INTERVAL, [_interval(line) for line in clock["intervals"]])
        typer.echo(f"until {to_the_second(clock['intervals'][-1]['end'])}")
    business, plain = clock["elapsed_business_seconds"], clock["elapsed_calendar_seconds"]
    last = clock["intervals"][-1] if clock["intervals"] else {}
    same = (last.get("business_sum_seconds", 0), last.get("calendar_sum_seconds", 0)) == (business, plain)
    verdict = "as the sums say" if same else "NOT what the sums say"
    say_lines(f"The clock: {exactly(business)} business s, {exactly(plain)} calendar s, {verdict}.")
    typer.echo("")


def _interval(line: dict[str, Any]) -> list[Any]:
    why = " ".join(str(line[name]) for name in ("reason", "date", "name") if line[name] is not None)
    business, plain, business_sum, plain_sum = (Exact(exactly(line[name])) for name in LEDGER_COLUMNS[8:])
    place = f"{line['calendar']} v{line['config_version']}"
    return [to_the_second(line["start"]), business, business_sum, why, plain, plain_sum, place]


def _lines(clock: dict[str, Any]) -> Iterable[list[Any]]:
    for line in clock["intervals"]:
        yield [line[name] for name in LEDGER_COLUMNS]


def exactly(value: Any) -> Any:
    """Seconds to the microsecond, without the zeros at the end; anything else as it is."""
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def due(
    before: Annotated[str | None, typer.Option(help="Only what breaches before this instant (RFC 3339).")] = None,
    queue: Annotated[str | None, typer.Option(help="Only this queue.")] = None,
    limit: LimitOption = 50,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Lists the clocks that breach next, and how likely each is to."""
    items = ask(
        profile, workspace, lambda session: session.pages("/sla/v1/due", limit=limit, before=before, queue=queue)
    )
    if json:
        print_json({"items": items})
        return
    columns = ("breach_at", "breach_probability", "ticket_id", "metric", "policy", "queue", "agent", "priority")
    print_table(columns, ([item.get(name) for name in columns] for item in items), none="Nothing is due.")
