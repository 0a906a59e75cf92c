"""One PostgreSQL and one broker a session; a fresh database and fresh topics a test, or a module that only asks.

PostgreSQL's data, and Apache Kafka's, are in memory where the machine lends some: a database and topics are made for
each test of real servers, a few hundred files each, and a disk needs several times as long for them.

`POINTSMAN_TEST_BROKER=kafka` runs what meets a broker on Apache Kafka instead of tansu, and leaves out the rest, which
would be the same again. The processes end with pytest, however it ends. Tests of durability start a
`Postgres(tmp_path)` of their own; tests that kill a broker or the database start theirs as well, so that no other test
feels it.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio

from pointsman.local import Kafka, Postgres, Tansu
from pointsman.testing.installation import Broker, Installation, fresh_installation, make_template
from pointsman.testing.memory import a_folder_in_memory

CHECKOUT = Path(__file__).parent.parent
JARS, POM = CHECKOUT / ".pointsman/kafka/lib", CHECKOUT / "deploy/kafka/pom.xml"
TEMPLATE = "template_of_tests"
MEMORY_BYTES_MIN = 4 * 1024**3

ON_KAFKA = os.environ.get("POINTSMAN_TEST_BROKER", "tansu") == "kafka"

T = TypeVar("T")
_numbers = count(1)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Runs work of a session fixture on a loop of its own, which leaves the tests' loops alone."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On Apache Kafka: the tests that ask for the broker, and those of Kafka itself (marked `kafka`)."""
    if not ON_KAFKA:
        return

    def differs(item: pytest.Item) -> bool:
        return "broker" in getattr(item, "fixturenames", ()) or item.get_closest_marker("kafka") is not None

    config.hook.pytest_deselected(items=[item for item in items if not differs(item)])
    items[:] = [item for item in items if differs(item)]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The session's PostgreSQL, without fsync."""
    with a_folder_in_memory(MEMORY_BYTES_MIN) as memory:
        server = Postgres(memory or tmp_path_factory.mktemp("postgres"), durable=False)
        _run(server.start())
        try:
            yield server
        finally:
            _run(server.stop())


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The session's broker: tansu, or Apache Kafka when `POINTSMAN_TEST_BROKER=kafka`."""
    with a_folder_in_memory(MEMORY_BYTES_MIN) if ON_KAFKA else nullcontext() as memory:
        folder = memory or tmp_path_factory.mktemp("broker")
        server: Broker = Kafka(folder, jars=JARS, pom=POM) if ON_KAFKA else Tansu(folder)
        _run(server.start())
        try:
            yield server
        finally:
            _run(server.stop())


@pytest.fixture(scope="session")
def installation_template(postgres: Postgres) -> str:
    """The name of a database with every service's schema, to be cloned."""
    _run(make_template(postgres, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def installation(whole: Installation) -> Installation:
    """A fresh installation: whole, except where nothing meets a broker, and `tables` are enough."""
    return whole


@pytest.fixture
async def whole(postgres: Postgres, broker: Broker, installation_template: str) -> AsyncIterator[Installation]:
    """A fresh installation: its database cloned from the template, its topics new."""
    async with fresh_installation(
        postgres, broker, template=installation_template, name=f"test_{next(_numbers)}"
    ) as fresh:
        yield fresh


@pytest.fixture
async def tables(postgres: Postgres, installation_template: str) -> AsyncIterator[Installation]:
    """A fresh installation without a broker: for what meets its tables alone, and is not run again on Kafka."""
    async with fresh_installation(postgres, None, template=installation_template, name=f"test_{next(_numbers)}") as own:
        yield own


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_installation(
    postgres: Postgres, broker: Broker, installation_template: str
) -> AsyncIterator[Installation]:
    """One for a module whose tests change nothing: what they ask is refused. They are marked
    `asyncio(loop_scope="module")`, since what serves them lives on one loop."""
    async with fresh_installation(
        postgres, broker, template=installation_template, name=f"test_{next(_numbers)}"
    ) as fresh:
        yield fresh
