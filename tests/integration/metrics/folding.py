"""Feeds metrics' lane with records as the runtime does: gather, decide, one transaction, committed."""

import random
from collections.abc import Sequence
from typing import Any

from pointsman.contracts.base import Contract
from pointsman.core.cause import RecordCause
from pointsman.core.decision import NOTHING
from pointsman.runtime.database import connect
from pointsman.runtime.installation import verify_installation
from pointsman.runtime.logic import Batch, Decided
from pointsman.testing.installation import Installation
from pointsman_metrics.worker import MetricsLane, MetricsLogic
from tests.unit.metrics import desk_facts
from tests.unit.metrics.desk_facts import START, at

LOGIC = MetricsLogic()


async def verified(installation: Installation) -> None:
    """Stores the installation's identity, as the first worker does."""
    db = await connect(installation.settings, "metrics", purpose="test")
    await verify_installation(db, installation.settings)
    await db.close()


async def fold(pool: Any, records: Sequence[RecordCause], *, batch_size: int = 100, restart_every: int = 0) -> None:
    """Folds the records. With `restart_every` the lane is taken anew after that many batches."""
    lane = MetricsLane()
    for number, start in enumerate(range(0, len(records), batch_size), 1):
        batch = records[start : start + batch_size]
        async with pool.acquire() as db:
            await LOGIC.gather(db, lane, batch)
            for record in batch:
                assert LOGIC.decide(lane, record, START) is NOTHING
            async with db.transaction():
                await LOGIC.write(db, lane, Batch(0, START, [Decided(record, NOTHING) for record in batch]))
        LOGIC.committed(lane)
        if restart_every and number % restart_every == 0:
            lane = MetricsLane()


def of_ticket(fact: Contract, ticket_id: str) -> Contract:
    """The same fact about another ticket."""
    return fact.model_copy(update={"ticket_id": ticket_id})


def many_lives(count: int, seed: int, workspace: str = "acme") -> list[RecordCause]:
    """Records of random lives of tickets, one fact a record, in order of time."""
    chance = random.Random(seed)
    steps: list[Any] = [
        desk_facts.queued,
        desk_facts.offered,
        desk_facts.rejected,
        desk_facts.expired,
        desk_facts.accepted,
        desk_facts.assigned,
        desk_facts.pended,
        desk_facts.resolved,
        desk_facts.wrapped_up,
        desk_facts.reopened,
    ]
    records = []
    for number in range(count):
        ticket_id = f"tkt_{workspace}_{number}"
        second = chance.randrange(0, 3_600)
        opened = desk_facts.opened(ticket_id, opened_at=at(second))
        story: list[tuple[int, Contract]] = [(second, opened), (second, desk_facts.classified())]
        for _ in range(chance.randrange(12)):
            second += chance.randrange(60)
            reply = desk_facts.replied(second, message_id=f"msg_{number}_{second}")
            fact: Contract = chance.choice([*(step() for step in steps), desk_facts.wrote(second), reply])
            story.append((second, fact))
        for place, (instant, fact) in enumerate(story):
            records.append(
                desk_facts.record(instant, of_ticket(fact, ticket_id), id=f"evt_{number}_{place}", workspace=workspace)
            )
    return sorted(records, key=lambda record: record.at)
