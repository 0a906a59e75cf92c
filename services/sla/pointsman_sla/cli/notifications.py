"""The notifications' part of the `pointsman` command: `notifications`, `notify test`."""

from typing import Annotated, Any

import typer

from pointsman.cli.output import print_fields, print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask

LimitOption = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]
Notification = Annotated[str, typer.Argument(metavar="NOTIFICATION", help="The notification's id.")]


def register(app: typer.Typer) -> None:
    """Adds the commands (entry point `pointsman.commands`)."""
    notifications = typer.Typer(no_args_is_help=True, help="What notify targets were told.")
    notifications.command("list", epilog="Example: pointsman notifications list --state dead")(list_)
    notifications.command("show", epilog="Example: pointsman notifications show ntf_01k…")(show)
    notifications.command("resend", epilog="Example: pointsman notifications resend ntf_01k…")(resend)
    app.add_typer(notifications, name="notifications")
    notify = typer.Typer(no_args_is_help=True, help="Notify targets.")
    # With one command only typer would leave its name out.
    notify.callback()(lambda: None)
    notify.command("test", epilog="Example: pointsman notify test pager")(send_test)
    app.add_typer(notify, name="notify")


def list_(
    state: Annotated[str | None, typer.Option(help="queued, sent, dead or skipped.")] = None,
    target: Annotated[str | None, typer.Option(help="Only this notify target.")] = None,
    limit: LimitOption = 50,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Lists notifications, the newest first."""
    items = ask(
        profile,
        workspace,
        lambda session: session.pages("/sla/v1/notifications", limit=limit, state=state, target=target),
    )
    if json:
        print_json({"items": items})
        return
    columns = ("id", "target", "state", "items", "rounds", "created_at", "title", "reason")
    print_table(columns, ([item.get(name) for name in columns] for item in items), none="No notification.")


def show(
    notification: Notification,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Shows a notification with its text."""
    found: dict[str, Any] = ask(
        profile, workspace, lambda session: session.get(f"/sla/v1/notifications/{notification}")
    )
    if json:
        print_json(found)
        return
    print_fields({name: value for name, value in found.items() if name != "body"})
    say(found["body"] or "It has no text yet.")


def resend(
    notification: Notification,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Sends a notification again that is dead or was skipped."""
    found = ask(profile, workspace, lambda session: session.post(f"/sla/v1/notifications/{notification}/resend", None))
    if json:
        print_json(found)
        return
    say(f"{found['id']} to {found['target']} is {found['state']}.")


def send_test(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A notify target of the configuration.")],
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Sends a test message to a notify target."""
    found = ask(profile, workspace, lambda session: session.post(f"/sla/v1/notify/{target}/test", None))
    if json:
        print_json(found)
        return
    say(f"{found['id']} is {found['state']}: pointsman notifications show {found['id']}")
