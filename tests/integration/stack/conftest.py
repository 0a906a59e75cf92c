"""A service that only tests have, with migrations of its own, and an empty database for it."""

import importlib
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from tests.integration.stack.depot import SERVICE, Depot

from pointsman.local import Postgres

_numbers = count(1)


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[str]:
    """The DSN of an empty database."""
    name = f"migrations_{next(_numbers)}"
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    yield postgres.dsn_of(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.execute(f"DROP ROLE IF EXISTS pointsman_{SERVICE}")
    await admin.close()


@pytest.fixture
def depot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Depot:
    made = Depot(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return made
