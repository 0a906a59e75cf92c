"""Rule 8, who can still be saved, in random histories with more to do than can be done: the index and the reference,
which looks at all tickets, offer the same, move the same credit, and every decision can be taken back."""

import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.unit.routing.checked import Checked
from tests.unit.routing.desk_driver import DeskDriver, a_workspace
from tests.unit.routing.reference import ScanMatcher, lost
from tests.unit.routing.test_saving import a_clock

pytestmark = pytest.mark.timeout(600)
"""A machine that has other things to do plays them several times slower."""
HISTORIES = int(os.environ.get("POINTSMAN_HISTORIES", "40"))
AGENTS = ("anna", "boris")
QUEUES = ("general", "vip", "plain")

shares = st.sampled_from([0, 0.15, 0.4, 0.5, 1])
lines = st.fixed_dictionaries(
    {
        "order": st.just("urgency"),
        "late": st.builds(lambda share: {"share": share}, shares),
        "wait_target_seconds": st.sampled_from([20, 60]),
        "head_start_minutes": st.sampled_from([{}, dict.fromkeys(("urgent", "high", "normal", "low"), 0)]),
    },
    optional={"offer": st.sampled_from([{"auto_accept": True}, {"retry_seconds": 600}])},
)
ranks = st.fixed_dictionaries({queue: st.sampled_from([1, 1, 2]) for queue in QUEUES})
documents = st.builds(
    lambda general, vip, anna, boris: a_workspace(
        {
            "anna": {"capacity": 1, "queues": anna, "skills": {"billing": 5}},
            "boris": {"capacity": 1, "queues": boris},
        },
        {"general": general, "vip": vip, "plain": {"wait_target_seconds": 60}},
    ),
    lines,
    lines,
    ranks,
    ranks,
)
comes = st.tuples(
    st.just("come"), st.sampled_from(QUEUES), st.sampled_from(["normal", "normal", "urgent"]), st.booleans()
)
steps = st.one_of(
    comes,
    comes,
    comes,
    st.tuples(st.just("pass"), st.sampled_from([1, 7, 25])),
    st.tuples(st.just("serve"), st.sampled_from(AGENTS)),
    st.tuples(st.just("serve"), st.sampled_from(AGENTS)),
    st.tuples(st.just("decline"), st.sampled_from(AGENTS)),
    st.tuples(st.just("clock"), st.integers(0, 20), st.sampled_from([-5, 5, 30])),
    st.tuples(st.just("share"), st.sampled_from(["general", "vip"]), st.one_of(st.none(), shares)),
    st.tuples(st.just("shut"), st.sampled_from(["general", "vip"])),
)


def act(driver: DeskDriver, document: dict[str, Any], number: int, step: tuple[Any, ...]) -> None:
    """One step, where it can be taken."""
    kind, *said = step
    tickets = driver.desk.tickets
    if kind == "come":
        queue, priority, billing = said
        requires = {"billing": 1} if billing else {}
        driver.say(f"tkt_{number:02}", queue=queue, priority=priority, requires=requires)
        driver.advance(1)
    elif kind == "pass":
        driver.stays(said[0])
    elif kind == "serve":
        for id in sorted(driver.agent(said[0]).hand):
            if tickets[id].offer is not None:
                driver.accept(id)
            driver.resolve(id)
    elif kind == "decline":
        for id in sorted(driver.agent(said[0]).shown):
            driver.reject(id)
        driver.available(said[0])
    elif kind == "clock":
        waiting = sorted(ticket.id for ticket in tickets.values() if ticket.state == "queued")
        if waiting:
            at = driver.now + timedelta(seconds=said[1])
            driver.hear(a_clock(waiting[said[0] % len(waiting)], breach_at=at), topic="sla")
    elif kind == "share":
        queue, share = said
        document["queues"][queue] = {**document["queues"][queue], "late": None if share is None else {"share": share}}
        driver.configure(document)
    elif said[0] in driver.desk.closings:
        driver.open_queue(said[0])
    else:
        driver.close_queue(said[0])


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=documents, history=st.lists(steps, min_size=20, max_size=50))
def test_the_index_serves_as_the_reference_does(document: dict[str, Any], history: list[tuple[Any, ...]]) -> None:
    backlog = [("come", queue, "normal", billing) for queue in QUEUES for billing in (True, False)] * 2
    plays = (Checked(document), DeskDriver(document, matcher=ScanMatcher()))
    for number, step in enumerate([*backlog, *history]):
        for driver in plays:
            act(driver, {**document, "queues": {**driver.desk.policy.document.plain()["queues"]}}, number, step)
        indexed, scanning = plays
        assert indexed.facts == scanning.facts, "the index decides otherwise than the reference"
        assert indexed.desk.late_credits == scanning.desk.late_credits
        if any(
            fact.type == "offer.made" and lost(indexed.desk, indexed.ticket(fact.ticket_id)) for fact in indexed.facts
        ):
            event("somebody lost was offered")
