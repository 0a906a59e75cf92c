"""Timers on real servers: every clock that should breach does so once, never early and on time, and no other does."""

from datetime import UTC, datetime, timedelta

import pytest

from pointsman.testing.waiting import until
from pointsman_sla.worker import NEAR_SECONDS
from tests.integration.sla.conftest import Service, a_policy, soon

pytestmark = pytest.mark.stack

PATIENCE_SECONDS = 2.0
"""What a machine that is busy with other things may add; the benchmark measures how late firings really are."""


async def test_a_breach_fires_once_on_time_and_never_early(service: Service) -> None:
    async with service.worker():
        await service.configure(a_policy(1))
        at = datetime.now(UTC)
        for number in range(20):
            await service.open(f"tkt_{number}", at)
        await until(lambda: _breaches(service, 20))
    rows = await service.pool.fetch("SELECT made_at FROM fact WHERE 'clock.breached' = ANY(types)")
    assert len(rows) == 20
    lateness = [(row["made_at"] - at).total_seconds() - 1 for row in rows]
    assert min(lateness) >= 0
    assert max(lateness) < PATIENCE_SECONDS
    breaches = await service.facts("clock.breached")
    assert len({fact["clock_id"] for fact in breaches}) == 20
    assert await service.pool.fetchval("SELECT count(*) FROM timer") == 0


async def test_a_reply_in_time_prevents_it(service: Service) -> None:
    async with service.worker():
        await service.configure(a_policy(1))
        await service.open("tkt_1")
        await service.reply("tkt_1")
        await service.open("tkt_2")
        breach = await service.fact("clock.breached")
    assert breach["ticket_id"] == "tkt_2"
    assert (await service.fact("clock.met"))["ticket_id"] == "tkt_1"


async def test_what_was_overdue_at_restart_fires_marked_late(service: Service) -> None:
    async with service.worker():
        await service.configure(a_policy(5))
        await service.open("tkt_1")
        timer = await service.row("SELECT fire_at FROM timer")
    await until(lambda: _passed(service, timer["fire_at"] + timedelta(seconds=0.5)))
    async with service.worker():
        breach = await service.fact("clock.breached")
    assert breach["late"]
    assert breach["lateness_seconds"] >= 0.5


async def test_sla_down_while_a_reply_in_time_waits_in_the_log_makes_no_false_breach(service: Service) -> None:
    async with service.worker():
        await service.configure(a_policy(5))
        await service.open("tkt_1")
        await service.open("tkt_2")
        await service.row("SELECT 1 FROM timer OFFSET 1")
    await service.reply("tkt_1")
    due = await service.pool.fetchval("SELECT max(fire_at) FROM timer")
    await until(lambda: _passed(service, due))
    async with service.worker():
        breach = await service.fact("clock.breached")
        await service.fact("clock.met")
    assert breach["ticket_id"] == "tkt_2"
    assert len(await service.facts("clock.breached")) == 1
    assert await service.facts("clock.corrected") == []


async def test_a_reply_that_was_committed_late_withdraws_the_breach_and_resolves_the_alert(service: Service) -> None:
    async with service.worker():
        await service.configure(a_policy(1))
        await service.open("tkt_1")
        in_time = datetime.now(UTC)
        await service.fact("clock.breached")
        await service.reply("tkt_1", in_time)
        corrected = await service.fact("clock.corrected")
    assert corrected["withdraws"] == "breach"
    assert (await service.facts("clock.met"))[0]["breached_before"] is False
    clock = await service.pool.fetchrow("SELECT state, breached_at FROM clock")
    assert tuple(clock) == ("met", None)
    assert await service.pool.fetchval("SELECT state FROM alert") == "resolved"


async def test_two_workers_share_the_lanes_and_nothing_fires_twice(service: Service) -> None:
    async with service.worker(), service.worker():
        workspaces = [f"space-{number}" for number in range(8)]
        for workspace in workspaces:
            await service.configure(a_policy(2), workspace=workspace)
            for number in range(10):
                await service.open(f"tkt_{workspace}_{number}", workspace=workspace)
        await until(lambda: _breaches(service, 80))
    breaches = await service.facts("clock.breached")
    assert len({fact["clock_id"] for fact in breaches}) == len(breaches) == 80


async def test_timers_far_ahead_stay_in_the_table(service: Service) -> None:
    async with service.worker() as worker:
        await service.configure(a_policy(60))
        await service.open("tkt_1")
        await service.row("SELECT 1 FROM timer")
        states = [lane._decider.state for lane in worker.lanes.values()]
        assert not any(state.near.timers for state in states), "a few seconds are held in memory, and no more"


async def test_they_are_taken_up_in_time(service: Service) -> None:
    async with service.worker():
        await service.configure(a_policy(int(NEAR_SECONDS) + 2))
        await service.open("tkt_1")
        breach = await service.fact("clock.breached")
    assert 0 <= breach["lateness_seconds"] < PATIENCE_SECONDS


async def test_a_timer_of_an_older_generation_is_nothing(service: Service) -> None:
    async with service.worker():
        await service.configure(a_policy(3600))
        await service.open("tkt_1")
        await service.row("SELECT 1 FROM timer")
    await service.pool.execute("UPDATE timer SET generation = generation - 1, fire_at = $1", soon(-5))
    async with service.worker():
        await service.open("tkt_2")
        await service.row("SELECT 1 FROM clock WHERE ticket_id = 'tkt_2'")
    assert await service.facts("clock.breached") == []


async def _breaches(service: Service, count: int) -> bool:
    return len(await service.facts("clock.breached")) >= count


async def _passed(service: Service, at: datetime) -> bool:
    passed: bool = await service.pool.fetchval("SELECT now() > $1", at)
    return passed
