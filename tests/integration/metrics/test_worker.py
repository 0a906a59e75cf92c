"""The worker of metrics on a real broker: facts published on `desk` and `sla` become rows."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, SLA
from pointsman.core.cause import RecordCause
from pointsman.core.decision import Emission
from pointsman.core.envelope import Envelope
from pointsman.core.ids import lane_of
from pointsman.runtime.worker import Worker
from pointsman.testing.installation import PARTITIONS, Installation
from pointsman.testing.waiting import until
from pointsman_metrics.worker import MetricsLogic
from tests.integration.metrics.folding import many_lives
from tests.unit.metrics.desk_facts import assigned, record
from tests.unit.metrics.test_clocks import met, started

pytestmark = pytest.mark.stack


@pytest.fixture
def installation(whole: Installation) -> Installation:
    """The worker reads topics."""
    return whole


async def publish(installation: Installation, records: list[RecordCause]) -> None:
    """The records as routing and sla would publish them: numbered per topic, in order, keyed by workspace."""
    producer = AIOKafkaProducer(bootstrap_servers=installation.settings.broker, linger_ms=5)
    await producer.start()
    numbers = {"desk": 0, "sla": 0}
    pending = []
    for cause in records:
        topic = DESK if cause.topic == "desk" else SLA
        numbers[topic.name] += 1
        partition = lane_of(cause.workspace, PARTITIONS)
        emission = Emission(cause.workspace, cause.subject, cause.at, cause.bodies)
        envelope = Envelope(
            id=f"evt_{topic.name}_{numbers[topic.name]}",
            source=f"{topic.name}@test",
            topic=topic.name,
            partition=partition,
            number=numbers[topic.name],
            cause="test",
            workspace=cause.workspace,
            subject=cause.subject,
            at=cause.at,
            types=tuple(body.type for body in cause.bodies),
            agents=(),
            body=codec.encode_facts(emission),
        )
        pending.append(
            await producer.send(
                topic.full_name(installation.settings.topic_prefix),
                envelope.body,
                key=cause.workspace.encode(),
                partition=partition,
                headers=codec.fact_headers(envelope),
            )
        )
    await asyncio.gather(*pending)
    await producer.stop()


async def test_published_facts_become_rows_and_a_strange_one_a_dead_letter(
    installation: Installation, pool: Any
) -> None:
    lives = many_lives(25, seed=3)
    stranger = record(9_000, assigned(ticket_id="tkt_never_opened"))
    clock = [record(0, started(), topic="sla"), record(30, met(30), topic="sla")]
    worker = Worker(
        installation.settings,
        service="metrics",
        reads=(DESK, SLA, COMMANDS),
        writes=None,
        logic=MetricsLogic(),
        codec=codec,
    )

    async def folded() -> bool:
        letters = await pool.fetchval("SELECT count(*) FROM dead_letter")
        clocks = await pool.fetchval("SELECT count(*) FROM clock WHERE state = 'met'")
        return bool(letters == 1 and clocks == 1)

    async with worker:
        await publish(installation, [*lives, stranger, *clock])
        await until(folded)
    assert await pool.fetchval("SELECT count(*) FROM ticket") == 25
    assert "tkt_never_opened" in await pool.fetchval("SELECT detail FROM dead_letter")
