"""`pointsman dlq`: records that could not be read or decided, in every service."""

from typing import Annotated, Any

import typer

from pointsman.cli.config import SERVICES
from pointsman.cli.errors import CommandFailed
from pointsman.cli.output import print_fields, print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask, open_session, run
from pointsman.client.session import ApiError, Session

IdArgument = Annotated[str, typer.Argument(help="As `dlq list` shows it.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    dlq = typer.Typer(help="Dead letters: records that could not be read or decided.", no_args_is_help=True)
    dlq.command("list", epilog="Example: pointsman dlq list")(list_letters)
    dlq.command("show", epilog="Example: pointsman dlq show dlq_01k…")(show)
    dlq.command("replay", epilog="Example: pointsman dlq replay dlq_01k…")(replay)
    dlq.command("discard", epilog="Example: pointsman dlq discard dlq_01k…")(discard)
    app.add_typer(dlq, name="dlq")


async def dead_letters(session: Session, state: str = "open") -> list[dict[str, Any]]:
    """Every service's dead letters, with `service`."""
    found = []
    for service in SERVICES:
        for item in await session.pages(f"/{service}/v1/dead-letters", state=state):
            found.append({"service": service, **item})
    return found


async def _one(session: Session, id: str) -> dict[str, Any]:
    for item in await dead_letters(session):
        if item["id"] == id:
            return item
    raise CommandFailed(f"no service has an open dead letter {id}")


def list_letters(
    state: Annotated[str, typer.Option(help="open, replayed, discarded")] = "open",
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Lists dead letters."""
    items = ask(profile, workspace, lambda session: dead_letters(session, state))
    if json:
        print_json({"items": items})
        return
    columns = ("id", "service", "topic", "workspace", "at", "reason", "detail")
    print_table(columns, ([item.get(name) for name in columns] for item in items), none="No dead letter.")


def show(
    id: IdArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Shows one, with the record as it came."""
    found = ask(profile, workspace, lambda session: _one(session, id))
    if json:
        print_json(found)
    else:
        print_fields(found)


def replay(id: IdArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None) -> None:
    """Feeds it into its lane again."""

    async def work() -> None:
        async with open_session(profile, workspace) as session:
            letter = await _one(session, id)
            try:
                await session.post(f"/{letter['service']}/v1/dead-letters/{id}/replay")
            except ApiError as error:
                raise CommandFailed(f"{id} failed again: {error.problem.get('detail')}") from error

    run(work())
    say(f"{id} was read again.")


def discard(id: IdArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None) -> None:
    """Closes it without reading it again; the row stays for the record."""

    async def work() -> None:
        async with open_session(profile, workspace) as session:
            letter = await _one(session, id)
            await session.call("DELETE", f"/{letter['service']}/v1/dead-letters/{id}")

    run(work())
    say(f"{id} is discarded.")
