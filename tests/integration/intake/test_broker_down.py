"""Intake needs the database, not the broker: it accepts while the broker is away, and tells afterwards."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from pointsman.contracts.topics import REQUESTS
from pointsman.local import Tansu, create_topics
from pointsman.runtime.broker import make_consumer
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.intake.serving import an_api, configure

pytestmark = pytest.mark.stack


async def test_accepts_while_the_broker_is_down_and_tells_when_it_is_back(
    installation: Installation, tmp_path: Path
) -> None:
    await configure(installation)
    address = tmp_path / "broker"
    address.write_text("127.0.0.1:1\n")
    settings = installation.settings.model_copy(
        update={"broker": f"file:{address}", **Tansu.settings, "topic_prefix": "again"}
    )
    async with an_api(settings, tmp_path) as api:
        accepted = [
            (
                await api.post("/v1/messages", json={"connector": "site-chat", "external_id": f"m{n}", "text": "Hello"})
            ).json()
            for n in range(20)
        ]
        assert all("ticket_id" in one for one in accepted)
        async with Tansu(tmp_path / "tansu") as broker:
            await create_topics(broker.address, settings.partitions, settings.topic_prefix)
            address.write_text(broker.address + "\n")
            told: list[str] = []
            consumer = make_consumer(settings, broker.address)
            await consumer.start()
            name = REQUESTS.full_name(settings.topic_prefix)
            partitions = [TopicPartition(name, partition) for partition in range(settings.partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)

            async def all_told() -> bool:
                fetched = await consumer.getmany(timeout_ms=100)
                for records in fetched.values():
                    told.extend(dict(record.headers)["ce_subject"].decode() for record in records)
                return len(told) >= len(accepted)

            try:
                await until(all_told, within_seconds=60)
            finally:
                await consumer.stop()
        assert sorted(set(told)) == sorted(one["ticket_id"] for one in accepted)


async def test_two_api_processes_take_the_first_messages_of_one_conversation(
    installation: Installation, tmp_path: Path
) -> None:
    """chatwoot#6046, PR#13359: one conversation, posted to two processes at once, is one ticket."""
    await configure(installation)
    async with an_api(installation.settings, tmp_path) as one, an_api(installation.settings, tmp_path) as two:
        for round in range(10):
            posts = [
                api.post(
                    "/v1/messages",
                    json={
                        "connector": "site-chat",
                        "external_id": f"m{round}-{n % 8}",
                        "thread": f"t{round}",
                        "text": "Hello",
                    },
                )
                for n in range(16)
                for api in (one, two)
            ]
            answers = [answer.json() for answer in await asyncio.gather(*posts)]
            assert len({answer["ticket_id"] for answer in answers}) == 1
            assert len({answer["message_id"] for answer in answers}) == 8
            assert sum(not answer["duplicate"] for answer in answers) == 8
    db = await installation.connect("intake")
    sources = await db.fetchval("SELECT count(DISTINCT source) FROM fact")
    assert await db.fetchval("SELECT count(*) FROM fact") == 80
    await db.close()
    assert sources == 2
