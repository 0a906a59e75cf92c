"""`pointsman queues` and `pointsman agents`: how the floor stands, and what a supervisor does with it."""

from typing import Annotated, Any

import typer

from pointsman.cli.errors import WrongInput
from pointsman.cli.output import print_fields, print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask

QUEUE_COLUMNS = ("queue", "state", "waiting", "oldest_waiting_since", "eligible_now", "offered", "held", "until")
AGENT_COLUMNS = ("agent", "state", "load", "capacity", "occupancy", "state_since", "in_hand", "set_by", "reason")

QueueArgument = Annotated[str, typer.Argument(metavar="QUEUE", help="A queue's slug.")]
AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help="An agent's slug.")]
Reason = Annotated[str, typer.Option(help="Why; kept with what is done.")]
PerhapsReason = Annotated[str | None, typer.Option(help="Why; kept with what is done.")]
Until = Annotated[str | None, typer.Option(help="Until when, RFC 3339; without it until it is taken back.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    queues = typer.Typer(help="Queues: how they stand; close and open them.")
    queues.callback(invoke_without_command=True)(list_queues)
    queues.command("list", epilog="Example: pointsman queues list -w acme")(queues_list)
    queues.command("show", epilog="Example: pointsman queues show billing -w acme")(queue_show)
    queues.command("close", epilog="Example: pointsman queues close billing --reason 'power cut'")(queue_close)
    queues.command("open", epilog="Example: pointsman queues open billing")(queue_open)
    app.add_typer(queues, name="queues")
    agents = typer.Typer(help="Agents: who is there with what in hand; presence, assigning, requeueing.")
    agents.callback(invoke_without_command=True)(list_agents)
    agents.command("list", epilog="Example: pointsman agents list -w acme")(agents_list)
    agents.command("show", epilog="Example: pointsman agents show anna -w acme")(agent_show)
    agents.command("presence", epilog="Example: pointsman agents presence anna away --reason training")(presence)
    agents.command("assign", epilog="Example: pointsman agents assign anna tkt_01k… --reason 'knows the case'")(assign)
    agents.command("requeue", epilog="Example: pointsman agents requeue anna --reason 'went home'")(requeue)
    app.add_typer(agents, name="agents")


def list_queues(
    context: typer.Context, workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Queues: how they stand; close and open them. Without a command, the list."""
    if context.invoked_subcommand is None:
        queues_list(workspace, profile, json)


def list_agents(
    context: typer.Context, workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Agents: who is there with what in hand; presence, assigning, requeueing. Without a command, the list."""
    if context.invoked_subcommand is None:
        agents_list(workspace, profile, json)


def queues_list(workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False) -> None:
    """Lists the queues: open or closed, how many wait and since when, and how many agents may take one now."""
    items = ask(profile, workspace, lambda session: session.get("/routing/v1/queues"))["items"]
    _listed(items, QUEUE_COLUMNS, json, "No queue.")


def agents_list(workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False) -> None:
    """Lists the agents: presence, load and capacity in units."""
    items = ask(profile, workspace, lambda session: session.pages("/routing/v1/agents"))
    _listed(items, AGENT_COLUMNS, json, "No agent.")


def _listed(items: list[Any], columns: tuple[str, ...], json: bool, none: str) -> None:
    if json:
        print_json({"items": items})
    else:
        print_table(columns, ([item.get(name) for name in columns] for item in items), none=none)


def queue_show(
    queue: QueueArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Shows one queue."""
    found = ask(profile, workspace, lambda session: session.get(f"/routing/v1/queues/{queue}"))
    print_json(found) if json else print_fields(found)


def queue_close(
    queue: QueueArgument,
    reason: Reason,
    until: Until = None,
    then: Annotated[str | None, typer.Option(help="hold, resolve or a queue's slug, instead of its own rule.")] = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Closes a queue, until an instant or until it is opened. Offers and assignments stand."""
    rule = then if then in (None, "hold", "resolve") else {"to": then}
    body = {"reason": reason, "until": until, "then": rule}
    found = ask(profile, workspace, lambda session: session.post(f"/routing/v1/queues/{queue}/close", body))
    print_json(found) if json else say(f"{queue} is {found['state']}{_until(found)}.")


def queue_open(
    queue: QueueArgument,
    reason: PerhapsReason = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Opens a queue that was closed; outside its hours it is open until they begin."""
    path, body = f"/routing/v1/queues/{queue}/open", {"reason": reason}
    found = ask(profile, workspace, lambda session: session.post(path, body))
    print_json(found) if json else say(f"{queue} is {found['state']}{_until(found)}.")


def _until(found: dict[str, Any]) -> str:
    return f" until {found['until']}" if found.get("until") else ""


def agent_show(
    agent: AgentArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Shows one agent."""
    found = ask(profile, workspace, lambda session: session.get(f"/routing/v1/agents/{agent}"))
    print_json(found) if json else print_fields(found)


def presence(
    agent: AgentArgument,
    state: Annotated[str, typer.Argument(help="available, away or offline")],
    reason: PerhapsReason = None,
    until: Until = None,
    hold: Annotated[bool, typer.Option("--hold", help="The agent cannot change it until it ends.")] = False,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Sets an agent's presence; with --hold it stands until `--until`, or until it is set without."""
    if state not in ("available", "away", "offline"):
        raise WrongInput(f"{state!r} is no state: available, away, offline")
    body = {"state": state, "reason": reason, "until": until, "hold": hold}
    path = f"/routing/v1/agents/{agent}/presence"
    found = ask(profile, workspace, lambda session: session.call("PUT", path, json=body)).json()
    print_json(found) if json else say(f"{agent} is {found['state']}, set by {found['set_by']}.")


def assign(
    agent: AgentArgument,
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="A ticket's id.")],
    reason: Reason,
    override: Annotated[bool, typer.Option("--override", help="Above the capacity too; it is recorded.")] = False,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Gives a ticket to an agent, present or not, whatever their queues and skills."""
    body = {"agent": agent, "reason": reason, "override": override}
    found = ask(profile, workspace, lambda session: session.post(f"/routing/v1/tickets/{ticket}/assign", body))
    print_json(found) if json else say(f"{ticket} is {found['state']}, with {found['agent']}.")


def requeue(
    agent: AgentArgument,
    reason: Reason,
    ticket: Annotated[list[str] | None, typer.Option(help="Only this ticket. Repeatable.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only tickets of this channel. Repeatable.")] = None,
    to: Annotated[str | None, typer.Option(help="Into this queue instead of their own.")] = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Gives an agent's tickets back to their queues, or to another: all, or those that are named."""
    given = {"ticket_ids": ticket or None, "channels": channel or None, "to": to}
    body = {"reason": reason, **{name: value for name, value in given.items() if value is not None}}
    found = ask(profile, workspace, lambda session: session.post(f"/routing/v1/agents/{agent}/requeue", body))
    print_json(found) if json else say(f"{len(found['items'])} tickets are back in their queues.")
