"""`pointsman secret`: set, list and remove the secrets that a workspace's document names. No command shows a value."""

import getpass
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.output import print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask, open_session, run
from pointsman.client.session import ApiError, Session

SERVICES = ("intake", "routing", "sla")
"""Those that use secrets, each with a store of its own."""


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    secret = typer.Typer(help="Secrets that the document names: set, list, remove.", no_args_is_help=True)
    secret.command("set", epilog="Example: pointsman secret set crm-hook -w acme < crm-hook.txt")(put)
    secret.command("list", epilog="Example: pointsman secret list -w acme")(names)
    secret.command("rm", epilog="Example: pointsman secret rm crm-hook -w acme")(remove)
    app.add_typer(secret, name="secret")


NameArgument = Annotated[str, typer.Argument(help="As the document names it.")]
ServiceOption = Annotated[str | None, typer.Option(help=f"Only in {', '.join(SERVICES)}; else in each.")]


def put(
    name: NameArgument,
    file: Annotated[Path | None, typer.Option(help="Read the value from this file, not from standard input.")] = None,
    previous_valid: Annotated[
        int, typer.Option(min=0, help="Seconds in which the value that is replaced stays valid too.")
    ] = 0,
    service: ServiceOption = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Stores a value, encrypted: from a file, standard input, or typed unseen. The newline at its end is left out."""
    wanted = _services(service)
    body = {"value": _value(file), "previous_valid_seconds": previous_valid}

    async def work() -> list[dict[str, Any]]:
        async with open_session(profile, workspace) as session:
            return [
                {"service": one, **(await session.call("PUT", f"/{one}/v1/secrets/{name}", json=body)).json()}
                for one in wanted
            ]

    items = run(work())
    if json:
        print_json({"items": items})
    else:
        until = items[0]["previous_until"]
        say(f"{name} is set in {', '.join(wanted)}{f'; the value before is valid until {until}' if until else ''}.")


def _value(file: Path | None) -> str:
    try:
        if file is not None:
            value = file.read_text("utf-8")
        elif sys.stdin.isatty():
            value = getpass.getpass("Value: ")
        else:
            value = sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"the value cannot be read: {error}") from error
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise WrongInput("the value is empty")
    return value


def names(workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False) -> None:
    """Lists the stored secrets of each service: names and instants."""

    async def question(session: Session) -> list[dict[str, Any]]:
        return [
            {"service": service, **item}
            for service in SERVICES
            for item in await session.pages(f"/{service}/v1/secrets")
        ]

    items = ask(profile, workspace, question)
    if json:
        print_json({"items": items})
        return
    columns = ("service", "name", "set_at", "set_by", "previous_until")
    print_table(columns, ([item[column] for column in columns] for item in items), none="No secret is stored.")


def remove(
    name: NameArgument,
    service: ServiceOption = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
) -> None:
    """Removes a stored secret, and the value before it, from each service that has it."""
    wanted = _services(service)

    async def question(session: Session) -> list[str]:
        gone = []
        for one in wanted:
            try:
                await session.call("DELETE", f"/{one}/v1/secrets/{name}")
                gone.append(one)
            except ApiError as error:
                if error.status != 404:
                    raise
        return gone

    gone = ask(profile, workspace, question)
    if not gone:
        raise CommandFailed(f"there is no secret {name} in {', '.join(wanted)}")
    say(f"{name} is removed from {', '.join(gone)}.")


def _services(named: str | None) -> tuple[str, ...]:
    if named is None:
        return SERVICES
    if named not in SERVICES:
        raise WrongInput(f"--service {named}: it is {', '.join(SERVICES)}")
    return (named,)
