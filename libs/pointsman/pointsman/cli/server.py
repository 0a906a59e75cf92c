"""Which server a command speaks to, with whose token; and how its errors become one line.

In this order: `--profile NAME` (a table in `~/.config/pointsman/profiles.toml` with `url`, `token` and optionally
`workspace`); `POINTSMAN_URL` with `POINTSMAN_TOKEN`; else the local stack that is up (the address alone may name it),
as `POINTSMAN_TOKEN` says or as its operator, with a token signed by its key file.
"""

import asyncio
import os
import signal
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.client.session import ApiError, Session, Unreachable
from pointsman.core.ids import random_id
from pointsman.core.instant import EPOCH
from pointsman.local.folder import StackFolder

LOCAL_TOKEN_SECONDS = 3_600
PROFILES = Path("~/.config/pointsman/profiles.toml")
DEFAULT_WORKSPACE_FILE = "workspace"

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", envvar="POINTSMAN_PROFILE", help="A server of profiles.toml.")
]
WorkspaceOption = Annotated[
    str | None,
    typer.Option("--workspace", "-w", envvar="POINTSMAN_WORKSPACE", help="Which workspace, for an operator's token."),
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Server:
    """Where to, as whom. `workspace` is what an operator's token names; other tokens carry theirs."""

    url: str
    token: str
    workspace: str | None


def find_server(profile: str | None = None, workspace: str | None = None) -> Server:
    """The server that the options and the environment name. Raises `WrongInput` or `CommandFailed`."""
    if profile is not None:
        return _of_profile(profile, workspace)
    url, token = os.environ.get("POINTSMAN_URL"), os.environ.get("POINTSMAN_TOKEN")
    if url and token:
        return Server(url, token, workspace)
    folder = StackFolder.here()
    status = folder.status()
    if url and url.rstrip("/") != status.url:
        raise WrongInput(f"POINTSMAN_TOKEN is not set: who speaks to {url}? (pointsman token issue makes one)")
    if status.url is None or status.key_file is None:
        raise CommandFailed(
            "no server: set POINTSMAN_URL and POINTSMAN_TOKEN, use --profile, or start one with: pointsman up"
        )
    if token:
        return Server(status.url, token, workspace)
    token = local_token(Path(status.key_file), "operator", "*", "operator", LOCAL_TOKEN_SECONDS)
    return Server(status.url, token, workspace or _last_workspace(folder))


def local_token(key_file: Path, role: str, workspace: str, sub: str, ttl_seconds: float) -> str:
    """A token signed here with the installation's key."""
    from pointsman.runtime.auth import sign_token
    from pointsman.runtime.issuer_keys import IssuerKeys

    return sign_token(IssuerKeys.read(key_file), role, workspace, sub, ttl_seconds, random_id("tok", EPOCH))


def remember_workspace(workspace: str) -> None:
    """The workspace that later commands mean on the local stack when they name none."""
    folder = StackFolder.here()
    if folder.root.is_dir():
        (folder.root / DEFAULT_WORKSPACE_FILE).write_text(workspace + "\n")


def _last_workspace(folder: StackFolder) -> str | None:
    try:
        return (folder.root / DEFAULT_WORKSPACE_FILE).read_text().strip() or None
    except OSError:
        return None


def _of_profile(name: str, workspace: str | None) -> Server:
    path = PROFILES.expanduser()
    try:
        profiles = tomllib.loads(path.read_text())
    except OSError as error:
        raise WrongInput(f"--profile {name}: {path} cannot be read ({error.strerror})") from error
    except tomllib.TOMLDecodeError as error:
        raise WrongInput(f"{path}: {error}") from error
    profile = profiles.get(name)
    if not isinstance(profile, dict) or "url" not in profile or "token" not in profile:
        raise WrongInput(f"--profile {name}: {path} has no [{name}] with url and token")
    return Server(profile["url"], profile["token"], workspace or profile.get("workspace"))


@asynccontextmanager
async def open_session(profile: str | None = None, workspace: str | None = None) -> AsyncIterator[Session]:
    """A session with the server; its errors end the command with one line."""
    server = find_server(profile, workspace)
    async with Session(server.url, server.token, workspace=server.workspace, retry_seconds=15) as session:
        try:
            yield session
        except ApiError as error:
            raise command_error(error) from error
        except Unreachable as error:
            raise CommandFailed(str(error)) from error


def command_error(error: ApiError) -> Exception:
    """The one line of a problem: 2 when the input was wrong, else 1."""
    detail = str(error.problem.get("detail") or error.problem.get("title") or f"status {error.status}")
    errors = error.problem.get("errors") or ()
    parts = [_placed(item) for item in errors]
    # The detail says the first error in words: twice would be once too often.
    if not errors or error.status != 422 or detail == errors[0]["detail"]:
        parts = [detail, *parts[1:]]
    if error.code == "workspace-required":
        parts = ["name the workspace with --workspace"]
    text = "; ".join(parts)
    return WrongInput(text) if error.status in (400, 422) else CommandFailed(text)


def _placed(item: Mapping[str, Any]) -> str:
    line = f" (line {item['line']})" if item.get("line") else ""
    return f"{item['pointer']}{line}: {item['detail']}".removeprefix(": ")


def ask(profile: str | None, workspace: str | None, question: Callable[[Session], Awaitable[T]]) -> T:
    """What a command's only question to the server is answered."""

    async def work() -> T:
        async with open_session(profile, workspace) as session:
            return await question(session)

    return run(work())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work. SIGTERM ends it as Ctrl-C does: what it started is stopped."""
    import uvloop

    async def interruptible() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(interruptible())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
