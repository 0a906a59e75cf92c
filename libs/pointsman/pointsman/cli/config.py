"""`pointsman apply` and `pointsman config`: the workspace's document as code."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from pointsman.cli.document_file import DocumentFile, read_document_file
from pointsman.cli.effect import placed, print_check, print_difference
from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.output import print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask, open_session, remember_workspace, run
from pointsman.cli.unset import unset_secrets, worded
from pointsman.client.session import ApiError, Session
from pointsman.contracts.document.needed import secrets_needed

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
ReasonOption = Annotated[str | None, typer.Option(help="Why; kept with the version.")]


def apply(
    file: FileArgument,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the changes and what they would do now; change nothing.")
    ] = False,
    open_clocks: Annotated[
        str | None, typer.Option(help="keep or recompute: running clocks of a changed calendar or policy.")
    ] = None,
    reason: ReasonOption = None,
    move: Annotated[
        list[str] | None,
        typer.Option(
            help="Where tickets of what is removed go: agents.anna=requeue, queues.billing=general. Repeatable."
        ),
    ] = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Makes a file the workspace's document, and waits until every service has it. A dry run exits 1 when the change
    would be refused."""
    document = read_document_file(file)
    if open_clocks not in (None, "keep", "recompute"):
        raise WrongInput(f"--open-clocks {open_clocks}: it is keep or recompute")
    document = document.with_moves(_moves(move or []))

    async def work() -> dict[str, Any]:
        async with open_session(profile, document.workspace) as session:
            with lines_of(document):
                if dry_run:
                    told = placed(await check_document(session, document.content, document.media_type), document)
                else:
                    told = await put_document(
                        session, document.content, document.media_type, open_clocks=open_clocks, reason=reason
                    )
                return told | {"unset": await unset_secrets(session, secrets_needed(document.written.value))}

    answer = run(work())
    if not dry_run:
        remember_workspace(document.workspace)
    if json:
        print_json(answer)
    else:
        if dry_run:
            print_check(answer, document)
        else:
            say(f"{document.workspace}: version {answer['version']} holds, every service has it.")
        for pointer in answer.get("inactive") or ():
            say(f"{pointer}: accepted, but not active in this version of Pointsman.")
        for missing in answer["unset"]:
            say(worded(missing))
    if dry_run and answer["effect"] and answer["effect"]["refused"]:
        raise typer.Exit(1)


def _moves(given: list[str]) -> dict[str, dict[str, str]]:
    """`agents.anna=requeue` as the member `moves` has it. Raises `WrongInput`."""
    moves: dict[str, dict[str, str]] = {}
    for one in given:
        place, _, to = one.partition("=")
        section, _, slug = place.partition(".")
        if section not in ("agents", "queues") or not slug or not to:
            raise WrongInput(f"--move {one}: as agents.anna=requeue or queues.billing=general")
        moves.setdefault(section, {})[slug] = to
    return moves


@contextmanager
def lines_of(document: DocumentFile) -> Iterator[None]:
    """The server's errors get the lines of the file, where the server could not know them."""
    try:
        yield
    except ApiError as error:
        for item in error.problem.get("errors") or ():
            if not item.get("line") and str(item.get("pointer", "")).startswith("/"):
                item["line"] = document.line_of(item["pointer"])
        raise


async def check_document(session: Session, content: bytes, media_type: str) -> dict[str, Any]:
    """What the document would change and do, and what in it is not active. Raises `ApiError` when it has mistakes."""
    answer = await session.call(
        "POST", "/routing/v1/config:check", content=content, headers={"Content-Type": media_type}
    )
    checked: dict[str, Any] = answer.json()
    return checked


async def put_document(
    session: Session, content: bytes, media_type: str, *, open_clocks: str | None = None, reason: str | None = None
) -> dict[str, Any]:
    """Puts the document in the place of the one that stands, and waits until every service has that version."""
    answer = await session.call(
        "PUT",
        "/routing/v1/config",
        content=content,
        params={"open_clocks": open_clocks, "reason": reason},
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
    document = read_document_file(file)

    async def question(session: Session) -> dict[str, Any]:
        with lines_of(document):
            return placed(await check_document(session, document.content, document.media_type), document)

    answer = ask(profile, document.workspace, question)
    changes = answer["diff"]
    if json:
        print_json(answer)
    else:
        print_difference(answer, document)
    if changes:
        raise typer.Exit(1)


def versions(workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False) -> None:
    """Lists the versions, newest first."""
    items = ask(profile, workspace, lambda session: session.pages("/routing/v1/config/versions", limit=200))
    if json:
        print_json({"items": items})
        return
    rows = [(i["version"], i["applied_at"], f"{i['author']['kind']} {i['author']['id']}", i["reason"]) for i in items]
    print_table(("version", "applied", "by", "reason"), rows, none="No version yet.")


def rollback(
    version: Annotated[int, typer.Argument(min=1, help="The version whose document shall hold again.")],
    reason: ReasonOption = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Makes an earlier version's document hold again, as a new version."""

    async def work() -> dict[str, Any]:
        async with open_session(profile, workspace) as session:
            body = {"version": version, "reason": reason}
            answer: dict[str, Any] = await session.post("/routing/v1/config:rollback", body)
            await wait_for_version(session, answer["version"])
            return answer

    answer = run(work())
    if json:
        print_json(answer)
    else:
        say(f"Version {answer['version']} holds; it is version {version} again.")
