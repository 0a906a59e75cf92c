"""`pointsman up`, `down`, `status`, `logs`: the local stack."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import psutil
import typer
from rich.console import Console
from rich.table import Table

from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.local.folder import BrokerKind, StackFolder, StackStatus, supervisor_command
from pointsman.local.process import end_leftover, process_of

if TYPE_CHECKING:
    from pointsman.local.supervisor import ProcessSupervisor

_LOG_LINES = 200

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: pointsman up --detach")(up)
    app.command(epilog="Example: pointsman down")(down)
    app.command(epilog="Example: pointsman status --json")(status)
    app.command(epilog="Example: pointsman logs routing -f")(logs)


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when all is ready.")] = False,
    broker: Annotated[str, typer.Option(help="tansu, or kafka (needs a JVM 17 and Maven).")] = "tansu",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port of the edge; a free one else.")] = None,
) -> None:
    """Starts the local stack: PostgreSQL, a broker, the workers and the edge, under .pointsman/."""
    if broker not in ("tansu", "kafka"):
        raise WrongInput(f"--broker {broker}: it is tansu or kafka")
    kind: BrokerKind = "tansu" if broker == "tansu" else "kafka"
    folder = StackFolder.here()
    console = Console(stderr=True)
    if folder.is_owned():
        running = _until_settled(folder)
        console.print(f"The local stack is already up at {running.url} (broker: {running.broker}).", highlight=False)
        if running.broker != kind and "--broker" in sys.argv:
            raise CommandFailed(f"it runs with {running.broker}: stop it first with: pointsman down")
        return
    if detach:
        start_detached(folder, kind, port)
        _show(folder.status(), console)
        return
    # The servers' clients are loaded only here: `status` and `logs` must answer at once.
    from pointsman.local.supervisor import ProcessSupervisor

    supervisor = ProcessSupervisor(
        folder, broker=kind, port=port, announce=lambda what: console.print(f"[dim]{what}[/dim]", highlight=False)
    )
    asyncio.run(_in_foreground(supervisor, folder, console))


def start_detached(folder: StackFolder, broker: BrokerKind = "tansu", port: int | None = None) -> StackStatus:
    """Starts a supervisor of its own and waits until the stack is ready. Raises `CommandFailed`."""
    folder.create()
    folder.state_file.unlink(missing_ok=True)
    with folder.supervisor_log.open("ab") as log:
        child = subprocess.Popen(
            supervisor_command(folder, broker, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while not folder.is_owned() and not folder.state_file.exists():
        if child.poll() is not None:
            raise CommandFailed(f"the supervisor ended at its start; its log is {folder.supervisor_log}")
        time.sleep(0.02)
    return _until_settled(folder)


def _until_settled(folder: StackFolder) -> StackStatus:
    while True:
        now = folder.status()
        if now.state == "running":
            return now
        if now.state == "failed":
            raise CommandFailed(now.error or f"the stack cannot be started; see {folder.supervisor_log}")
        if not folder.is_owned():
            raise CommandFailed(f"the supervisor ended; its log is {folder.supervisor_log}")
        time.sleep(0.05)


async def _in_foreground(supervisor: "ProcessSupervisor", folder: StackFolder, console: Console) -> None:
    from pointsman.runtime.tasks import awaited

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    running = awaited(supervisor.run(stop))
    while not running.done() and folder.status().state != "running":
        await asyncio.wait({running}, timeout=0.1)
    if not running.done():
        _show(folder.status(), console)
        console.print("[dim]Ctrl-C stops it.[/dim]")
    await running


def down() -> None:
    """Stops the local stack; its data stays."""
    folder = StackFolder.here()
    supervisor = process_of(folder.supervisor_pid_file)
    if folder.is_owned() and supervisor is not None:
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(60)
        except psutil.TimeoutExpired:
            raise CommandFailed(f"the supervisor does not end; its log is {folder.supervisor_log}") from None
        print("The local stack is down.", file=sys.stderr)
        return
    left = [pid_file for pid_file in folder.root.glob("**/run/*.pid") if process_of(pid_file) is not None]
    for pid_file in left:
        end_leftover(pid_file)
    folder.state_file.unlink(missing_ok=True)
    print("Ended what a killed supervisor left." if left else "The local stack is not up.", file=sys.stderr)


def status(
    url: Annotated[bool, typer.Option("--url", help="Print its address and nothing else.")] = False,
    json: Json = False,
) -> None:
    """Says what runs, and where. Exit code 1 when the stack is not running."""
    now = StackFolder.here().status()
    if url and now.state == "running":
        print(now.url)
    elif url:
        raise CommandFailed("the local stack is not running: pointsman up")
    elif json:
        sys.stdout.buffer.write(orjson.dumps(now.document(), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        _show(now, Console())
    if now.state != "running":
        raise typer.Exit(1)


def _show(now: StackStatus, console: Console) -> None:
    if now.state in ("stopped", "failed"):
        console.print(f"The local stack is {'down' if now.state == 'stopped' else 'down: ' + str(now.error)}.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("process", "pid", "port", "state", "log"):
        table.add_column(column, overflow="fold")
    for process in now.processes:
        table.add_row(
            process.name, str(process.pid or ""), str(process.port or ""), process.state, os.path.relpath(process.log)
        )
    console.print(f"The local stack is {now.state} at {now.url} (broker: {now.broker}).", highlight=False)
    console.print(table)
    for process in now.processes:
        if process.state == "failing":
            console.print(
                f"[red]{process.name} was restarted {process.restarts} times within a minute[/red]: pointsman logs "
                f"{process.name}",
                highlight=False,
            )
    zones = {process.zones for process in now.processes if process.zones is not None}
    if zones:
        differing = " [red](the processes differ)[/red]" if len(zones) > 1 else ""
        console.print(f"Time zones: edition {', '.join(sorted(zones))}{differing}.", highlight=False)


def logs(
    service: Annotated[str | None, typer.Argument(help="A process as `status` names it; all when absent.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Prints the last lines of the logs."""
    folder = StackFolder.here()
    files = {process.name: Path(process.log) for process in folder.status().processes}
    if not files:
        files = {path.stem: path for path in sorted(folder.root.glob("**/logs/*.log"))}
    if service is not None:
        if service not in files:
            raise WrongInput(f"there is no log of {service!r}: {', '.join(files) or 'the stack never ran here'}")
        files = {service: files[service]}
    positions = {name: _last_lines(name, path, alone=service is not None) for name, path in files.items()}
    while follow:
        for name, path in files.items():
            positions[name] = _print_from(name, path, positions[name], alone=service is not None)
        sys.stdout.flush()
        time.sleep(0.2)


def _last_lines(name: str, path: Path, *, alone: bool) -> int:
    """Prints the last lines of a log; the position after them."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    for line in content.decode("utf-8", "replace").splitlines()[-_LOG_LINES:]:
        print(line if alone else f"{name:9} {line}")
    return len(content)


def _print_from(name: str, path: Path, position: int, *, alone: bool) -> int:
    for line in _whole_lines(path, position):
        position += len(line)
        text = line.decode("utf-8", "replace").rstrip("\n")
        print(text if alone else f"{name:9} {text}")
    return position


def _whole_lines(path: Path, position: int) -> Iterator[bytes]:
    if not path.exists():
        return
    with path.open("rb") as file:
        # A log that became shorter was set aside and began anew.
        file.seek(position if position <= os.fstat(file.fileno()).st_size else 0)
        for line in file:
            if line.endswith(b"\n"):
                yield line
