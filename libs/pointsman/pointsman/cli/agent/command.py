"""The command: whose token, and the terminal around the desk until somebody leaves."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from pointsman.cli.agent.lines import lines_of_input
from pointsman.cli.agent.work import TerminalDesk
from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.server import (
    ProfileOption,
    Server,
    WorkspaceOption,
    command_error,
    find_server,
    local_token,
    run,
)
from pointsman.client.agent import LEASE_SECONDS, Agent
from pointsman.client.session import ApiError, Session, Unreachable
from pointsman.local.folder import StackFolder

TOKEN_SECONDS = 12 * 3600
RETRY_SECONDS = 15


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: pointsman agent --as anna")(agent)


def agent(
    name: Annotated[str, typer.Option("--as", help="The agent's slug.")],
    lease: Annotated[
        int, typer.Option(min=5, max=3600, help="Seconds without this program after which the agent is gone.")
    ] = LEASE_SECONDS,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
) -> None:
    """Takes work in the terminal: offers come with their reasons; type help for what to do with them.

    With an agent's token it is that agent; on the local stack, or with an admin's token, any. Ctrl-C, quit or the end
    of the input leaves: the session is over at once.
    """
    run(_work(name, lease, profile, workspace))


async def _work(name: str, lease_seconds: int, profile: str | None, workspace: str | None) -> None:
    leaving = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leaving.set)
    try:
        async with _session_of(name, profile, workspace) as session:
            agent = Agent(session, lease_seconds=lease_seconds)
            async with agent.on_duty() as duty:
                await TerminalDesk(agent, duty, name).run(lines_of_input(), leaving)
    except ApiError as error:
        raise command_error(error) from error
    except Unreachable as error:
        raise CommandFailed(str(error)) from error


@asynccontextmanager
async def _session_of(name: str, profile: str | None, workspace: str | None) -> AsyncIterator[Session]:
    """A session as the agent. Raises `WrongInput` when the token is another agent's."""
    server = find_server(profile, workspace)
    if profile is None and not os.environ.get("POINTSMAN_URL"):
        server = _local(server, name)
    async with Session(server.url, server.token, workspace=server.workspace, retry_seconds=RETRY_SECONDS) as session:
        own = await _agent_of(session)
        if own == name:
            yield session
            return
        if own is not None:
            raise WrongInput(f"--as {name}: the token is {own}'s")
        async with _issued(session, server.url, name) as as_agent:
            yield as_agent


@asynccontextmanager
async def _issued(session: Session, url: str, name: str) -> AsyncIterator[Session]:
    """A session with a token of the agent that is issued for it, and revoked afterwards."""
    wanted = {"role": "agent", "sub": name, "ttl_seconds": TOKEN_SECONDS}
    try:
        issued = await session.post("/routing/v1/tokens", wanted)
    except ApiError as error:
        if error.status == 403:
            raise WrongInput(
                f"--as {name}: the workspace has no agent of this name, or the token is not theirs"
            ) from error
        raise
    try:
        async with Session(url, issued["token"], retry_seconds=RETRY_SECONDS) as as_agent:
            if await _agent_of(as_agent) is None:
                raise WrongInput(f"--as {name}: the workspace has no agent of this name")
            yield as_agent
    finally:
        await session.call("DELETE", f"/routing/v1/tokens/{issued['token_id']}")


def _local(server: Server, name: str) -> Server:
    """The local stack, with a token signed by its key file."""
    key_file = StackFolder.here().status().key_file
    if server.workspace is None or key_file is None:
        raise WrongInput("name the workspace with --workspace")
    return Server(server.url, local_token(Path(key_file), "agent", server.workspace, name, TOKEN_SECONDS), None)


async def _agent_of(session: Session) -> str | None:
    """The agent that the token is of; None when it is nobody's who takes tickets."""
    try:
        found: str = (await session.get("/routing/v1/me"))["agent"]
    except ApiError as error:
        if error.status in (403, 404):
            return None
        raise
    return found
