"""The replay of the desk's facts sees a ticket owned twice, an agent above capacity, an offer to somebody absent."""

from typing import Any

from pointsman.cli.chaos.document import CAPACITY
from pointsman.cli.chaos.findings import Findings
from pointsman.cli.chaos.verify_desk import verify_desk
from tests.unit.chaos.facts import ANNA, BORIS, Log, evidence


def found(log: Log, **tables: Any) -> dict[str, int]:
    findings = Findings()
    verify_desk(evidence(log, **tables), findings)
    return dict(findings.counts)


def test_a_life_from_opening_to_closing_holds() -> None:
    log = Log().configured()
    log.opened()
    log.offered()
    log.say("offer.expired", offer_id="o1", agent=ANNA)
    log.say("ticket.queued")
    log.offered(agent=BORIS, offer="o2")
    log.accepted(agent=BORIS, offer="o2")
    log.say("ticket.pended", waiting_on="customer", frees=True)
    log.say("ticket.woken")
    log.say("ticket.assigned", agent=BORIS, weight=1)
    log.say("ticket.resolved", by={"id": BORIS})
    log.say("ticket.closed")
    rows = [{"workspace": "chaos-1", "id": "t1", "state": "closed", "agent": None}]
    load = [{"workspace": "chaos-1", "agent": agent, "load": 0} for agent in (ANNA, BORIS)]
    assert found(log, routing_tickets=rows, routing_agents=load) == {}


def test_an_offer_while_another_lives_is_double_ownership() -> None:
    log = Log().configured()
    log.opened()
    log.offered()
    log.offered(agent=BORIS, offer="o2")
    assert found(log) == {"double_owned": 1}


def test_an_assignment_while_another_holds_it_is_double_ownership() -> None:
    log = Log().configured()
    log.opened()
    log.offered()
    log.accepted()
    log.say("ticket.assigned", agent=BORIS, weight=1)
    assert found(log) == {"double_owned": 1}


def test_a_charge_above_capacity_is_seen_and_an_override_is_not() -> None:
    log = Log().configured()
    for number in range(CAPACITY + 1):
        log.opened(f"t{number}")
        log.offered(f"t{number}", offer=f"o{number}")
    assert found(log) == {"over_capacity": 1}


def test_wrap_up_keeps_the_charge() -> None:
    log = Log().configured()
    log.opened()
    log.offered(weight=CAPACITY)
    log.accepted(weight=CAPACITY)
    log.say("ticket.resolved", by={"id": ANNA}, wrap_up_until="2026-11-23T12:01:00Z")
    log.opened("t2")
    log.offered("t2", offer="o2")
    assert found(log) == {"over_capacity": 1}


def test_an_offer_to_an_agent_who_is_not_available_is_seen() -> None:
    log = Log().configured()
    log.opened()
    log.say("agent.presence_changed", f"agent:{ANNA}", agent=ANNA, state="offline")
    log.offered()
    assert found(log) == {"presence_ignored": 1}


def test_tables_that_say_something_else_are_seen() -> None:
    log = Log().configured()
    log.opened()
    log.offered()
    rows = [{"workspace": "chaos-1", "id": "t1", "state": "queued", "agent": None}]
    load = [{"workspace": "chaos-1", "agent": ANNA, "load": 0}]
    assert found(log, routing_tickets=rows, routing_agents=load) == {"desk_inconsistent": 2}
