"""Random histories: after every decision the desk is sound, decides like the plain reference, decides the same again,
and can be taken back exactly."""

import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pointsman.contracts import commands as asked
from pointsman.contracts.requests import CustomerLeft, CustomerReturned, CustomerSeen
from pointsman.contracts.sla import ClockStarted, ClockWarned
from tests.unit.routing.checked import Checked
from tests.unit.routing.desk_driver import BOSS, DeskDriver, as_agent
from tests.unit.routing.documents import without_queue
from tests.unit.routing.escalations import an_escalation
from tests.unit.routing.invariants import assert_within_capacity
from tests.unit.routing.random_documents import AGENTS, CHANNELS, NAMES, QUEUES, agents, documents, levels, queues
from tests.unit.routing.reference import ScanMatcher

pytestmark = pytest.mark.timeout(600)
"""A machine that has other things to do plays them several times slower."""
HISTORIES = int(os.environ.get("POINTSMAN_HISTORIES", "40"))


class Histories(RuleBasedStateMachine):
    """Two desks hear the same: one with the index, one that scans."""

    plays: tuple[DeskDriver, DeskDriver]

    @initialize(document=documents)
    def begin(self, document: dict[str, Any]) -> None:
        self.plays = (Checked(document), DeskDriver(document, matcher=ScanMatcher()))
        self.document = document
        self.tickets = 0

    def both(self, act: Any) -> None:
        for driver in self.plays:
            act(driver)
        indexed, scanning = self.plays
        assert indexed.facts == scanning.facts, "the index decides otherwise than the reference"
        assert_within_capacity(indexed.desk, indexed.policies)

    def put(self, document: dict[str, Any], **fields: Any) -> None:
        """The document is the next version, unless it is refused."""
        version = self.plays[0].desk.policy.version
        self.both(lambda driver: driver.configure(document, **fields))
        if self.plays[0].desk.policy.version > version:
            self.document = document

    def some(self, data: Any, *states: str) -> str:
        driver = self.plays[0]
        found = sorted(ticket.id for ticket in driver.desk.tickets.values() if ticket.state in states)
        assume(found)
        return str(data.draw(st.sampled_from(found)))

    @rule(
        channel=st.sampled_from(CHANNELS),
        queue=st.sampled_from(NAMES),
        priority=st.sampled_from(["urgent", "high", "normal", "low"]),
        requires=levels,
        prefers=levels,
        category=st.sampled_from(["other", "heavy", "none"]),
        seconds_ago=st.sampled_from([0, 0, 5]),
        owner=st.sampled_from([None, None, *AGENTS]),
    )
    def a_customer_begins(self, *, owner: str | None, **fields: Any) -> None:
        self.tickets += 1
        fields["customer"] = CustomerSeen(id="somebody", owner=owner)
        ticket = f"tkt_{self.tickets:03}"
        self.both(lambda driver: driver.say(ticket, **fields))

    @rule(data=st.data(), automatic=st.sampled_from([None, None, "auto_reply"]))
    def a_customer_writes_again(self, data: Any, automatic: str | None) -> None:
        ticket = self.some(data, "queued", "offered", "assigned", "pending", "snoozed", "resolved")
        channel = self.plays[0].ticket(ticket).channel
        self.both(lambda driver: driver.say(ticket, channel=channel, automatic=automatic))

    @rule(data=st.data())
    def an_agent_accepts(self, data: Any) -> None:
        ticket = self.some(data, "offered")
        self.both(lambda driver: driver.accept(ticket))

    @rule(data=st.data())
    def an_agent_declines(self, data: Any) -> None:
        ticket = self.some(data, "offered")
        self.both(lambda driver: driver.reject(ticket))

    @rule(data=st.data(), boss=st.booleans(), wrap_up_seconds=st.sampled_from([0, 20]))
    def a_ticket_is_resolved(self, data: Any, boss: bool, wrap_up_seconds: int) -> None:
        ticket = self.some(data, "queued", "offered", "assigned", "pending", "snoozed")
        actor = BOSS if boss else None
        self.both(lambda driver: driver.resolve(ticket, actor=actor, wrap_up_seconds=wrap_up_seconds))

    @rule(data=st.data(), until_seconds=st.sampled_from([None, 30]), then=st.sampled_from(["return", "resolve"]))
    def a_ticket_is_pended(self, data: Any, until_seconds: int | None, then: str) -> None:
        ticket = self.some(data, "assigned")

        def pend(driver: DeskDriver) -> None:
            until = None if until_seconds is None else driver.now.replace(microsecond=0).timestamp() + until_seconds
            at = None if until is None else driver.now.fromtimestamp(until, driver.now.tzinfo)
            driver.pend(ticket, until=at, then=then)

        self.both(pend)

    @rule(data=st.data(), seconds=st.sampled_from([10, 45]))
    def a_ticket_is_snoozed(self, data: Any, seconds: int) -> None:
        ticket = self.some(data, "assigned", "pending", "snoozed")
        self.both(lambda driver: driver.snooze(ticket, actor=BOSS, until=driver.now + timedelta(seconds=seconds)))

    @rule(
        data=st.data(),
        to=st.one_of(
            st.builds(lambda slug: {"to_queue": slug}, st.sampled_from(NAMES)),
            st.builds(lambda slug: {"to_agent": slug}, st.sampled_from(AGENTS)),
            st.builds(lambda skills: {"to_skills": skills}, levels),
        ),
        wait_seconds=st.sampled_from([None, 10, 50]),
    )
    def a_ticket_is_transferred(self, data: Any, to: dict[str, Any], wait_seconds: int | None) -> None:
        ticket = self.some(data, "queued", "offered", "assigned", "pending", "snoozed")
        self.both(lambda driver: driver.transfer(ticket, actor=BOSS, wait_seconds=wait_seconds, **to))

    @rule(data=st.data(), agent=st.sampled_from(AGENTS), override=st.booleans())
    def a_supervisor_assigns(self, data: Any, agent: str, override: bool) -> None:
        ticket = self.some(data, "queued", "offered", "assigned", "pending", "snoozed", "resolved")
        self.both(lambda driver: driver.assign(agent, ticket, override=override))

    @rule(agent=st.sampled_from(AGENTS), connector=st.sampled_from(["support-mail", "site-chat"]))
    def an_agent_starts(self, agent: str, connector: str) -> None:
        self.both(lambda driver: driver.start(agent, connector=connector))

    @rule(data=st.data(), agent=st.sampled_from(AGENTS))
    def an_agent_takes(self, data: Any, agent: str) -> None:
        ticket = self.some(data, "queued", "offered", "assigned", "resolved")
        self.both(lambda driver: driver.take(agent, ticket))

    @rule(
        data=st.data(),
        agent=st.sampled_from(AGENTS),
        what=st.sampled_from(["assign", "transfer", "requeue", "resolve"]),
    )
    def many_are_moved(self, data: Any, agent: str, what: str) -> None:
        ids = sorted(self.plays[0].desk.tickets)
        assume(ids)
        some = data.draw(st.lists(st.sampled_from([*ids, "tkt_none"]), min_size=1, max_size=4))
        action: dict[str, Any] = {
            "assign": asked.AssignTo(agent=agent, reason="many"),
            "transfer": asked.TransferTo(to_agent=agent, reason="many", wait_seconds=20),
            "requeue": asked.RequeueTo(reason="many"),
            "resolve": asked.ResolveAs(outcome="spam"),
        }
        self.both(lambda driver: driver.bulk(*some, **{what: action[what]}))

    @rule(agent=st.sampled_from(AGENTS))
    def an_agent_hands_over(self, agent: str) -> None:
        self.both(lambda driver: driver.handover(agent))

    @rule(agent=st.sampled_from(AGENTS), to=st.sampled_from([None, *NAMES]))
    def a_supervisor_requeues(self, agent: str, to: str | None) -> None:
        self.both(lambda driver: driver.requeue(agent, channels=("email", "chat"), to_queue=to))

    @rule(data=st.data(), public=st.booleans())
    def an_agent_writes(self, data: Any, public: bool) -> None:
        ticket = self.some(data, "queued", "offered", "assigned", "pending", "snoozed")
        self.both(lambda driver: driver.reply(ticket, public=public, actor=BOSS))

    @rule(data=st.data())
    def a_ticket_is_reopened(self, data: Any) -> None:
        ticket = self.some(data, "pending", "snoozed", "resolved")
        self.both(lambda driver: driver.reopen(ticket))

    @rule(data=st.data())
    def an_agent_finishes_wrap_up(self, data: Any) -> None:
        found = sorted(ticket.id for ticket in self.plays[0].desk.tickets.values() if ticket.in_wrap_up)
        assume(found)
        ticket = data.draw(st.sampled_from(found))
        self.both(lambda driver: driver.finish_wrap_up(ticket))

    @rule(
        agent=st.sampled_from(AGENTS),
        state=st.sampled_from(["available", "available", "away", "offline", None]),
        channels=st.sampled_from([None, None, ("email",), ("chat", "social")]),
        lease_seconds=st.sampled_from([20, 300]),
        session=st.sampled_from(["app", "phone"]),
    )
    def an_agent_is(self, agent: str, **fields: Any) -> None:
        self.both(lambda driver: driver.presence(agent, **fields))

    @rule(agent=st.sampled_from(AGENTS))
    def an_app_signs_out(self, agent: str) -> None:
        self.both(lambda driver: driver.command(asked.PresenceEnd(agent=agent, session="app", actor=as_agent(agent))))

    @rule(agent=st.sampled_from(AGENTS), state=st.sampled_from(["available", "away"]), hold=st.booleans())
    def a_supervisor_sets(self, agent: str, state: Any, hold: bool) -> None:
        command = asked.PresenceHold(agent=agent, state=state, hold=hold, actor=BOSS)
        self.both(lambda driver: driver.command(command))

    @rule(data=st.data(), returns=st.booleans())
    def a_customer_leaves_or_returns(self, data: Any, returns: bool) -> None:
        ticket = self.some(data, "queued", "offered", "assigned", "pending", "snoozed")
        kind = CustomerReturned if returns else CustomerLeft
        self.both(
            lambda driver: driver.hear(
                kind(ticket_id=ticket, connector="site-chat", thread="t", occurred_at=driver.now)
            )
        )

    @rule(data=st.data(), category=st.sampled_from(["other", "heavy", "none"]), reroute=st.booleans())
    def a_label_is_corrected(self, data: Any, category: str, reroute: bool) -> None:
        ticket = self.some(data, "queued", "offered", "assigned", "pending", "snoozed", "resolved")
        self.both(lambda driver: driver.label(ticket, category=category, priority="high", reroute=reroute))

    @rule(data=st.data(), warns=st.booleans(), seconds=st.integers(-50, 500))
    def a_clock_speaks(self, data: Any, warns: bool, seconds: int) -> None:
        ticket = self.some(data, "queued", "offered", "assigned")

        def speak(driver: DeskDriver) -> None:
            at = driver.now.fromtimestamp(driver.now.timestamp() + seconds, driver.now.tzinfo)
            common: dict[str, Any] = {"clock_id": "c", "ticket_id": ticket, "metric": "first_response", "cycle": 1}
            common |= {"policy": "p", "breach_at": at}
            starts = {"calendar": "a", "config_version": 1, "target_seconds": 1, "started_at": at, "due_at": at}
            fact: Any = ClockStarted(**common, **starts)
            if warns:
                fact = ClockWarned(**common, step="share:0.8", warned_at=driver.now)
            driver.hear(fact, topic="sla")

        self.both(speak)

    @rule(
        data=st.data(),
        boost=st.integers(0, 2),
        relax=st.sampled_from([None, None, "all", "language"]),
        overflow=st.lists(st.sampled_from([*NAMES, "gone"]), max_size=2),
        step=st.integers(0, 3),
        repetition=st.sampled_from([0, 0, 0, 1]),
    )
    def a_ladder_is_climbed(self, data: Any, overflow: list[str], **fields: Any) -> None:
        ticket = self.some(data, "queued", "queued", "offered", "assigned", "pending", "snoozed", "resolved")
        self.both(lambda driver: driver.hear(an_escalation(ticket, overflow=tuple(overflow), **fields), topic="sla"))

    @rule(data=st.data())
    def two_tickets_become_one(self, data: Any) -> None:
        source = self.some(data, "queued", "offered", "assigned", "pending", "snoozed", "resolved")
        target = self.some(data, "queued", "offered", "assigned", "pending", "snoozed")
        self.both(lambda driver: driver.merge(source, target))

    @rule(data=st.data())
    def a_ticket_is_split(self, data: Any) -> None:
        driver = self.plays[0]
        several = [id for id in sorted(driver.desk.tickets) if len(driver.written_on(id)) > 1]
        assume(several)
        ticket = data.draw(st.sampled_from(several))
        messages = [message.id for message in driver.written_on(ticket)]
        named = data.draw(st.lists(st.sampled_from(messages), min_size=1, unique=True))
        self.both(lambda driver: driver.split(ticket, *named, actor=BOSS))

    @rule(data=st.data())
    def a_customer_writes_on_what_was_merged(self, data: Any) -> None:
        merged = sorted(self.plays[0].closed)
        assume(merged)
        ticket = data.draw(st.sampled_from(merged))
        channel = self.plays[0].closed[ticket].channel
        self.both(lambda driver: driver.say(ticket, channel=channel))

    @rule(
        queue=st.sampled_from(NAMES),
        then=st.sampled_from([None, None, "hold", "resolve", {"to": "night"}]),
        seconds=st.sampled_from([None, 20, 90]),
    )
    def a_queue_is_closed(self, queue: str, then: Any, seconds: int | None) -> None:
        def close(driver: DeskDriver) -> None:
            until = None if seconds is None else driver.now + timedelta(seconds=seconds)
            driver.close_queue(queue, then=then, until=until)

        self.both(close)

    @rule(queue=st.sampled_from(NAMES))
    def a_queue_is_opened(self, queue: str) -> None:
        self.both(lambda driver: driver.open_queue(queue))

    @rule(seconds=st.sampled_from([1, 7, 15, 20, 31, 60, 200]))
    def time_passes(self, seconds: float) -> None:
        self.both(lambda driver: driver.advance(seconds))

    @precondition(lambda self: len(self.plays[0].desk.tickets) > 2)
    @rule(agent=st.sampled_from(AGENTS), profile=agents, queue=st.sampled_from(QUEUES[:2]), data=st.data())
    def the_configuration_changes(self, agent: str, profile: Any, queue: str, data: Any) -> None:
        document, other = self.document, "billing" if queue == "general" else "general"
        new = data.draw(queues(other))
        self.put(
            {
                **document,
                "agents": {**document["agents"], agent: profile},
                "queues": {**document["queues"], queue: new},
            }
        )

    @rule(data=st.data(), new=st.sampled_from(NAMES))
    def a_queue_is_renamed(self, data: Any, new: str) -> None:
        old = data.draw(st.sampled_from(sorted(self.document["queues"])))
        assume(new not in self.document["queues"])
        document = without_queue(self.document, old, new, renamed=True)
        self.put(document, moves={"queues": {old: new}})
        assert self.document is document, "a rename is refused"

    @rule(data=st.data(), said=st.booleans())
    def a_queue_is_deleted(self, data: Any, said: bool) -> None:
        """Without a word of where its tickets go that is refused while it holds some."""
        names = sorted(self.document["queues"])
        assume(len(names) > 1)
        old, to = data.draw(st.permutations(names))[:2]
        moves = {"queues": {old: to}} if said else None
        self.put(without_queue(self.document, old, to), moves=moves)

    @rule(agent=st.sampled_from(AGENTS))
    def an_agent_becomes_a_bot(self, agent: str) -> None:
        assume(agent in self.document["agents"])
        document = {**self.document, "agents": {**self.document["agents"], agent: {"kind": "bot"}}}
        self.put(document, moves={"agents": {agent: "requeue"}})

    @rule()
    def resolved_tickets_leave(self) -> None:
        self.both(DeskDriver.leave_behind)

    @rule(data=st.data(), what=st.sampled_from(["say", "reopen", "label", "take", "note", "explain"]))
    def what_had_left_is_touched(self, data: Any, what: str) -> None:
        left = sorted(self.plays[0].left)
        assume(left)
        ticket = data.draw(st.sampled_from(left))
        channel = self.plays[0].left[ticket].channel
        acts: dict[str, Any] = {
            "say": lambda driver: driver.say(ticket, channel=channel),
            "reopen": lambda driver: driver.reopen(ticket),
            "label": lambda driver: driver.label(ticket, priority="low"),
            "take": lambda driver: driver.take("anna", ticket),
            "note": lambda driver: driver.reply(ticket, public=False),
            "explain": lambda driver: driver.explain(ticket),
        }
        self.both(acts[what])

    @rule(agent=st.sampled_from(AGENTS))
    def an_agent_leaves_for_good(self, agent: str) -> None:
        others = {slug: profile for slug, profile in self.document["agents"].items() if slug != agent}
        assume(agent in self.document["agents"] and len(others) > 1)
        self.put({**self.document, "agents": others}, moves={"agents": {agent: "requeue"}})


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=40,
    deadline=None,
    derandomize=False,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)
