"""What a lane wrote is what a lane loads: the resident desk and its rows say the same."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from pointsman.contracts import commands as asked
from pointsman.contracts.sla import ClockStarted, ClockWarned
from pointsman.core.cause import RecordCause
from pointsman.core.decision import Decision
from pointsman.runtime.database import open_pool
from pointsman.runtime.logic import Batch, Decided
from pointsman.testing.customers import a_message
from pointsman.testing.installation import Installation
from pointsman_routing.desk.questions.invariants import Violation
from pointsman_routing.loading import Desks
from pointsman_routing.worker import DeskLane
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent, by_hints
from tests.unit.routing.documents import without_queue
from tests.unit.routing.escalations import an_escalation
from tests.unit.routing.one_agent import served
from tests.unit.routing.snapshot import snapshot

LANE = 2


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


class Stored(DeskDriver):
    """A played desk whose every decision is written, and compared with what would be loaded."""

    def __init__(self, db: Any, state: Desks, document: dict[str, Any]) -> None:
        self.db, self.state, self.lane = db, state, DeskLane(by_hints)
        self.pending: list[Decided] = []
        super().__init__(document)

    def decide(self, cause: Any) -> Decision:
        if not self.state.desks:
            self.state.desks["acme"] = self.desk
            self.state.journal, self.state.timers = self.journal, self.timers
        mark = self.journal.mark()
        decision = self.lane.decide(self.state, cause, self.now)
        if decision.refusal is not None:
            self.journal.undo(mark)
        self.pending.append(Decided(cause, decision))
        self.facts = [fact for emission in decision.emissions for fact in emission.facts]
        self.answer = decision.refusal or decision.answer
        return decision

    async def write(self) -> None:
        """Commits everything decided since the last time."""
        async with self.db.transaction():
            await self.lane.write(self.db, self.state, Batch(LANE, self.now, self.pending))
        self.lane.committed(self.state)
        self.journal.forget()
        self.pending = []

    async def check(self) -> None:
        """Writes, loads, compares."""
        await self.write()
        loaded = await self.lane.load(self.db, LANE, self.now)
        mine = snapshot(self.desk, changes=False, resident=False)
        assert snapshot(loaded.desks["acme"], changes=False, resident=False) == mine
        assert await self.audited() == []

    async def audited(self) -> list[Violation]:
        """What the auditor finds in one whole cycle."""
        auditor = self.state.auditor
        wanted = auditor.ask("acme")
        while (report := auditor.report("acme")) is None or report.number < wanted:
            await auditor.step(self.db, self.state, self.now)
        return report.findings


DOCUMENT = a_workspace(
    {
        "anna": {"name": "Anna", "skills": {"billing": 5, "lang-it": 9}, "capacity": 4, "caps": {"chat": 2}},
        "boris": {"skills": {"billing": 3}, "queues": {"billing": 1, "general": 2}, "capacity": 3},
        "carla": {"capacity": 2, "reserve": {"chat": 1}},
        "helper": {"kind": "bot"},
    },
    {
        "general": {"choice": "round_robin"},
        "billing": {"order": "priority", "offer": {"retry_seconds": 60, "offers_max": 2}},
    },
    wrap_up_seconds={"chat": 30},
)


@pytest.fixture
async def stored(installation: Installation) -> AsyncIterator[Stored]:
    pool = await open_pool(installation.settings, "routing", size=1)
    async with pool.acquire() as db:
        lane = DeskLane(by_hints)
        driver = Stored(db, await lane.load(db, LANE, DeskDriver(a_workspace(["x"])).now), DOCUMENT)
        await driver.check()
        yield driver
    await pool.close()


async def test_a_job_goes_on_wherever_it_is_loaded(stored: Stored) -> None:
    driver = stored
    ids = [f"tkt_{number}" for number in range(230)]
    for id in ids[:3]:
        driver.say(id)
    driver.bulk(*ids, resolve=asked.ResolveAs(outcome="spam"))
    job = driver.answer["job_id"]
    await driver.check()
    (cause,) = driver.timers.due("job", driver.now, 1)
    driver.decide(cause)
    await driver.write()
    loaded = await driver.lane.load(driver.db, LANE, driver.now)
    left = loaded.desks["acme"].jobs[job]
    assert (left.done, left.failed, len(left.errors), left.next(100)) == (200, 197, 197, tuple(ids[200:]))
    assert loaded.timers.earliest()["job"] == driver.now
    driver.advance(1)
    await driver.check()
    row = await driver.db.fetchrow("SELECT ids, done, failed, errors FROM job WHERE id = $1", job)
    assert (row["ids"], row["done"], row["failed"], len(row["errors"])) == ([], 230, 227, 200)


async def test_the_credit_of_the_overdue_survives_a_reload(stored: Stored) -> None:
    """In the middle of a line the lane is loaded elsewhere: the order goes on as if it had not been."""
    general = {"order": "urgency", "wait_target_seconds": 600, "late": {"share": 0.4}}
    document = a_workspace({"anna": {"capacity": 1}}, {"general": general})
    untouched = DeskDriver(a_workspace({"anna": {}}))
    orders: list[list[str]] = []
    for driver in (untouched, stored):
        gone = dict.fromkeys(("boris", "carla"), "requeue") if driver is stored else None
        driver.configure(document, moves=gone and {"agents": gone})
        driver.available("anna")
        driver.assigned("busy")
        for number in range(12):
            driver.say(f"tkt_{number:02}")
            driver.stays(100)
        driver.resolve("busy")
        order = served(driver, 3)
        if isinstance(driver, Stored):
            await driver.check()
            driver.state = await driver.lane.load(driver.db, LANE, driver.now)
            driver.desk, driver.journal, driver.timers = (
                driver.state.desks["acme"],
                driver.state.journal,
                driver.state.timers,
            )
            assert driver.desk.late_credits == {"general": 6000}
        orders.append(order + served(driver, 9))
    assert orders[1] == orders[0]
    assert orders[0][:5] == ["tkt_06", "tkt_07", "tkt_00", "tkt_08", "tkt_01"]


async def test_every_kind_of_change_survives_a_reload(stored: Stored) -> None:
    driver = stored
    for number in range(12):
        channel = ("email", "chat", "social")[number % 3]
        driver.say(f"tkt_{number}", channel=channel, queue=("general", "billing")[number % 2], priority="high")
        driver.advance(1)
    await driver.check()
    offered = [ticket.id for ticket in driver.desk.tickets.values() if ticket.offer]
    for number, ticket in enumerate(offered):
        if number % 3 == 0:
            driver.reject(ticket, "busy")
        else:
            driver.accept(ticket)
    await driver.check()
    held = [ticket for ticket in driver.desk.tickets.values() if ticket.agent]
    driver.reply(held[0].id)
    driver.reply(held[0].id, public=False, text="for us", actor=as_agent("carla"))
    driver.pend(held[0].id, until=driver.now + timedelta(days=1), then="return", reason="asked")
    driver.label(held[1].id, priority="urgent", add_tags=("vip", "a, b"))
    driver.resolve(held[1].id, wrap_up_seconds=30)
    driver.say(held[2].id, channel=held[2].channel)
    await driver.check()
    driver.advance(31)
    await driver.check()
    waiting = [ticket.id for ticket in driver.desk.tickets.values() if ticket.state == "queued"]
    for step, ticket in enumerate([*waiting[:2], *[ticket.id for ticket in driver.desk.tickets.values()]]):
        climbed = an_escalation(ticket, step=step, boost=1, relax="all", overflow=("billing",))
        driver.hear(climbed, topic="sla")
    assert any(ticket.boost and ticket.relaxed and ticket.wide for ticket in driver.desk.tickets.values())
    await driver.check()
    driver.snooze(held[0].id, until=driver.now + timedelta(hours=6))
    driver.transfer(held[1].id, to_agent="carla", wait_seconds=900)
    driver.assign("boris", held[2].id, override=True)
    await driver.check()
    driver.requeue(held[2].agent or "")
    driver.start("carla", connector="site-chat")
    await driver.check()
    driver.presence("anna", "away", channels=("email",), reason="lunch")
    driver.command(
        asked.PresenceHold(agent="boris", state="away", hold=True, actor=BOSS, until=driver.now + timedelta(1))
    )
    await driver.check()
    driver.advance(7200)
    await driver.check()
    driver.command(
        asked.TokenIssue(
            token_id="tok_1", role="agent", sub="anna", expires_at=driver.now + timedelta(days=1), actor=BOSS
        )
    )
    driver.command(asked.TokenRevoke(token_id="tok_1", actor=BOSS))
    await driver.check()


async def test_questions_of_one_batch_are_each_answered_from_what_was_stored(stored: Stored) -> None:
    driver = stored
    driver.available("boris")
    for ticket in ("tkt_1", "tkt_2"):
        driver.say(ticket)
    await driver.write()
    asks = [("tkt_1", "anna"), ("tkt_1", "boris"), ("tkt_2", None)]
    causes = [
        RecordCause(
            f"ask_{number}",
            "commands",
            "acme",
            ticket,
            driver.now,
            (asked.TicketExplain(ticket_id=ticket, agent=agent, actor=BOSS),),
        )
        for number, (ticket, agent) in enumerate(asks)
    ]
    await driver.lane.gather(driver.db, driver.state, causes)
    for cause, (ticket, _) in zip(causes, asks, strict=True):
        driver.decide(cause)
        offer = driver.ticket(ticket).offer
        assert offer is not None
        assert driver.answer["decided"]["agent"] == offer.agent
    assert set(driver.desk.past) == {("tkt_1", "anna"), ("tkt_1", "boris")}
    await driver.check()


async def test_merged_and_split_tickets_survive_a_reload(stored: Stored) -> None:
    driver = stored
    for ticket in ("tkt_1", "tkt_2", "tkt_3"):
        driver.say(ticket, customer={"id": "cus_1"}, queue="billing")
        driver.advance(1)
    await driver.check()
    driver.command(asked.TicketMerge(ticket_id="tkt_3", into="tkt_2", reason="the same", actor=BOSS), "tkt_3")
    driver.command(asked.TicketMerge(ticket_id="tkt_2", into="tkt_1", reason="the same", actor=BOSS), "tkt_2")
    await driver.check()
    assert set(driver.desk.tickets) == {"tkt_1"}
    message = a_message("tkt_3", number=2, at=driver.now)
    late = RecordCause("evt_late", "requests", "acme", "tkt_3", driver.now, (message,))
    await driver.lane.gather(driver.db, driver.state, [late])
    driver.decide(late)
    assert [fact.ticket_id for fact in driver.facts] == ["tkt_1"]
    await driver.check()
    apart = asked.TicketSplit(ticket_id="tkt_1", message_ids=("msg_tkt_2_1",), reason="not the same", actor=BOSS)
    cause = RecordCause("cmd_split", "commands", "acme", "tkt_1", driver.now, (apart,))
    await driver.lane.gather(driver.db, driver.state, [cause])
    driver.decide(cause)
    new = driver.answer["id"]
    await driver.check()
    rows = await driver.db.fetch("SELECT id, ticket_id FROM message ORDER BY change, number")
    assert [(row["id"], row["ticket_id"]) for row in rows] == [
        ("msg_tkt_1_1", "tkt_1"),
        ("msg_tkt_2_1", new),
        ("msg_tkt_3_1", "tkt_3"),
        ("msg_tkt_3_2", "tkt_1"),
    ]


async def test_closings_and_held_tickets_survive_a_reload(stored: Stored) -> None:
    driver = stored
    driver.close_queue("billing", until=driver.now + timedelta(hours=1), then={"to": "general"})
    driver.close_queue("general", reason="flood")
    driver.say("tkt_1", queue="billing")
    driver.say("tkt_2")
    assert [driver.ticket(id).held for id in ("tkt_1", "tkt_2")] == ["closed", "closed"]
    await driver.check()
    driver.open_queue("general")
    await driver.check()
    driver.advance(3600)
    await driver.check()
    assert driver.desk.closings == {}


async def test_clock_facts_are_kept_for_the_timeline(stored: Stored) -> None:
    driver = stored
    driver.say()
    due = driver.now + timedelta(hours=1)
    common: dict[str, Any] = {
        "clock_id": "clk_1",
        "ticket_id": "tkt_1",
        "metric": "first_response",
        "cycle": 1,
        "policy": "standard",
    }
    started = ClockStarted(
        **common,
        calendar="always",
        config_version=1,
        target_seconds=3600,
        started_at=driver.now,
        due_at=due,
        breach_at=due,
    )
    warned = ClockWarned(**common, step="share:0.8", warned_at=driver.now, breach_at=due)
    driver.hear(started, warned, topic="sla")
    await driver.check()
    assert driver.ticket().first_breach_at == due
    rows = await driver.db.fetch("SELECT type, body, cause FROM clock_fact ORDER BY change, number")
    assert [row["type"] for row in rows] == ["clock.started", "clock.warned"]
    assert all(row["cause"] for row in rows)


async def test_a_resolved_ticket_leaves_memory_and_comes_back_for_a_message(stored: Stored) -> None:
    driver = stored
    driver.assigned()
    driver.resolve()
    await driver.write()
    assert "tkt_1" not in driver.desk.tickets
    loaded = await driver.lane.load(driver.db, LANE, driver.now)
    assert "tkt_1" not in loaded.desks["acme"].tickets
    message = a_message(number=2, at=driver.now)
    cause = RecordCause("evt_x", "requests", "acme", "tkt_1", driver.now, (message,))
    await driver.lane.gather(driver.db, driver.state, [cause])
    driver.decide(cause)
    assert driver.types[:2] == ["message.received", "ticket.reopened"]
    await driver.check()
    assert driver.ticket().state == "assigned"


async def test_what_was_resolved_before_its_queue_was_renamed_reopens_in_the_renamed_one_wherever_it_is_loaded(
    stored: Stored,
) -> None:
    driver = stored
    driver.assigned(queue="billing")
    driver.resolve()
    await driver.check()
    renamed = without_queue(DOCUMENT, "billing", "invoices", renamed=True)
    driver.configure(renamed, moves={"queues": {"billing": "invoices"}})
    await driver.check()
    driver.configure(renamed)
    await driver.check()
    loaded = await driver.lane.load(driver.db, LANE, driver.now)
    driver.state, driver.desk, driver.journal = loaded, loaded.desks["acme"], loaded.journal
    driver.timers = loaded.timers
    cause = RecordCause("evt_x", "requests", "acme", "tkt_1", driver.now, (a_message(number=2, at=driver.now),))
    await driver.lane.gather(driver.db, driver.state, [cause])
    driver.decide(cause)
    assert driver.ticket().queue == "invoices"
    assert driver.fact("ticket.moved").from_queue == "billing"
    await driver.check()
    assert await driver.db.fetchval("SELECT queue FROM ticket WHERE id = 'tkt_1'") == "invoices"


async def test_a_ticket_that_closes_soon_becomes_resident_again(stored: Stored) -> None:
    driver = stored
    driver.assigned()
    driver.resolve()
    await driver.write()
    driver.advance(259_200 - 60)
    await driver.lane.refresh(driver.db, driver.state, driver.now)
    driver.advance(61)
    assert driver.types.count("ticket.closed") == 1
    await driver.check()
    assert await driver.db.fetchval("SELECT state FROM ticket WHERE id = 'tkt_1'") == "closed"


async def test_a_late_accept_of_an_old_offer_is_told_the_holder(stored: Stored) -> None:
    driver = stored
    offer = driver.say(queue="billing").offer
    assert offer is not None
    driver.accept()
    await driver.write()
    driver.desk.ended.clear()
    cause_of = asked.OfferAccept(offer_id=offer.id, actor=as_agent(offer.agent))
    cause = RecordCause("cmd_late", "commands", "acme", f"offer:{offer.id}", driver.now, (cause_of,))
    await driver.lane.gather(driver.db, driver.state, [cause])
    driver.decide(cause)
    assert (driver.answer.code, driver.answer.extra["holder"]) == ("offer-gone", offer.agent)


async def test_explain_says_what_was_stored_with_the_offer(stored: Stored) -> None:
    driver = stored
    driver.say(queue="billing")
    await driver.write()
    question = asked.TicketExplain(ticket_id="tkt_1", actor=BOSS)
    cause = RecordCause("cmd_why", "commands", "acme", "tkt_1", driver.now, (question,))
    await driver.lane.gather(driver.db, driver.state, [cause])
    driver.decide(cause)
    assert driver.answer["decided"]["why"]["config_version"] == 1
    assert driver.answer["decided"]["agent"] == driver.offered_to()
