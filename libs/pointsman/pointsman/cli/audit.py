"""`pointsman audit`: the live invariants, checked now."""

from typing import Any

import typer

from pointsman.cli.errors import CommandFailed
from pointsman.cli.output import print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask

COLUMNS = ("kind", "ticket", "agent", "detail", "since")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: pointsman audit --workspace acme --json")(audit)


def audit(workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False) -> None:
    """Checks what must always hold of the desk: owners, capacity, charges, nobody waiting in vain, timers, rows.

    Exits 0 when everything holds, 1 when something does not.
    """
    found: dict[str, Any] = ask(profile, workspace, lambda session: session.get("/routing/v1/audit"))
    if json:
        print_json(found)
    else:
        say(f"{found['tickets'] or 0} open tickets and {found['agents'] or 0} agents were looked at.")
        rows = [[finding[name] for name in COLUMNS] for finding in found["findings"]]
        print_table(COLUMNS, rows, none="Everything holds.")
    if not found["fresh"]:
        raise CommandFailed("the audit did not end in time: the lane is busy or has no worker; try again")
    if not found["ok"]:
        raise CommandFailed(f"{len(found['findings'])} findings")
