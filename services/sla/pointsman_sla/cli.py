"""The sla part of the `pointsman` command."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pointsman_sla.calendar.evaluate import VectorError, evaluate

sla = typer.Typer(no_args_is_help=True, help="SLA arithmetic: run files of worked cases.")


def register(app: typer.Typer) -> None:
    """Adds the commands of this service (entry point `pointsman.commands`)."""
    app.add_typer(sla, name="sla")


@sla.command("eval")
def eval_vectors(
    vectors: Annotated[
        Path, typer.Argument(help="A JSON file of vectors: {vectors: [{id, op, calendar, …, expect}]}.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Evaluate calendar vectors against their expectations.

    Example: pointsman sla eval vectors.json --json
    """
    try:
        result = evaluate(json.loads(vectors.read_bytes()))
    except OSError as error:
        usage_error(f"{vectors}: {error.strerror}")
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        usage_error(f"{vectors}: not JSON: {error}")
    except VectorError as error:
        usage_error(f"{vectors}{error}")
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        _show_vectors(result)
    raise typer.Exit(1 if result["failed"] else 0)


def usage_error(line: str) -> Any:
    """Ends the command for a wrong input: one line that says what and where."""
    typer.echo(line, err=True)
    raise typer.Exit(2)


def _show_vectors(result: dict[str, Any]) -> None:
    table = Table("vector", "op", "got", "expected", "")
    for row in result["results"]:
        expected = row.get("error") or str(row["expect"])
        table.add_row(str(row["id"]), str(row["op"]), str(row["got"]), expected, "ok" if row["ok"] else "FAILED")
    console = Console()
    console.print(table)
    console.print(f"{result['passed']} passed, {result['failed']} failed")
