"""`pointsman top`: the workspace live in the terminal."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from pointsman.cli.output import print_json
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, open_session, run
from pointsman.cli.tables import duration, table
from pointsman.client.live import live_figures
from pointsman.client.session import ApiError, Session, Unreachable

DUE_SHOWN = 8
AGENTS_MAX = 10_000
BESIDE_SECONDS = 1.0
AGAIN_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: pointsman top -w acme")(top)


def top(
    once: bool = typer.Option(False, "--once", help="Show it once and end."),
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Shows queues, agents and what is due soon, as they change; Ctrl-C ends it. `--json` prints them once.

    While the server is away it goes on to ask, and says since when.
    """

    async def work() -> None:
        async with open_session(profile, workspace) as session:
            if not (json or once):
                await _follow(session)
                return
            figures = {**await session.get("/metrics/v1/live"), **await _beside(session)}
            if json:
                print_json({"due": [], **{name: part for name, part in figures.items() if name != "named"}})
                return
            figures["workspace"] = _workspace(session)
            print("\n".join(drawn(figures, Console().width, datetime.now(UTC))))

    try:
        run(work())
    except KeyboardInterrupt:
        return


async def _follow(session: Session) -> None:
    """Draws until it is interrupted."""
    console, loop = Console(), asyncio.get_running_loop()
    known: dict[str, Any] = {"workspace": _workspace(session)}
    asked = -math.inf
    with Live(console=console, auto_refresh=False) as screen:
        async for figures in followed_figures(session):
            if figures is None:
                known.setdefault("away_since", datetime.now(UTC))
            else:
                known = {**known, **figures}
                known.pop("away_since", None)
                if loop.time() - asked > BESIDE_SECONDS:
                    known, asked = {**known, **await _beside(session)}, loop.time()
            lines = drawn(known, console.width, datetime.now(UTC))
            screen.update(Text("\n".join(lines), no_wrap=True), refresh=True)


async def followed_figures(session: Session) -> AsyncIterator[dict[str, Any] | None]:
    """The figures as they change, for ever; None when the server is found away. Raises `ApiError` when it refuses."""
    while True:
        try:
            async for figures in live_figures(session):
                yield figures
        except httpx.TransportError:
            pass
        except ApiError as error:
            if not error.passing:
                raise
        yield None
        await asyncio.sleep(AGAIN_SECONDS)


def _workspace(session: Session) -> str:
    """The workspace that is asked for; a token of its own says which."""
    return session.headers.get("Pointsman-Workspace") or str(session.claims.get("workspace", ""))


async def _beside(session: Session) -> dict[str, Any]:
    """What is due, and the agents that the document names; nothing of what this token may not read or is away."""
    found: dict[str, Any] = {}
    with suppress(ApiError, Unreachable):
        found["due"] = await session.pages("/sla/v1/due", limit=DUE_SHOWN)
        found["named"] = len(await session.pages("/routing/v1/agents", limit=AGENTS_MAX))
    return found


def drawn(figures: dict[str, Any], width: int, now: datetime) -> list[str]:
    """The figures as a person reads them, a line each, none wider than `width`."""
    if "agents" not in figures:
        return ["The server does not answer; asking again …"[:width]]
    at, agents = datetime.fromisoformat(figures["now"]), figures["agents"]
    never = max(0, figures.get("named", 0) - sum(agents[state] for state in ("available", "away", "offline")))
    away: datetime | None = figures.get("away_since")
    lag = f"lag {duration(lag_seconds(at, now))}"
    lines = [
        f"{figures.get('workspace', '')}   {at:%H:%M:%S} UTC   "
        + (lag if away is None else f"server away since {away:%H:%M:%S}, asking again"),
        f"agents   {agents['available']} available, {agents['away']} away, {agents['offline']} offline, "
        f"{never} never signed in",
        f"tickets  {agents['in_hand']} in hand, {figures['due_soon']} due soon, {figures['breached']} breached",
        "",
    ]
    queues = [(name, queue["waiting"], queue["oldest_seconds"]) for name, queue in figures["queues"].items()]
    lines += table(("queue", "waiting", "oldest_seconds"), queues, width, now)[0]
    if figures.get("due"):
        columns = ("breach_at", "ticket_id", "metric", "breach_probability", "policy")
        rows = [[clock.get(name) for name in columns] for clock in figures["due"]]
        lines += ["", *table(columns, rows, width, now)[0]]
    return [line[:width] for line in lines]


def lag_seconds(at: datetime, now: datetime) -> float:
    """How old the figures are; never less than nothing, since this host's clock is not the server's."""
    return round(max(0.0, (now - at).total_seconds()), 1)
