"""A configuration version that arrives in the same batch as the ticket that needs it."""

from datetime import UTC, datetime

import pytest

from pointsman.testing.waiting import until
from tests.integration.sla.conftest import Service, a_policy

pytestmark = pytest.mark.stack


async def test_a_clock_counts_by_the_version_that_came_right_before_its_ticket(service: Service) -> None:
    at = datetime.now(UTC)
    await service.configure(a_policy(600), version=1)
    await service.open("tkt_1", at)
    await service.configure(a_policy(900), version=2)
    await service.open("tkt_2", at, config_version=2)
    # Everything waits in the log: the worker takes it in one batch.
    async with service.worker():
        await until(lambda: service.pool.fetchval("SELECT count(*) = 2 FROM clock"))
    rows = await service.pool.fetch("SELECT ticket_id, config_version, target_seconds FROM clock ORDER BY ticket_id")
    assert [tuple(row) for row in rows] == [("tkt_1", 1, 600), ("tkt_2", 2, 900)]
    started = await service.facts("clock.started")
    assert [fact["config_version"] for fact in started] == [1, 2]
