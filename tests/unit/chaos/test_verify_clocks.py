"""The naive clocks: what must have breached is missed, doubled, false or early when sla says otherwise."""

from pointsman.cli.chaos.document import TARGETS
from pointsman.cli.chaos.findings import Findings
from pointsman.cli.chaos.verify_clocks import verify_clocks
from tests.unit.chaos.facts import Log, breached, evidence

FIRST, NEXT, RESOLUTION = (TARGETS["chat"][metric] for metric in ("first_response", "next_response", "resolution"))


def found(desk: Log, sla: Log, now: float = 1_000.0) -> dict[str, int]:
    findings = Findings()
    standing: set[tuple[str, str, int]] = set()
    for fact in sla.facts:
        key = (fact.body["ticket_id"], fact.body["metric"], fact.body["cycle"])
        (standing.add if fact.type == "clock.breached" else standing.discard)(key)
    rows = [{"ticket_id": key[0], "metric": key[1], "cycle": key[2], "breached": True} for key in standing]
    verify_clocks(evidence(desk, sla, now=now, metrics_clocks=rows), findings)
    return dict(findings.counts)


def answered_after(seconds: float) -> Log:
    """Opened at noon, answered then, resolved in time."""
    log = Log()
    log.opened(at=0)
    log.say("ticket.replied", at=seconds)
    log.say("ticket.resolved", at=max(seconds, RESOLUTION - 1) if seconds < RESOLUTION else seconds)
    return log


def test_an_answer_in_time_breaches_nothing() -> None:
    assert found(answered_after(FIRST - 0.5), Log("sla@1")) == {}


def test_a_breach_that_was_not_announced_is_missed() -> None:
    assert found(answered_after(FIRST + 0.5), Log("sla@1")) == {"missed_breaches": 1}


def test_the_right_breach_announced_once_holds() -> None:
    sla = Log("sla@1")
    breached(sla, "first_response", FIRST)
    assert found(answered_after(FIRST + 0.5), sla) == {}


def test_a_breach_announced_twice_is_seen() -> None:
    sla = Log("sla@1")
    breached(sla, "first_response", FIRST)
    breached(sla, "first_response", FIRST)
    assert found(answered_after(FIRST + 0.5), sla) == {"duplicate_breaches": 1}


def test_a_false_breach_stands_unless_it_was_withdrawn() -> None:
    sla = Log("sla@1")
    breached(sla, "first_response", FIRST)
    assert found(answered_after(FIRST - 0.5), sla) == {"false_breaches_standing": 1}
    sla.say("clock.corrected", metric="first_response", cycle=1, withdraws="breach")
    assert found(answered_after(FIRST - 0.5), sla) == {}


def test_a_restated_clock_may_breach_at_another_time_and_still_only_once() -> None:
    sla = Log("sla@1")
    sla.say("clock.restated", metric="first_response", cycle=1)
    assert found(answered_after(FIRST + 0.5), sla) == {}, "it has longer now"
    breached(sla, "first_response", FIRST - 1)
    assert found(answered_after(FIRST - 0.5), sla) == {}
    breached(sla, "first_response", FIRST - 1)
    assert found(answered_after(FIRST - 0.5), sla) == {"duplicate_breaches": 1}


def test_a_breach_before_its_time_is_early() -> None:
    sla = Log("sla@1")
    breached(sla, "first_response", FIRST, made=-0.1)
    assert found(answered_after(FIRST + 0.5), sla) == {"early_breaches": 1}


def test_next_responses_count_from_the_oldest_unanswered_message() -> None:
    desk = Log()
    desk.opened(at=0)
    desk.say("ticket.replied", at=1)
    desk.say("message.received", at=2, message_id="m2", author={"kind": "customer"})
    desk.say("message.received", at=4, message_id="m3", author={"kind": "customer"})
    desk.say("ticket.replied", at=2 + NEXT + 0.5)
    desk.say("ticket.resolved", at=2 + NEXT + 1)
    assert found(desk, Log("sla@1")) == {"missed_breaches": 1}
    sla = Log("sla@1")
    breached(sla, "next_response", 2 + NEXT)
    assert found(desk, sla) == {}


def test_a_question_that_was_open_at_the_resolution_is_due_again_after_a_reopening() -> None:
    desk = Log()
    desk.opened(at=0)
    desk.say("ticket.replied", at=1)
    desk.say("message.received", at=2, message_id="m2", author={"kind": "customer"})
    desk.say("ticket.resolved", at=3)
    desk.say("ticket.reopened", at=5)
    desk.say("ticket.replied", at=2 + NEXT + 2 + 0.5)
    desk.say("ticket.resolved", at=2 + NEXT + 3)
    assert found(desk, Log("sla@1")) == {"missed_breaches": 1}
    sla = Log("sla@1")
    breached(sla, "next_response", 2 + NEXT + 2)
    assert found(desk, sla) == {}


def test_a_resolution_clock_stands_still_where_the_policy_pauses_it() -> None:
    target = TARGETS["email"]["resolution"]
    desk = Log()
    desk.opened(at=0, channel="email")
    desk.say("ticket.replied", at=1)
    desk.say("ticket.pended", at=2, waiting_on="customer")
    desk.say("ticket.woken", at=2 + 10 * target)
    desk.say("ticket.resolved", at=2 + 10 * target + (target - 2) - 0.5)
    assert found(desk, Log("sla@1")) == {}
    late = Log()
    late.facts = [*desk.facts[:-1]]
    late.say("ticket.resolved", at=2 + 10 * target + (target - 2) + 0.5)
    assert found(late, Log("sla@1")) == {"missed_breaches": 1}


def test_a_breach_that_is_due_right_now_may_be_announced_or_not() -> None:
    desk = Log()
    desk.opened(at=0)
    assert found(desk, Log("sla@1"), now=FIRST + 0.5) == {}
    sla = Log("sla@1")
    breached(sla, "first_response", FIRST)
    assert found(desk, sla, now=FIRST + 0.5) == {}
