"""`pointsman report` and `pointsman export`."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from pointsman.cli.errors import WrongInput
from pointsman.cli.output import print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask, open_session, run
from pointsman.core.nearest import no_such
from pointsman_metrics.reports.kpis import DEFINITIONS

_ENDINGS = {".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}
_AGO = re.compile(r"(\d+)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

FromOption = Annotated[str | None, typer.Option("--from", help="An instant (RFC 3339), a date, or 7d, 12h, 30m ago.")]
ToOption = Annotated[str | None, typer.Option("--to", help="The same; exclusive.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: pointsman report first_response --from 7d --by day --slice queue")(report)
    app.command(epilog="Example: pointsman export tickets.csv --from 2026-11-01")(export)


def report(
    kpi: Annotated[str | None, typer.Argument(help="Which figure; without it those that there are.")] = None,
    from_: FromOption = None,
    to: ToOption = None,
    by: Annotated[str | None, typer.Option(help="minute, hour, day, week or month")] = None,
    slice: Annotated[str | None, typer.Option(help="Comma-separated: queue,agent,language,…")] = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Prints a KPI, with its definition and how it was computed; without one lists the KPIs."""
    if kpi not in DEFINITIONS:
        _list_kpis(kpi, json)
        return
    question = {"from": _instant(from_), "to": _instant(to), "by": by, "slice": slice}
    answer = ask(profile, workspace, lambda session: session.call("GET", f"/metrics/v1/reports/{kpi}", params=question))
    found: dict[str, Any] = answer.json()
    if json:
        print_json(found)
        return
    rows = found["rows"]
    flat = [{**row["slice"], **{name: value for name, value in row.items() if name != "slice"}} for row in rows]
    columns = list(flat[0]) if flat else []
    print_table(columns, ([row[name] for name in columns] for row in flat), none="No ticket in this interval.")
    say(found["definition"])
    say(f"Computed {found['method']}. Time zone: {found['zone']}.")


def _list_kpis(kpi: str | None, json: bool) -> None:
    """The KPIs with their definitions. Raises `WrongInput` when one was asked for that there is not."""
    if kpi is not None:
        raise WrongInput(no_such("report", kpi, DEFINITIONS))
    if json:
        named = [{"kpi": name, "definition": definition} for name, (definition, _) in DEFINITIONS.items()]
        print_json({"items": named})
        return
    print_table(("kpi", "definition"), ((name, definition) for name, (definition, _) in DEFINITIONS.items()))


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.{csv,ndjson}", help="Where to.")],
    from_: FromOption = None,
    to: ToOption = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
) -> None:
    """Writes one row per ticket to a file, by its ending."""
    kind = _ENDINGS.get(file.suffix.lower())
    if kind is None:
        raise WrongInput(f"{file}: the ending says the format: {', '.join(_ENDINGS)}")
    params = {name: value for name, value in (("from", _instant(from_)), ("to", _instant(to))) if value is not None}

    async def work() -> int:
        async with open_session(profile, workspace) as session:
            headers = {**session.headers, "Accept": kind}
            url = f"{session.url}/metrics/v1/exports/tickets"
            async with session.client.stream("GET", url, params=params, headers=headers) as answer:
                if not answer.is_success:
                    await answer.aread()
                    await session.call("GET", "/metrics/v1/exports/tickets", params=params, headers={"Accept": kind})
                return await _write(file, answer.aiter_bytes())

    lines = run(work())
    say(f"{lines - (kind == 'text/csv'):,} tickets in {file}.")


async def _write(file: Path, content: Any) -> int:
    """Writes the whole file or none; the number of lines."""
    partial = file.with_name(file.name + ".partial")
    lines = 0
    try:
        with partial.open("wb") as out:
            async for chunk in content:
                lines += chunk.count(b"\n")
                out.write(chunk)
        os.replace(partial, file)
    except OSError as error:
        raise WrongInput(f"{file} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    return lines


def _instant(text: str | None) -> str | None:
    """RFC 3339 of what a person wrote. Raises `WrongInput`."""
    if text is None:
        return None
    if ago := _AGO.fullmatch(text):
        at = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            raise WrongInput(f"{text!r} is no instant: {error}") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()
