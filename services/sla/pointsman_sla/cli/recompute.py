"""`pointsman recompute`: open tickets' clocks under the newest configuration version, watched until it is done."""

import asyncio
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from pointsman.cli.errors import CommandFailed
from pointsman.cli.output import print_fields, print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, open_session, run

POLL_SECONDS = 0.5
FIGURES = ("total", "done", "restated", "started", "cancelled", "gained", "lost", "failed")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: pointsman recompute --calendar office --dry-run")(recompute)


def recompute(
    policy: Annotated[list[str] | None, typer.Option(help="Only tickets of this policy. Repeatable.")] = None,
    calendar: Annotated[list[str] | None, typer.Option(help="Only tickets of this calendar. Repeatable.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which breaches would be gained and lost; change nothing.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why; kept with the event.")] = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Lays the clocks of open tickets anew under the newest version, as if it had been in force since they started.
    Exits 1 when a ticket could not be recomputed."""
    asked = {"policies": policy or [], "calendars": calendar or [], "dry_run": dry_run, "reason": reason}

    async def work() -> dict[str, Any]:
        async with open_session(profile, workspace) as session:
            job: dict[str, Any] = await session.post("/sla/v1/recompute", asked)
            path = f"/sla/v1/jobs/{job['job_id']}"
            console = Console(stderr=True)
            with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
                task = progress.add_task("recompute", total=1.0)
                while (job := await session.get(path))["state"] != "done":
                    progress.update(task, completed=job["progress"])
                    await asyncio.sleep(POLL_SECONDS)
            return job

    job = run(work())
    if json:
        print_json(job)
    else:
        print_fields({name: job[name] for name in ("job_id", "config_version", *FIGURES)})
        columns = ("ticket_id", "metric", "policy", "was_due_at", "due_at")
        for name, said in (("gained", "Breaches gained"), ("lost", "Announced breaches that would not have come yet")):
            if job[f"{name}_clocks"]:
                say(f"{said}:")
                print_table(columns, ([clock[column] for column in columns] for clock in job[f"{name}_clocks"]))
    if job["failed"]:
        raise CommandFailed(f"{job['failed']} tickets could not be recomputed: {job['errors'][0]['detail']}")
