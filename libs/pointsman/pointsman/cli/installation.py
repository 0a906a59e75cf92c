"""`pointsman migrate`, `topics create`, `key create`, `key public`: what an installation needs once.

Each may be run again: what is there already is verified, and left. What a command needs is imported in it, so that the
others start fast.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from pointsman.cli.errors import CommandFailed, WrongInput

if TYPE_CHECKING:
    from pointsman.runtime.login import Login

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: pointsman migrate postgresql://db:5432/pointsman --admin-user postgres")(migrate)
    topics = typer.Typer(help="The installation's topics.", no_args_is_help=True)
    topics.command("create", epilog="Example: pointsman topics create kafka:9092 --partitions 24")(topics_create)
    app.add_typer(topics, name="topics")
    key = typer.Typer(help="The installation's keys: of its tokens, of its stored secrets.", no_args_is_help=True)
    key.command("create", epilog="Example: pointsman key create /run/pointsman/tokens.jwk")(key_create)
    key.command("public", epilog="Example: pointsman key public tokens.jwk /run/pointsman/public.jwks")(key_public)
    app.add_typer(key, name="key")


def migrate(
    dsn: Annotated[
        str | None,
        typer.Argument(help="Where the database is, postgresql://HOST:PORT/NAME; else POINTSMAN_ADMIN_DSN says it."),
    ] = None,
    admin_user: Annotated[
        str | None,
        typer.Option(help="A role that may create roles and schemas; else POINTSMAN_ADMIN_USER says it."),
    ] = None,
    password: Annotated[
        str | None, typer.Option(envvar="POINTSMAN_DATABASE_PASSWORD", help="The password of all services' roles.")
    ] = None,
    passwords: Annotated[
        Path | None,
        typer.Option(
            envvar="POINTSMAN_DATABASE_PASSWORDS_FOLDER",
            help="A folder with <service>/password, one for each role; those that are missing are made.",
        ),
    ] = None,
    after: Annotated[
        bool, typer.Option("--after", help="Also what must wait until no process of an older version runs any more.")
    ] = False,
) -> None:
    """Brings each installed service's schema to this version's revision.

    What it does only adds, so that processes of the version before go on. When all of them are gone, --after does the
    rest, which takes away what they needed; it refuses while one runs, and says which. A new schema gets both at once.

    The administrator's password is in POINTSMAN_ADMIN_PASSWORD or PGPASSWORD, whatever characters it has.
    """
    import asyncpg

    from pointsman.runtime.login import login
    from pointsman.runtime.revisions import MigrationFailed, installed_services
    from pointsman.runtime.settings import AdministratorSettings

    set_up = AdministratorSettings()
    where = dsn or set_up.dsn
    if where is None:
        raise WrongInput("say where the database is: pointsman migrate postgresql://HOST:PORT/NAME")
    try:
        admin = login(where, user=admin_user or set_up.user, password=set_up.password)
    except ValueError as error:
        raise WrongInput(str(error)) from error
    for service, package in installed_services().items():
        try:
            own = password if passwords is None else _own_password(passwords, service)
            told = asyncio.run(_migrate_one(admin, service, package, own, after))
        except MigrationFailed as error:
            raise CommandFailed(str(error)) from error
        except (OSError, asyncpg.PostgresError, asyncpg.ClientConfigurationError) as error:
            raise CommandFailed(f"the database cannot be used: {error}") from error
        print(f"{service}: {told}", file=sys.stderr)


async def _migrate_one(admin: "Login", service: str, package: str, password: str | None, after: bool) -> str:
    """What became of the service's schema, in a line."""
    import asyncpg

    from pointsman.runtime.migrate import migrate as migrate_one
    from pointsman.runtime.revisions import due_after_parts, known_revisions

    revision = await migrate_one(admin, service, package, password=password, after=after)
    session = await asyncpg.connect(**admin.arguments)
    try:
        due = await due_after_parts(session, service)
    finally:
        await session.close()
    known = known_revisions(service)
    newer = f" (newer than this version's {known[-1]}, which works with it)" if known and revision not in known else ""
    rest = f"; due when no older version runs (--after): {', '.join(due)}" if due else ""
    return f"{revision}{newer}{rest}"


def _own_password(folder: Path, service: str) -> str:
    """The password of the service's role; a new one, when its file is not there."""
    import secrets

    from pointsman.runtime.database import password_file
    from pointsman.runtime.login import read_password

    path = password_file(folder, service)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(24) + "\n")
        except FileExistsError:
            pass  # Made at an earlier start.
        found = read_password(path)
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}") from error
    if not found.strip():
        raise WrongInput(f"{path} is empty: delete it, and a password is made")
    return found


def topics_create(
    broker: Annotated[str, typer.Argument(help="host:port[,host:port]", envvar="POINTSMAN_BROKER")],
    partitions: Annotated[int, typer.Option(envvar="POINTSMAN_PARTITIONS", min=1, max=1000)] = 24,
    prefix: Annotated[str, typer.Option(envvar="POINTSMAN_TOPIC_PREFIX")] = "pointsman",
    replication: Annotated[int, typer.Option(min=1, max=10, help="Copies of each partition.")] = 1,
    json: Json = False,
) -> None:
    """Creates the topics that are missing and verifies their partition counts.

    How the broker lets clients in is read from POINTSMAN_BROKER_SECURITY and what belongs to it.
    """
    from aiokafka.errors import KafkaError

    from pointsman.local.topics import create_topics
    from pointsman.runtime.settings import RuntimeSettings

    try:
        settings = RuntimeSettings()
        counts = asyncio.run(create_topics(broker, partitions, prefix, replication=replication, settings=settings))
    except ValueError as error:
        raise WrongInput(str(error)) from error
    except (KafkaError, OSError) as error:
        raise CommandFailed(f"the broker {broker} cannot be reached: {error}") from error
    if json:
        sys.stdout.buffer.write(orjson.dumps(counts) + b"\n")
        return
    for name, count in sorted(counts.items()):
        print(f"{name}: {count} partitions")


def key_create(
    path: Annotated[
        Path, typer.Argument(help="Where to write it; only its owner may read it.", envvar="POINTSMAN_KEY_FILE")
    ],
    secrets: Annotated[bool, typer.Option("--secrets", help="The key that seals secrets, not that of tokens.")] = False,
) -> None:
    """Makes the key file, unless there is a good one."""
    from pointsman.runtime.issuer_keys import IssuerKeys, generate_key_file
    from pointsman.runtime.sealing import SealingKeys, generate_sealing_key

    try:
        if secrets:
            generate_sealing_key(path)
        else:
            generate_key_file(path)
    except FileExistsError:
        try:
            if secrets:
                SealingKeys.read(path)
            else:
                IssuerKeys.read(path)
        except (OSError, ValueError) as error:
            raise WrongInput(str(error)) from error
        print(f"{path} is there already", file=sys.stderr)
    except OSError as error:
        raise WrongInput(f"{path}: {error.strerror}") from error


def key_public(
    path: Annotated[Path, typer.Argument(help="The key file.", envvar="POINTSMAN_KEY_FILE")],
    to: Annotated[Path, typer.Argument(help="Where to write the public parts: a JWK set.")],
) -> None:
    """Writes the public parts of the keys, for processes that verify tokens and sign none."""
    from pointsman.runtime.issuer_keys import IssuerKeys, write_public_file

    try:
        write_public_file(to, IssuerKeys.read(path))
    except OSError as error:
        raise WrongInput(f"{error.filename or to}: {error.strerror}") from error
    except ValueError as error:
        raise WrongInput(str(error)) from error
