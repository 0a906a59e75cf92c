"""`pointsman alerts`: list, show, acknowledge, silence."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from pointsman.cli.errors import WrongInput
from pointsman.cli.output import print_fields, print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask, open_session, run

LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]
AlertArgument = Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id.")]


def register(app: typer.Typer) -> None:
    """Adds `alerts` and its commands."""
    alerts = typer.Typer(no_args_is_help=True, help="SLA alerts.")
    alerts.command("list", epilog="Example: pointsman alerts list --state firing")(alerts_list)
    alerts.command("show", epilog="Example: pointsman alerts show alr_01k…")(alerts_show)
    alerts.command("ack", epilog="Example: pointsman alerts ack alr_01k… --comment 'on it' --for 1800")(alerts_ack)
    alerts.command("unack", epilog="Example: pointsman alerts unack alr_01k…")(alerts_unack)
    example = "Example: pointsman alerts silence --queue billing --for 3600 --reason 'the bank is closed'"
    alerts.command("silence", epilog=example)(alerts_silence)
    alerts.command("silences", epilog="Example: pointsman alerts silences --all")(alerts_silences)
    alerts.command("unsilence", epilog="Example: pointsman alerts unsilence sil_01k…")(alerts_unsilence)
    app.add_typer(alerts, name="alerts")


def alerts_list(
    state: Annotated[str | None, typer.Option(help="firing, acknowledged, silenced, exhausted or resolved.")] = None,
    limit: LimitOption = 50,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Lists alerts, the newest first."""
    items = ask(profile, workspace, lambda session: session.pages("/sla/v1/alerts", limit=limit, state=state))
    if json:
        print_json({"items": items})
        return
    columns = ("id", "state", "severity", "policy", "queue", "clock_count", "opened_at", "acked_by")
    print_table(columns, ([item.get(name) for name in columns] for item in items), none="No alert.")


def alerts_show(
    alert: AlertArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Shows an alert, its clocks and its timeline."""

    async def work() -> dict[str, Any]:
        async with open_session(profile, workspace) as session:
            found: dict[str, Any] = await session.get(f"/sla/v1/alerts/{alert}")
            found["timeline"] = await session.pages(f"/sla/v1/alerts/{alert}/timeline", limit=1000)
            return found

    found = run(work())
    if json:
        print_json(found)
        return
    print_fields({name: value for name, value in found.items() if name not in ("clocks", "timeline")})
    columns = ("ticket", "metric", "cycle", "joined_at")
    print_table(columns, ([clock[name] for name in columns] for clock in found["clocks"]), none="No clock.")
    told = ("at", "kind", "ticket", "by", "comment")
    print_table(told, ([event[name] for name in told] for event in found["timeline"]))


def alerts_ack(
    alert: AlertArgument,
    comment: Annotated[str | None, typer.Option(help="What you are doing about it.")] = None,
    for_: Annotated[int | None, typer.Option("--for", min=1, metavar="SECONDS", help="For how long.")] = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Acknowledges an alert: you take care of the clocks that are in it now."""
    found = ask(
        profile,
        workspace,
        lambda session: session.post(f"/sla/v1/alerts/{alert}/ack", {"comment": comment, "for_seconds": for_}),
    )
    if json:
        print_json(found)
        return
    say(f"{found['id']} is {found['state']} by {found['acked_by']}: {found['clock_count']} clocks.")


def alerts_unack(
    alert: AlertArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Takes an acknowledgement back: the alert fires again, and who was told is told again."""
    found = ask(profile, workspace, lambda session: session.post(f"/sla/v1/alerts/{alert}/unack", {}))
    if json:
        print_json(found)
        return
    say(f"{found['id']} is {found['state']}.")


def alerts_silence(
    reason: Annotated[str, typer.Option(help="Why; shown to everybody.")],
    for_: Annotated[int | None, typer.Option("--for", min=1, metavar="SECONDS", help="For how long.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when, RFC 3339.")] = None,
    severity: Annotated[list[str] | None, typer.Option(help="Only alerts of this severity. Repeatable.")] = None,
    policy: Annotated[list[str] | None, typer.Option(help="Only alerts of this policy. Repeatable.")] = None,
    queue: Annotated[list[str] | None, typer.Option(help="Only alerts of this queue. Repeatable.")] = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Silences alerts that match, open ones and those to come: they notify nobody until it is over."""
    if (for_ is None) == (until is None):
        raise WrongInput("say either --for SECONDS or --until INSTANT")
    end = until or (datetime.now(UTC) + timedelta(seconds=for_ or 0)).isoformat()
    match = {"severity": severity or [], "policy": policy or [], "queue": queue or []}
    body = {"match": match, "until": end, "reason": reason}
    made = ask(profile, workspace, lambda session: session.post("/sla/v1/silences", body))
    if json:
        print_json(made)
        return
    say(f"{made['id']}: silent until {made['until']}.")


def alerts_silences(
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    limit: LimitOption = 50,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Lists silences, the newest first."""
    active = None if every else True
    items = ask(profile, workspace, lambda session: session.pages("/sla/v1/silences", limit=limit, active=active))
    if json:
        print_json({"items": items})
        return
    columns = ("id", "match", "until", "by", "reason", "ended_at", "ended_by")
    print_table(columns, ([item.get(name) for name in columns] for item in items), none="No silence.")


def alerts_unsilence(
    silence: Annotated[str, typer.Argument(metavar="SILENCE", help="The silence's id.")],
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
) -> None:
    """Ends a silence before its time: what it covered fires again."""
    ask(profile, workspace, lambda session: session.call("DELETE", f"/sla/v1/silences/{silence}"))
    say(f"{silence} is over.")
