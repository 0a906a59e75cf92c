"""Intake's part of the `pointsman` command: `send`, `quarantine`, `verify`."""

import base64
import json as stdlib_json
import time
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from pointsman.cli.errors import WrongInput
from pointsman.cli.output import print_fields, print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask, open_session, run
from pointsman.client.session import Session
from pointsman.core.ids import random_id
from pointsman.core.instant import EPOCH
from pointsman_intake.hooks.vectors import VectorsWrong, check_vectors

SEND_TOKEN_SECONDS = 3_600
BATCH_MESSAGES = 500
SHOWN_MESSAGES_MAX = 20

RowArgument = Annotated[str, typer.Argument(metavar="ID", help="As `quarantine list` shows it.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this service (entry point `pointsman.commands`)."""
    app.command(epilog="Example: pointsman send --connector site-chat --text 'Where is my order?'")(send)
    app.command(epilog="Example: pointsman verify vectors.json --fixtures ./fixtures --json")(verify)
    quarantine = typer.Typer(no_args_is_help=True, help="Mail and webhooks that could not be understood.")
    quarantine.command("list", epilog="Example: pointsman quarantine list")(quarantine_list)
    quarantine.command("show", epilog="Example: pointsman quarantine show qua_01k…")(quarantine_show)
    quarantine.command("replay", epilog="Example: pointsman quarantine replay qua_01k…")(quarantine_replay)
    quarantine.command("discard", epilog="Example: pointsman quarantine discard qua_01k…")(quarantine_discard)
    app.add_typer(quarantine, name="quarantine")


def send(
    connector: Annotated[str, typer.Option(help="The connector that the messages come through.")],
    text: Annotated[str | None, typer.Option(help="The text of the message.")] = None,
    file: Annotated[
        Path | None, typer.Option(help=".eml: a raw mail; .json: a message or an array; .ndjson; else the text.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many times, each a message of its own.")] = 1,
    thread: Annotated[str | None, typer.Option(help="The conversation; without it each message begins one.")] = None,
    email: Annotated[str | None, typer.Option(help="The customer's address.")] = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Posts messages as a connector would."""
    if (text is None) == (file is None):
        raise WrongInput("one of --text and --file is needed")
    content = b"" if file is None else _read(file)
    mail = file is not None and file.suffix.lower() == ".eml"
    messages = [] if mail else _messages(connector, text, file, content, count, thread, email)

    async def work() -> dict[str, Any]:
        async with open_session(profile, workspace) as session:
            as_connector = await _as_connector(session, connector)
            began = time.perf_counter()
            items = await (_post_mail(as_connector, connector, content) if mail else _post(as_connector, messages))
            return _summary(items, time.perf_counter() - began)

    summary = run(work())
    if json:
        print_json(summary)
    else:
        columns = ("message_id", "ticket_id", "duplicate")
        print_table(columns, ([item.get(name) for name in columns] for item in summary["messages"]))
        say(f"{summary['accepted']} accepted, {summary['refused']} refused in {summary['seconds']:.2f} s.")
        for error in summary["errors"]:
            say(f"refused: {error}")
    raise typer.Exit(1 if summary["refused"] else 0)


def _messages(
    connector: str,
    text: str | None,
    file: Path | None,
    content: bytes,
    count: int,
    thread: str | None,
    email: str | None,
) -> list[dict[str, Any]]:
    given: list[Any]
    try:
        if file is not None and file.suffix.lower() == ".json":
            value = orjson.loads(content)
            given = value if isinstance(value, list) else [value]
        elif file is not None and file.suffix.lower() in (".ndjson", ".jsonl"):
            given = [orjson.loads(line) for line in content.splitlines() if line.strip()]
        else:
            given = [{"text": content.decode("utf-8", "replace") if text is None else text}]
    except orjson.JSONDecodeError as error:
        raise WrongInput(f"{file}: not JSON: {error}") from error
    if not all(isinstance(one, dict) for one in given):
        raise WrongInput(f"{file}: a message is a JSON object")
    more: dict[str, Any] = {"thread": thread} if thread is not None else {}
    if email is not None:
        more["customer"] = {"email": email}
    made = []
    for number in range(count):
        for one in given:
            message = {"connector": connector, **more, **one}
            if "external_id" not in message or count > 1:
                message["external_id"] = f"{message.get('external_id', random_id('cli', EPOCH))}-{number}"
            made.append(message)
    return made


async def _post(session: Session, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(messages) == 1:
        return [await session.post("/intake/v1/messages", messages[0])]
    items: list[dict[str, Any]] = []
    for start in range(0, len(messages), BATCH_MESSAGES):
        answer = await session.post("/intake/v1/messages:batch", messages[start : start + BATCH_MESSAGES])
        items += answer["items"]
    return items


async def _post_mail(session: Session, connector: str, content: bytes) -> list[dict[str, Any]]:
    headers = {"Content-Type": "message/rfc822"}
    answer = await session.call("POST", f"/intake/v1/email/{connector}", content=content, headers=headers)
    return [answer.json()]


def _summary(items: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    accepted = [item for item in items if "message_id" in item]
    refused = [item for item in items if "message_id" not in item]
    return {
        "accepted": len(accepted),
        "duplicates": sum(bool(item["duplicate"]) for item in accepted),
        "refused": len(refused),
        "seconds": round(seconds, 3),
        "messages": accepted[:SHOWN_MESSAGES_MAX],
        "errors": [item.get("error") or item for item in refused[:SHOWN_MESSAGES_MAX]],
    }


async def _as_connector(session: Session, connector: str) -> Session:
    """The session as the connector itself: an admin's or operator's token is exchanged for one of its own."""
    token = session.headers["Authorization"].removeprefix("Bearer ")
    if _role(token) not in ("admin", "operator"):
        return session
    asked = {"role": "connector", "sub": connector, "ttl_seconds": SEND_TOKEN_SECONDS}
    issued = await session.post("/routing/v1/tokens", asked)
    return Session(session.url, issued["token"], client=session.client)


def _role(token: str) -> str | None:
    """The role that a token says it has; the server is who verifies it."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return None
    role = claims.get("role") if isinstance(claims, dict) else None
    return role if isinstance(role, str) else None


def quarantine_list(
    state: Annotated[str, typer.Option(help="open, replayed, discarded")] = "open",
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Lists what could not be understood."""
    items = ask(profile, workspace, lambda session: session.pages("/intake/v1/quarantine", state=state))
    if json:
        print_json({"items": items})
        return
    columns = ("id", "connector", "source", "at", "size", "reason", "detail")
    print_table(columns, ([item[name] for name in columns] for item in items), none="The quarantine is empty.")


def quarantine_show(
    id: RowArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Shows one row with its text."""
    found: dict[str, Any] = ask(profile, workspace, lambda session: session.get(f"/intake/v1/quarantine/{id}"))
    if json:
        print_json(found)
        return
    text = found.pop("text")
    print_fields(found)
    typer.echo(text)


def quarantine_replay(
    id: RowArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Reads one row again; it is closed when it is understood now."""
    found: dict[str, Any] = ask(profile, workspace, lambda session: session.post(f"/intake/v1/quarantine/{id}/replay"))
    if json:
        print_json(found)
        return
    say(f"Understood: {len(found['messages'])} messages.")


def quarantine_discard(id: RowArgument, workspace: WorkspaceOption = None, profile: ProfileOption = None) -> None:
    """Closes one row without reading it again."""
    ask(profile, workspace, lambda session: session.call("DELETE", f"/intake/v1/quarantine/{id}"))
    say("Discarded.")


def verify(
    vectors: Annotated[Path, typer.Argument(metavar="VECTORS.json", help="Signed requests and their verdicts.")],
    fixtures: Annotated[Path | None, typer.Option(help="The folder that `body_file` is relative to.")] = None,
    json: JsonOption = False,
) -> None:
    """Checks signed requests against the verdicts that they expect; exit code 1 when one differs."""
    try:
        result = check_vectors(stdlib_json.loads(_read(vectors)), fixtures or vectors.parent)
    except (ValueError, VectorsWrong) as error:
        raise WrongInput(f"{vectors}: {error}") from error
    if json:
        print_json(result)
    else:
        rows = (
            (row["id"], row["verdict"], row["expect"], "ok" if row["ok"] else "FAILED", row["detail"])
            for row in result["results"]
        )
        print_table(("vector", "verdict", "expected", "", "detail"), rows, none="No vector.")
        say(f"{result['passed']} passed, {result['failed']} failed.")
    raise typer.Exit(1 if result["failed"] else 0)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongInput(f"{path}: {error.strerror}") from error
