"""An installation of a test's own: a fresh database and fresh topics on servers that the tests share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from pointsman.local import Kafka, Postgres, Tansu, create_topics
from pointsman.local.topics import delete_topics
from pointsman.runtime.migrate import migrate
from pointsman.runtime.revisions import installed_services
from pointsman.runtime.settings import RuntimeSettings, environment_of

PARTITIONS = 4

Broker = Tansu | Kafka
NOWHERE = "127.0.0.1:1"
"""Where no broker is."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A migrated database, its topics, and the settings that a process of the installation would have.

    `dsn` is the superuser's, of this installation's database. Without a broker nobody answers where one should be.
    """

    settings: RuntimeSettings
    dsn: str
    postgres: Postgres

    async def connect(self, service: str | None = None) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection as the superuser, or as the service's role with its schema as `search_path`."""
        if service is None:
            return await asyncpg.connect(self.dsn)
        return await asyncpg.connect(
            self.settings.database,
            user=f"pointsman_{service}",
            password=self.settings.database_password,
            server_settings={"search_path": service},
        )

    def environment(self) -> dict[str, str]:
        """The variables that give a process of this installation these settings."""
        return {
            "POINTSMAN_BROKER": self.settings.broker,
            "POINTSMAN_TOPIC_PREFIX": self.settings.topic_prefix,
            "POINTSMAN_DATABASE": self.settings.database,
            "POINTSMAN_DATABASE_PASSWORD": self.settings.database_password or "",
            "POINTSMAN_PARTITIONS": str(self.settings.partitions),
            **environment_of({name: getattr(self.settings, name) for name in Tansu.settings}),
            "POINTSMAN_LOG_FORMAT": self.settings.log_format,
        }


async def make_template(postgres: Postgres, name: str) -> None:
    """Makes the database of this name with every installed service's schema, to be cloned by `fresh_installation`."""
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    for service, package in installed_services().items():
        await migrate(postgres.dsn_of(name), service, package, password=postgres.password)


@asynccontextmanager
async def fresh_installation(
    postgres: Postgres, broker: Broker | None, *, template: str, name: str
) -> AsyncIterator[Installation]:
    """The installation `name` (its database's and its topics' prefix), gone with all it holds at the end."""
    address, settings = (NOWHERE, Tansu.settings) if broker is None else (broker.address, broker.settings)
    admin = await asyncpg.connect(postgres.dsn)
    try:
        # Copied file by file: through the log, which is PostgreSQL's default, it takes ten times as long.
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        if broker is not None:
            await create_topics(address, PARTITIONS, name)
        yield Installation(
            settings=RuntimeSettings(
                broker=address,
                topic_prefix=name,
                database=postgres.address_of(name),
                database_password=postgres.password,
                partitions=PARTITIONS,
                log_format="console",
                # Tests put records on topics themselves, and tell nobody that they did.
                **(settings | {"fetch_rest_ms": 0}),
            ),
            dsn=postgres.dsn_of(name),
            postgres=postgres,
        )
        if broker is not None:
            await delete_topics(address, name)
    finally:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await admin.close()
