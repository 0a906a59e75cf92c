"""`pointsman trace`: the path of a message, ticket or event through all services, with times."""

from typing import Annotated, Any

import typer

from pointsman.cli.config import SERVICES
from pointsman.cli.errors import CommandFailed
from pointsman.cli.output import print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask
from pointsman.client.session import ApiError, Session
from pointsman.core.instant import parse_rfc3339, seconds_between

STEPS_MAX = 1_000


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: pointsman trace msg_01k…")(trace)


def trace(
    id: Annotated[str, typer.Argument(metavar="ID", help="A message, a ticket, an event, or a command.")],
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Shows every record that the services made of it: what, by whom, when, and what caused it."""
    steps = ask(profile, workspace, lambda session: path_of(session, id))
    if not steps:
        raise CommandFailed(f"no service has a record of {id}")
    if json:
        print_json({"id": id, "steps": steps})
        return
    told = ("service", "types", "subject", "cause")
    rows = [(step["after_ms"] / 1000, step["took_ms"] / 1000, *(step[name] for name in told)) for step in steps]
    say(f"From {steps[0]['at']} on:")
    print_table(("after_seconds", "took_seconds", "service", "facts", "subject", "cause"), rows)


async def path_of(session: Session, id: str) -> list[dict[str, Any]]:
    """The records about `id`: those with it as subject, id or cause, and what they caused in turn, in order of time."""
    subject = await _ticket_of_message(session, id) if id.startswith("msg_") else id
    found: dict[str, dict[str, Any]] = {}
    asked: set[tuple[str, str]] = set()
    waiting: list[tuple[str, str]] = [("subject", subject), ("cause", subject), ("id", subject)]
    while waiting and len(found) < STEPS_MAX:
        name, value = waiting.pop(0)
        if (name, value) in asked:
            continue
        asked.add((name, value))
        for service in SERVICES:
            for record in await session.pages(f"/{service}/v1/facts", limit=STEPS_MAX, **{name: value}):
                if record["id"] not in found:
                    found[record["id"]] = {"service": service, **record}
                    if name == "id":
                        waiting.append(("subject", record["subject"]))
    steps = sorted(found.values(), key=lambda step: (step["at"], SERVICES.index(step["service"]), step["number"]))
    first = parse_rfc3339(steps[0]["at"]) if steps else None
    for step in steps:
        assert first is not None
        step["after_ms"] = round(seconds_between(first, parse_rfc3339(step["at"])) * 1000, 3)
    before_ms = 0.0
    for step in steps:
        step["took_ms"], before_ms = round(step["after_ms"] - before_ms, 3), step["after_ms"]
    return steps


async def _ticket_of_message(session: Session, id: str) -> str:
    """Records are about tickets; which one the message is on, intake knows."""
    try:
        ticket: str = (await session.get(f"/intake/v1/messages/{id}"))["ticket_id"]
    except ApiError as error:
        if error.status == 404:
            raise CommandFailed(f"there is no message {id}") from error
        raise
    return ticket
