"""`pointsman replay`: what would have happened under another document; and the recording that it takes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from pointsman.cli.document_file import read_document_file, refuse
from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.output import print_fields, print_json, print_table, say
from pointsman.cli.server import ProfileOption, WorkspaceOption, ask
from pointsman.client.session import Session
from pointsman.contracts.document import Document, DocumentErrors, read_document
from pointsman.contracts.document.expansion import expanded
from pointsman_routing.replay.comparing import MEANS, compare
from pointsman_routing.replay.history import READ, VERSION, HistoryRefused, read_history
from pointsman_routing.simulation.command import JsonOption, ProcessesOption
from pointsman_routing.simulation.replication import RefusedBySimulatedDesk

PAGE = 200
SHOWN_MAX = 20
COUNTS = frozenset({"served", "abandoned", "waiting", "breached"})


def replay(
    history: Annotated[Path, typer.Argument(metavar="HISTORY", help="A recorded history (JSON lines).")],
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE.yaml", help="The workspace document to try.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Write HISTORY from the server's events instead.")] = False,
    replications: Annotated[int, typer.Option(min=1, max=1_000, help="Runs, where something has to be drawn.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")] = 7,
    processes: ProcessesOption = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """What would have happened under another document or staffing: a recorded history, played again on the desk."""
    if record == (config is not None):
        raise WrongInput("say either --config FILE.yaml, to play the history again, or --record, to write it")
    if config is None:
        events = ask(profile, workspace, lambda session: _record(session, history))
        say(f"{history}: {events} events.")
        return
    try:
        recorded = read_history(history)
        document = _document(config, recorded.start.year)
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("replications", total=2 * replications)
            result = compare(
                recorded,
                document,
                replications=replications,
                seed=seed,
                processes=processes,
                done=lambda: bar.advance(task),
            )
    except HistoryRefused as error:
        raise WrongInput(str(error)) from error
    except OSError as error:
        raise WrongInput(f"{history}: {error.strerror}") from error
    except RefusedBySimulatedDesk as error:
        raise CommandFailed(str(error)) from error
    if as_json:
        print_json(result)
    else:
        _print(result)
    if not all(result["checks"].values()):
        raise CommandFailed("; ".join(result["counter_examples"][:1]))


def _document(path: Path, year: int) -> Document:
    """The document with its holidays as they were in the year of the history."""
    given = read_document_file(path)
    try:
        return read_document(expanded(given.written, read_document(given.written), year))
    except DocumentErrors as errors:
        refuse(path, errors)


async def _record(session: Session, path: Path) -> int:
    """Writes what the server keeps of the workspace's events, and the document that holds: how many events."""
    document = await session.get("/routing/v1/config")
    presence = await _presence_throughout(session)
    count = 0
    with path.open("wb") as file:
        header = {"history": VERSION, "workspace": document["workspace"], "document": document, "presence": presence}
        file.write(orjson.dumps(header) + b"\n")
        async for event in _events(session, sorted(READ)):
            file.write(orjson.dumps(event) + b"\n")
            count += 1
    return count


async def _events(session: Session, types: list[str]) -> AsyncIterator[dict[str, Any]]:
    cursor = None
    while True:
        page = await session.get("/routing/v1/events", after=cursor, type=types, limit=PAGE)
        for event in page["items"]:
            yield event
        cursor = page["cursor"]
        if not page["items"]:
            return


async def _presence_throughout(session: Session) -> dict[str, str]:
    """Agent → state, of those of whom no event tells: they have been all the time what they are now."""
    told = {event["data"]["agent"] async for event in _events(session, ["agent.presence_changed"])}
    found: dict[str, str] = {}
    cursor = None
    while True:
        page = await session.get("/routing/v1/agents", limit=PAGE, cursor=cursor)
        found |= {each["agent"]: each["state"] for each in page["items"] if each["agent"] not in told}
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def _print(result: dict[str, Any]) -> None:
    rows = [
        (
            name,
            _figure(name, result["recorded"][name]),
            _figure(name, result["same"][name]),
            _figure(name, result["other"][name]),
            _with_interval(name, result["difference"]),
        )
        for name in MEANS
    ]
    print_table(("", "recorded", "same again", "other", "difference"), rows)
    agents = sorted(result["same"]["agents"].keys() | result["other"]["agents"].keys())
    loads = [
        (slug, *(_load(result[column]["agents"].get(slug)) for column in ("recorded", "same", "other")))
        for slug in agents
    ]
    print_table(("load of", "recorded", "same again", "other"), loads)
    changed = [
        (each["ticket"], _fate(each["same"]), _fate(each["other"]), f"{each['in']:.0%}")
        for each in result["changed"][:SHOWN_MAX]
    ]
    print_table(("changed ticket", "same again", "other", "in runs"), changed, none="No ticket's fate changed.")
    print_fields(
        {
            "tickets": result["tickets"],
            "changed": result["changed_count"],
            "reproduced": {name: _percent(share) for name, share in result["reproduced"].items()},
            "checks": {check: "holds" if held else "BROKEN" for check, held in result["checks"].items()},
        }
    )


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if name in COUNTS else f"{value:,.4g}"


def _with_interval(name: str, figures: dict[str, Any]) -> str:
    ci = figures[f"{name}_ci95"]
    text = _figure(name, figures[name])
    return text if ci is None or ci[0] == ci[1] else f"{text} [{ci[0]:.4g}, {ci[1]:.4g}]"


def _load(agent: dict[str, float] | None) -> str:
    return "–" if agent is None else f"{agent['load']:.2f} ({agent['tickets']:.0f} tickets)"


def _fate(of: dict[str, Any]) -> str:
    late = ", late" if of["breached"] > 0.5 else ""
    return f"{of['agent'] or of['fate']} after {of['wait_seconds']:.0f} s{late}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
