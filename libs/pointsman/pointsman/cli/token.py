"""`pointsman token`: issue, list, revoke. An operator's token is issued here only, with the key file."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.output import print_json, print_table, say
from pointsman.cli.server import JsonOption, ProfileOption, WorkspaceOption, ask, open_session, run
from pointsman.core.ids import random_id
from pointsman.core.instant import EPOCH, after, rfc3339
from pointsman.local.folder import StackFolder
from pointsman.runtime.auth import EVERY_WORKSPACE, ROLES, TTL_SECONDS_MAX, sign_token
from pointsman.runtime.issuer_keys import IssuerKeys

TTL_SECONDS = 30 * 86_400
OPERATOR_TTL_SECONDS = 8 * 3_600


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    token = typer.Typer(help="Tokens: who may call, as what.", no_args_is_help=True)
    token.command("issue", epilog="Example: pointsman token issue agent -w acme --sub anna --ttl 86400")(issue)
    token.command("list", epilog="Example: pointsman token list -w acme")(list_tokens)
    token.command("revoke", epilog="Example: pointsman token revoke tok_01k… -w acme")(revoke)
    app.add_typer(token, name="token")


def issue(
    role: Annotated[str, typer.Argument(help=", ".join(ROLES))],
    sub: Annotated[str | None, typer.Option(help="The connector's or agent's slug, or a person's name.")] = None,
    ttl: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=TTL_SECONDS_MAX,
            help="Seconds until it expires; without it 30 days, an operator's 8 hours.",
            show_default=False,
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(envvar="POINTSMAN_KEY_FILE", help="Sign here with this key, without a server."),
    ] = None,
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Issues a token: by the server, or with --key-file signed here without one (an operator's always is).

    A token signed here is in no list; an operator revokes it by its id (`token revoke`).
    """
    if ttl is None:
        ttl = OPERATOR_TTL_SECONDS if role == "operator" else TTL_SECONDS
    if role not in ROLES:
        raise WrongInput(f"{role!r} is no role: {', '.join(ROLES)}")
    if role in ("connector", "agent") and sub is None:
        raise WrongInput(f"a token of a {role} names it: --sub SLUG")
    if role == "operator":
        key_file = key_file or _local_key_file()
        if key_file is None:
            raise WrongInput("an operator's token is signed with the key file only: --key-file")
        answer = _sign(key_file, role, EVERY_WORKSPACE, sub or role, ttl)
    elif key_file is not None:
        if workspace is None:
            raise WrongInput("name the workspace with --workspace")
        answer = _sign(key_file, role, workspace, sub or role, ttl)
    else:
        answer = run(_ask(role, workspace, sub or role, ttl, profile))
    if json:
        print_json(answer)
    else:
        print(answer["token"])
        say(f"{answer['token_id']} expires {answer['expires_at']}.")


def _local_key_file() -> Path | None:
    path = StackFolder.here().status().key_file
    return Path(path) if path else None


def _sign(key_file: Path, role: str, workspace: str, sub: str, ttl: int) -> dict[str, Any]:
    token_id = random_id("tok", after(EPOCH, time.time()))
    try:
        token = sign_token(IssuerKeys.read(key_file), role, workspace, sub, ttl, token_id)
    except OSError as error:
        raise CommandFailed(f"{key_file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CommandFailed(str(error)) from error
    return {"token_id": token_id, "token": token, "expires_at": rfc3339(after(EPOCH, int(time.time()) + ttl))}


async def _ask(role: str, workspace: str | None, sub: str, ttl: int, profile: str | None) -> dict[str, Any]:
    async with open_session(profile, workspace) as session:
        body = {"role": role, "sub": sub, "ttl_seconds": ttl}
        answer: dict[str, Any] = await session.post("/routing/v1/tokens", body)
        return answer


def list_tokens(workspace: WorkspaceOption = None, profile: ProfileOption = None, json: JsonOption = False) -> None:
    """Lists the tokens that the server issued for the workspace."""
    items = ask(profile, workspace, lambda session: session.pages("/routing/v1/tokens"))
    if json:
        print_json({"items": items})
        return
    columns = ("token_id", "role", "sub", "expires_at", "revoked_at")
    print_table(columns, ([item.get(name) for name in columns] for item in items), none="No token.")


def revoke(
    token_id: Annotated[str, typer.Argument(help="As `token list` or `token issue` showed it.")],
    workspace: WorkspaceOption = None,
    profile: ProfileOption = None,
) -> None:
    """Takes a token back: from now on every process refuses it. An operator may revoke one that is in no list."""
    ask(profile, workspace, lambda session: session.call("DELETE", f"/routing/v1/tokens/{token_id}"))
    say(f"{token_id} is revoked.")
