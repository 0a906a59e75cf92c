"""`pointsman top`: the workspace live in the terminal."""

import asyncio
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pointsman.cli.output import print_json
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, open_session, run
from pointsman.client.live import live_figures
from pointsman.client.session import Session

DUE_SHOWN = 8


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: pointsman top -w acme")(top)


def top(
    once: Annotated[bool, typer.Option("--once", help="Show it once and end.")] = False,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Shows queues, agents and what is due soon, as they change; Ctrl-C ends it. `--json` prints them once."""

    async def work() -> None:
        async with open_session(profile, workspace) as session:
            if json or once:
                figures = {**await session.get("/metrics/v1/live"), "due": await _due(session)}
                print_json(figures) if json else Console().print(drawn(figures))
                return
            with Live(console=Console(), auto_refresh=False) as screen:
                due: list[Any] = []
                due_asked = -10.0
                loop = asyncio.get_running_loop()
                async for figures in live_figures(session):
                    if loop.time() - due_asked > 1:
                        due, due_asked = await _due(session), loop.time()
                    screen.update(drawn({**figures, "due": due}), refresh=True)

    try:
        run(work())
    except KeyboardInterrupt:
        return


async def _due(session: Session) -> list[Any]:
    due = await session.call("GET", "/sla/v1/due", params={"limit": DUE_SHOWN})
    items: list[Any] = orjson.loads(due.content)["items"]
    return items[:DUE_SHOWN]


def drawn(figures: dict[str, Any]) -> Group:
    """The figures as a person reads them."""
    queues = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("queue", "waiting", "oldest"):
        queues.add_column(column, justify="left" if column == "queue" else "right")
    for name, queue in figures["queues"].items():
        queues.add_row(name, str(queue["waiting"]), f"{queue['oldest_seconds']:,.0f} s")
    agents = figures["agents"]
    line = Text.assemble(
        ("agents ", "bold"),
        f"{agents['available']} available, {agents['away']} away, {agents['offline']} offline, ",
        f"{agents['in_hand']} tickets in hand   ",
        ("due soon ", "bold"),
        str(figures["due_soon"]),
        ("   breached ", "bold"),
        (str(figures["breached"]), "red" if figures["breached"] else ""),
    )
    parts: list[Any] = [line, queues]
    if figures.get("due"):
        due = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("due", "ticket", "metric", "policy"):
            due.add_column(column)
        for clock in figures["due"]:
            ticket = clock.get("ticket_id") or clock.get("ticket")
            due.add_row(str(clock["due_at"]), str(ticket), str(clock["metric"]), str(clock.get("policy", "")))
        parts.append(due)
    return Group(*parts)
