"""`pointsman tickets`, `ticket`, `explain`: what there is, one of them whole, and why it is where it is."""

from typing import Annotated, Any

import typer

from pointsman.cli.output import print_fields, print_json, print_table
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask
from pointsman.client.session import Session

TicketArgument = Annotated[str, typer.Argument(metavar="TICKET", help="A ticket's id.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: pointsman tickets --state queued --queue billing")(tickets)
    app.command(epilog="Example: pointsman ticket tkt_01k…")(ticket)
    app.command(epilog="Example: pointsman explain tkt_01k… --agent anna")(explain)


def tickets(
    state: Annotated[str | None, typer.Option(help="queued, offered, assigned, pending, …")] = None,
    queue: Annotated[str | None, typer.Option(help="A queue's slug.")] = None,
    agent: Annotated[str | None, typer.Option(help="An agent's slug.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Lists tickets."""
    items = ask(
        profile,
        workspace,
        lambda session: session.pages("/routing/v1/tickets", limit=limit, state=state, queue=queue, agent=agent),
    )
    if json:
        print_json({"items": items})
        return
    columns = ("id", "state", "channel", "queue", "priority", "category", "language", "agent", "opened_at")
    print_table(columns, ([item.get(name) for name in columns] for item in items), none="No ticket.")


def ticket(
    ticket_id: TicketArgument,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Shows a ticket with its messages, timeline and clocks."""
    found = ask(profile, workspace, lambda session: whole_ticket(session, ticket_id))
    if json:
        print_json(found)
        return
    print_fields(found["ticket"])
    print()
    messages = [
        (m["occurred_at"], m["direction"], f"{m['author']['kind']} {m['author']['id']}", m["text"][:200])
        for m in found["messages"]
    ]
    print_table(("when", "way", "who", "text"), messages, none="No message.")
    print()
    columns = ("metric", "cycle", "state", "target_seconds", "due_at", "policy")
    print_table(columns, ([clock.get(name) for name in columns] for clock in found["clocks"]), none="No clock.")
    print()
    print_table(("when", "what"), ((e.get("at"), e.get("types") or e.get("type")) for e in found["timeline"]))


async def whole_ticket(session: Session, ticket_id: str) -> dict[str, Any]:
    """The ticket, its messages, timeline and clocks."""
    base = f"/routing/v1/tickets/{ticket_id}"
    clocks = await session.get(f"/sla/v1/tickets/{ticket_id}/clocks")
    return {
        "ticket": await session.get(base),
        "messages": await session.pages(f"{base}/messages"),
        "timeline": await session.pages(f"{base}/timeline"),
        "clocks": clocks["items"] if isinstance(clocks, dict) else clocks,
    }


def explain(
    ticket_id: TicketArgument,
    agent: Annotated[str | None, typer.Option(help="Why (not) this agent.")] = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Says why a ticket is where it is, why not another agent, and what would free it."""
    found: dict[str, Any] = ask(
        profile, workspace, lambda session: session.get(f"/routing/v1/tickets/{ticket_id}/explain", agent=agent)
    )
    if json:
        print_json(found)
        return
    typer.echo(found["sentence"])
    for change in found["frees"][1:]:
        typer.echo(f"Or: {change['sentence']}")
    decided = found["decided"]
    if decided is not None:
        typer.echo(f"{decided['agent']} got it at {decided['at']}: {decided['sentence']}.")
    if agent is not None:
        typer.echo(f"{agent} at {found['agent']['at']}: {found['agent']['sentence']}")
