"""The auditor: it finds nothing while all is well, and whatever is broken in the tables or in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import structlog.testing

from pointsman.contracts import commands as asked
from pointsman.core.cause import RecordCause
from pointsman.core.decision import Decision
from pointsman.runtime.database import open_pool
from pointsman.runtime.logic import Decided
from pointsman.testing.installation import Installation
from pointsman_routing import audit, worker
from pointsman_routing.desk.state.model import Ticket
from pointsman_routing.worker import DeskLane
from tests.integration.routing.service import RoutingService
from tests.integration.routing.test_desk_store import LANE, Stored
from tests.unit.routing.desk_driver import DeskDriver, a_workspace, as_agent, by_hints

pytestmark = pytest.mark.stack

DOCUMENT = a_workspace({"anna": {"capacity": 3, "caps": {"chat": 2}}, "boris": {"capacity": 3}, "carla": {}})


@asynccontextmanager
async def a_desk(installation: Installation) -> AsyncIterator[Stored]:
    pool = await open_pool(installation.settings, "routing", size=1)
    async with pool.acquire() as db:
        lane = DeskLane(by_hints)
        driver = Stored(db, await lane.load(db, LANE, DeskDriver(a_workspace(["x"])).now), DOCUMENT)
        await driver.write()
        yield driver
    await pool.close()


async def a_busy_day(driver: Stored) -> None:
    """Tickets in every state."""
    for number in range(14):
        driver.say(f"tkt_{number}", channel=("email", "chat", "social")[number % 3], priority="high")
        driver.advance(1)
    for ticket in [ticket.id for ticket in driver.desk.tickets.values() if ticket.offer][:5]:
        driver.accept(ticket)
    held = [ticket.id for ticket in driver.desk.tickets.values() if ticket.agent]
    driver.pend(held[0], until=driver.now + timedelta(hours=1), then="return")
    driver.resolve(held[1], wrap_up_seconds=30)
    driver.label(held[2], priority="urgent", add_tags=("vip", "a, b"))
    offered = [ticket.id for ticket in driver.desk.tickets.values() if ticket.offer]
    driver.reject(offered[0], "busy")
    await driver.write()


async def test_nothing_is_found_on_a_busy_day(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SLICE", 2)
    async with a_desk(installation) as driver:
        await a_busy_day(driver)
        assert await driver.audited() == []
        report = driver.state.auditor.report("acme")
        assert report is not None
        assert (report.tickets, report.agents) == (14, 3)
        driver.advance(45)
        driver.command(asked.PresenceEnd(agent="boris", session="app", actor=as_agent("boris")))
        await driver.write()
        assert await driver.audited() == []
        driver.state = await driver.lane.load(driver.db, LANE, driver.now)
        assert await driver.audited() == [], "what was loaded"


async def test_what_happens_within_a_cycle_is_no_finding(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "SLICE", 3)
    async with a_desk(installation) as driver:
        await a_busy_day(driver)
        auditor = driver.state.auditor
        wanted, number = auditor.ask("acme"), 100
        while (report := auditor.report("acme")) is None or report.number < wanted:
            await auditor.step(driver.db, driver.state, driver.now)
            driver.say(f"tkt_{number}")
            held = next(ticket for ticket in driver.desk.tickets.values() if ticket.state == "assigned")
            driver.resolve(held.id)
            for offered in [ticket.id for ticket in driver.desk.tickets.values() if ticket.offer]:
                driver.accept(offered)
            await driver.write()
            number += 1
        assert report.findings == []


def offered_to_two(driver: Stored) -> str:
    ticket = next(ticket for ticket in driver.desk.tickets.values() if ticket.state == "assigned")
    other = next(slug for slug in driver.desk.agents if slug != ticket.agent)
    return f"""
        INSERT INTO offer (workspace, id, ticket_id, change, agent, queue, state, reason, weight, offered_at,
                           expires_at, why, config_version)
        VALUES ('acme', 'off_other', '{ticket.id}', 1, '{other}', 'general', 'pending', '', 1, now(), now(), '{{}}', 1)
    """


def another_holder(driver: Stored) -> str:
    ticket = next(ticket for ticket in driver.desk.tickets.values() if ticket.state == "assigned")
    return f"UPDATE ticket SET agent = 'somebody' WHERE id = '{ticket.id}'"


def a_row_too_few(driver: Stored) -> str:
    return f"DELETE FROM ticket WHERE id = '{next(iter(driver.desk.tickets))}'"


def a_row_too_many(driver: Stored) -> str:
    return """
        CREATE TEMPORARY TABLE copied AS SELECT * FROM ticket WHERE state = 'queued' LIMIT 1;
        UPDATE copied SET id = 'tkt_ghost';
        INSERT INTO ticket SELECT * FROM copied;
        DROP TABLE copied
    """


def another_load(_: Stored) -> str:
    return "UPDATE agent SET load = load + 1 WHERE agent = 'anna'"


def another_lease(_: Stored) -> str:
    return "UPDATE session SET lease_until = lease_until + interval '1 minute' WHERE agent = 'anna'"


def an_offer_too_few(_: Stored) -> str:
    return "UPDATE offer SET state = 'expired' WHERE state = 'pending'"


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (offered_to_two, "double-owner"),
        (another_holder, "row-differs"),
        (a_row_too_few, "row-differs"),
        (a_row_too_many, "row-differs"),
        (another_load, "row-differs"),
        (another_lease, "row-differs"),
        (an_offer_too_few, "row-differs"),
    ],
)
async def test_a_row_that_somebody_changed_is_found_and_raises_one_alarm(
    installation: Installation, statement: Callable[[Stored], str], kind: str
) -> None:
    async with a_desk(installation) as driver:
        await a_busy_day(driver)
        await driver.db.execute(statement(driver))
        with structlog.testing.capture_logs() as logs:
            found = await driver.audited()
            await driver.audited()
        assert kind in {finding.kind for finding in found}
        alarms = [log for log in logs if log.get("alarm") == "audit"]
        assert len(alarms) == len({(each.kind, each.ticket, each.agent) for each in found}), "not again while it stands"
        assert all(alarm["ticket"] or alarm["agent"] for alarm in alarms)


async def test_more_than_capacity_is_found_unless_a_person_or_a_lowered_configuration_did_it(
    installation: Installation,
) -> None:
    async with a_desk(installation) as driver:
        await a_busy_day(driver)
        full = next(agent for agent in driver.desk.agents.values() if agent.load > 1)
        lowered = {**DOCUMENT, "agents": {**DOCUMENT["agents"], full.slug: {"capacity": 1}}}
        driver.advance(1)
        driver.configure(lowered)
        await driver.write()
        assert full.load > full.profile.capacity
        assert await driver.audited() == []
        held = next(driver.ticket(id) for id in full.hand if driver.ticket(id).charged)
        charge = held.charge
        assert charge is not None
        held.charge = charge._replace(at=driver.now, config_version=driver.desk.policy.version)
        await rewrite(driver, held)
        assert {finding.kind for finding in await driver.audited()} == {"over-capacity"}
        held.charge = held.charge._replace(override=True)
        await rewrite(driver, held)
        assert await driver.audited() == [], "a supervisor said so, by name"


async def rewrite(driver: Stored, ticket: Ticket) -> None:
    """As if it had been decided so."""
    driver.desk.changes.tickets[ticket.id] = ticket
    cause = RecordCause("evt_x", "requests", "acme", ticket.id, driver.now, ())
    driver.pending.append(Decided(cause, Decision()))
    await driver.write()


async def test_a_charge_that_is_older_than_a_lowered_capacity_may_be_held_again(installation: Installation) -> None:
    """Wrapped up and reopened, set aside on the charge and woken: the agent gets nothing that they had not."""
    holding = DOCUMENT | {"channels": {"email": {"pending_holds": True}}}
    async with a_desk(installation) as driver:
        driver.configure(holding)
        for agent in ("boris", "carla"):
            driver.away(agent)
        for number in range(3):
            driver.assigned(f"tkt_{number}")
        lowered = {**holding, "agents": {**holding["agents"], "anna": {**holding["agents"]["anna"], "capacity": 1}}}
        driver.advance(1)
        driver.configure(lowered)
        driver.advance(1)
        driver.resolve("tkt_0", wrap_up_seconds=300)
        driver.pend("tkt_1")
        driver.advance(1)
        for ticket in ("tkt_0", "tkt_1"):
            driver.say(ticket)
        await driver.write()
        assert (driver.ticket("tkt_0").agent, driver.ticket("tkt_1").agent, driver.agent("anna").load) == (
            "anna",
            "anna",
            3,
        )
        assert await driver.audited() == []


async def test_a_lane_that_another_owner_has_written_is_left_alone(installation: Installation) -> None:
    async with a_desk(installation) as driver:
        await a_busy_day(driver)
        await driver.db.execute("UPDATE workspace SET change = change + 1; UPDATE ticket SET agent = 'somebody'")
        for _ in range(5):
            await driver.state.auditor.step(driver.db, driver.state, driver.now)
        assert driver.state.auditor.report("acme") is None


async def test_the_floor_is_audited_when_a_supervisor_asks(routing: RoutingService, installation: Installation) -> None:
    supervisor = await routing.as_("supervisor", "sue")
    await routing.sign_in("anna")
    for number in range(5):
        await routing.customer_writes(f"t{number}")
    answers = await asyncio.gather(*(supervisor.get("/v1/audit") for _ in range(3)))
    for answer in answers:
        found: dict[str, Any] = answer.json()
        assert (found["ok"], found["fresh"], found["findings"]) == (True, True, []), found
    db = await installation.connect("routing")
    await db.execute("UPDATE agent SET load = 7 WHERE agent = 'anna'")
    await db.close()
    broken = (await supervisor.get("/v1/audit")).json()
    assert (broken["ok"], broken["fresh"]) == (False, True)
    assert [(each["kind"], each["agent"]) for each in broken["findings"]] == [("row-differs", "anna")]
    agent = await routing.as_("agent", "anna")
    assert (await agent.get("/v1/audit")).status_code == 403
    nowhere = await routing.as_("supervisor", "sue", "nowhere")
    assert (await nowhere.get("/v1/audit")).status_code == 404


async def test_a_busy_worker_is_audited_in_small_steps(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step holds up every lane of the worker: 20,000 open tickets took 50 ms of each."""
    monkeypatch.setattr(worker, "COUNTED_SECONDS", 0.0)
    async with a_desk(installation) as driver:
        for number in range(60):
            driver.say(f"tkt_{number:03}")
        await driver.write()
        lane, auditor = driver.lane, driver.state.auditor
        steps = []
        while auditor.report("acme") is None:
            for _ in range(5_000):
                lane.committed(driver.state)
            await lane.refresh(driver.db, driver.state, driver.now)
            assert lane.refresh_seconds == worker.BUSY_STEP_SECONDS
            if auditor._cycle is not None:
                steps.append(auditor._cycle.report.tickets)
        report = auditor.report("acme")
        assert steps[:3] == [20, 40, 60]
        assert report is not None
        assert (report.tickets, report.findings) == (60, [])
        await lane.refresh(driver.db, driver.state, driver.now)
        assert lane.refresh_seconds == worker.AUDIT_STEP_SECONDS
