"""A broker that lost its log is recognised, gets the facts again, and nobody decides anything twice."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from pointsman.core.ids import lane_of
from pointsman.local import Tansu, create_topics
from pointsman.runtime.broker import make_producer
from pointsman.runtime.group_commit import GroupCommit
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import DESK
from tests.integration.runtime.test_slots import a_group


def added(amount: int) -> dict[str, object]:
    return {"type": "added", "amount": amount}


@pytest.fixture
def address_file(tmp_path: Path) -> Path:
    return tmp_path / "broker"


async def _publish(broker: Tansu, sums: Sums, address_file: Path) -> None:
    """What the supervisor does: topics first, then the address."""
    await create_topics(broker.address, sums.settings.partitions, sums.settings.topic_prefix)
    await asyncio.to_thread(address_file.write_text, broker.address)


async def test_facts_are_sent_again_to_a_broker_that_lost_its_log(
    sums: Sums, installation: Installation, tmp_path: Path, address_file: Path
) -> None:
    async with Tansu(tmp_path / "first") as first:
        await _publish(first, sums, address_file)
        tansus = {"broker": f"file:{address_file}", **Tansu.settings}
        sums.settings = sums.settings.model_copy(update=tansus)
        await sums.producer.stop()
        sums.producer = make_producer(sums.settings, first.address)
        await sums.producer.start()
        async with sums.worker() as worker:
            for number in range(50):
                await sums.say(f"s{number}", added(1))
            await until(lambda: _facts(sums, 50))
            await sums.producer.stop()
            await first.stop()
            async with Tansu(tmp_path / "second") as second:
                await _publish(second, sums, address_file)
                await until(lambda: worker.link.cluster == second.cluster_id)
                sums.producer = make_producer(sums.settings, second.address)
                await sums.producer.start()
                # The source sends all it ever said again, as every relay does, and then goes on.
                for number in range(50):
                    await sums.say(f"s{number}", added(1), number=number + 1)
                for number in range(50):
                    await sums.say(f"s{number}", added(1))
                await until(lambda: _facts(sums, 100))
                sums.settings = sums.settings.model_copy(update={"broker": second.address})
                records = await sums.read(DESK, 100)
                assert [int(dict(record.headers)["ce_number"]) for record in records] == list(range(1, 101))
                await sums.producer.stop()
                sums.producer = make_producer(installation.settings, installation.settings.broker)
                await sums.producer.start()
    assert set((await sums.sums()).values()) == {2}


async def test_what_waited_for_the_word_of_a_broker_that_was_killed_is_sent_to_the_one_that_came_back(
    sums: Sums, tmp_path: Path, address_file: Path
) -> None:
    """The producer forgot what it held, and the relay waited for its word for ever."""
    async with Tansu(tmp_path / "first") as first:
        await _publish(first, sums, address_file)
        sums.settings = sums.settings.model_copy(update={"broker": f"file:{address_file}", **Tansu.settings})
        async with a_group(sums) as group:
            assert await group.submit(("acme", 1)) == 1
            await until(lambda: _sent(sums, 1))
            first.process.signal(signal.SIGSTOP)
            assert await group.submit(("acme", 2)) == 2
            await until(lambda: _on_its_way(group, "acme"))
            first.process.signal(signal.SIGKILL)
            async with Tansu(tmp_path / "second") as second:
                await _publish(second, sums, address_file)
                sums.settings = sums.settings.model_copy(update={"broker": second.address})
                records = await sums.read(DESK, 2, within_seconds=30)
    assert [int(dict(record.headers)["ce_number"]) for record in records] == [1, 2]


async def _sent(sums: Sums, number: int) -> bool:
    return bool(await sums.db.fetchval("SELECT max(number) = $1 FROM sums.sent", number))


def _on_its_way(group: GroupCommit[Any, Any], workspace: str) -> bool:
    """Whether the relay has handed everything to the producer, and waits for its word."""
    assert group._lease.slot is not None
    line = group._lease.slot.lines[lane_of(workspace, group._settings.partitions)]
    return line.unsent == 1 and not line._pending


async def _facts(sums: Sums, count: int) -> bool:
    return bool(await sums.db.fetchval("SELECT count(*) = $1 FROM sums.fact", count))
