"""`pointsman apply` and `pointsman config`: the workspace's document as code."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.output import print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask, open_session, remember_workspace, run
from pointsman.client.session import ApiError, Session

SERVICES = ("intake", "routing", "sla", "metrics")
EVERYWHERE_WITHIN_SECONDS = 30.0


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: pointsman apply acme.yaml")(apply)
    config = typer.Typer(help="The workspace's document and its versions.", no_args_is_help=True)
    config.command("show", epilog="Example: pointsman config show -w acme")(show)
    config.command("diff", epilog="Example: pointsman config diff acme.yaml")(diff)
    config.command("versions", epilog="Example: pointsman config versions -w acme")(versions)
    config.command("rollback", epilog="Example: pointsman config rollback 3 -w acme")(rollback)
    app.add_typer(config, name="config")


FileArgument = Annotated[Path, typer.Argument(metavar="FILE.yaml", help="A workspace document, YAML or JSON.")]


def apply(
    file: FileArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show the changes; change nothing.")] = False,
    open_clocks: Annotated[
        str | None, typer.Option(help="keep or recompute: running clocks of a changed calendar or policy.")
    ] = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Makes a file the workspace's document, and waits until every service has it."""
    workspace, content, media_type = read_document_file(file)
    if open_clocks not in (None, "keep", "recompute"):
        raise WrongInput(f"--open-clocks {open_clocks}: it is keep or recompute")

    async def work() -> dict[str, Any]:
        async with open_session(profile, workspace) as session:
            if dry_run:
                return await check_document(session, content, media_type)
            return await put_document(session, content, media_type, open_clocks=open_clocks)

    answer = run(work())
    if not dry_run:
        remember_workspace(workspace)
    if json:
        print_json(answer)
        return
    if dry_run:
        _print_changes(answer["diff"])
    else:
        say(f"{workspace}: version {answer['version']} holds, every service has it.")
    for pointer in answer.get("inactive") or ():
        say(f"{pointer}: accepted, but not active in this version of Pointsman.")


def read_document_file(path: Path) -> tuple[str, bytes, str]:
    """(workspace, the content to send, its media type). A calendar's `ical: {file}` is sent as `{text}`.

    Raises `WrongInput` with the line when it is no YAML.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"{path} cannot be read: {error}") from error
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line = f"{path}:{error.problem_mark.line + 1}" if error.problem_mark else str(path)
        raise WrongInput(f"{line}: {error.problem}") from error
    except YAMLError as error:
        raise WrongInput(f"{path}: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("workspace"), str):
        raise WrongInput(f"{path}: a workspace document begins with `workspace: NAME`")
    if _carry_calendars(document, path.parent):
        return document["workspace"], orjson.dumps(document, default=str), "application/json"
    return document["workspace"], text.encode(), "application/yaml"


def _carry_calendars(document: dict[str, Any], folder: Path) -> bool:
    """Puts the text of iCal files in their place; whether there was one."""
    carried = False
    calendars = document.get("calendars")
    for name, calendar in calendars.items() if isinstance(calendars, dict) else ():
        ical = calendar.get("ical") if isinstance(calendar, dict) else None
        if isinstance(ical, dict) and isinstance(ical.get("file"), str):
            source = folder / ical["file"]
            try:
                calendar["ical"] = {"text": source.read_text("utf-8")}
            except (OSError, UnicodeDecodeError) as error:
                raise WrongInput(f"/calendars/{name}/ical/file: {source} cannot be read: {error}") from error
            carried = True
    return carried


async def check_document(session: Session, content: bytes, media_type: str) -> dict[str, Any]:
    """What the document would change, and what in it is not active. Raises `ApiError` when it has mistakes."""
    answer = await session.call(
        "POST", "/routing/v1/config:check", content=content, headers={"Content-Type": media_type}
    )
    checked: dict[str, Any] = answer.json()
    return checked


async def put_document(
    session: Session, content: bytes, media_type: str, *, open_clocks: str | None = None
) -> dict[str, Any]:
    """Puts the document in the place of the one that stands, and waits until every service has that version."""
    answer = await session.call(
        "PUT",
        "/routing/v1/config",
        content=content,
        params={"open_clocks": open_clocks},
        headers={"Content-Type": media_type, **await _precondition(session)},
    )
    applied: dict[str, Any] = answer.json()
    await wait_for_version(session, applied["version"])
    return applied


async def _precondition(session: Session) -> dict[str, str]:
    try:
        current = await session.call("GET", "/routing/v1/config")
    except ApiError as error:
        if error.status == 404:
            return {"If-None-Match": "*"}
        raise
    return {"If-Match": current.headers["ETag"]}


async def wait_for_version(session: Session, version: int) -> None:
    """Waits until every service has the version. Raises `CommandFailed` naming those that do not."""
    deadline = time.monotonic() + EVERYWHERE_WITHIN_SECONDS
    behind = list(SERVICES)
    while behind:
        known = await asyncio.gather(*(session.get(f"/{service}/v1/config-version") for service in behind))
        behind = [
            service for service, answer in zip(behind, known, strict=True) if (answer["config_version"] or 0) < version
        ]
        if not behind:
            return
        if time.monotonic() > deadline:
            raise CommandFailed(f"version {version} holds, but {', '.join(behind)} did not take it yet")
        await asyncio.sleep(0.05)


def show(workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False) -> None:
    """Prints the document as it stands."""
    answer = ask(profile, workspace, lambda session: session.get("/routing/v1/config"))
    if json:
        print_json(answer)
        return
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(answer, sys.stdout)


def diff(file: FileArgument, profile: ProfileOption = None, json: JsonOption = False) -> None:
    """Shows what applying the file would change. Exit code 1 when there is something."""
    workspace, content, media_type = read_document_file(file)
    answer = ask(profile, workspace, lambda session: check_document(session, content, media_type))
    changes = answer["diff"]
    if json:
        print_json(answer)
    else:
        _print_changes(changes)
    if changes:
        raise typer.Exit(1)


def _print_changes(changes: list[dict[str, Any]]) -> None:
    rows = [(change["pointer"], change["change"], change.get("old"), change.get("new")) for change in changes]
    print_table(("where", "what", "now", "then"), rows, none="No change.")


def versions(workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False) -> None:
    """Lists the versions, newest first."""
    items = ask(profile, workspace, lambda session: session.pages("/routing/v1/config/versions", limit=200))
    if json:
        print_json({"items": items})
        return
    rows = [(i["version"], i.get("applied_at"), (i.get("author") or {}), i.get("reason")) for i in items]
    print_table(("version", "applied", "by", "reason"), rows, none="No version yet.")


def rollback(
    version: Annotated[int, typer.Argument(min=1, help="The version whose document shall hold again.")],
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Makes an earlier version's document hold again, as a new version."""

    async def work() -> dict[str, Any]:
        async with open_session(profile, workspace) as session:
            answer: dict[str, Any] = await session.post("/routing/v1/config:rollback", {"version": version})
            await wait_for_version(session, answer["version"])
            return answer

    answer = run(work())
    if json:
        print_json(answer)
    else:
        say(f"Version {answer['version']} holds; it is version {version} again.")
