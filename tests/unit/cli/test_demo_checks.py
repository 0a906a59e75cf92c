"""The demo's checks: each lets a good day pass and names the counter-example of a bad one."""

from typing import Any

import pytest

from pointsman.cli.demo import checks
from pointsman.cli.demo.document import PRIVACY_TARGET_SECONDS, make_agents, make_document
from pointsman.cli.demo.evidence import Breach
from pointsman.cli.demo.script import draw
from pointsman.cli.demo.summary import percentile, post_to_offer_ms
from pointsman.contracts.document import read_document
from pointsman.core.instant import Instant, after, parse_rfc3339, rfc3339

START = parse_rfc3339("2026-03-02T09:00:00Z")
AGENTS = {"anna": {"capacity": 2, "caps": {"chat": 1}, "skills": {}}, "boris": {"capacity": 4, "skills": {}}}


def at(seconds: float) -> Instant:
    return after(START, seconds)


def event(type: str, seconds: float = 0, ticket: str = "tkt_1", **data: Any) -> dict[str, Any]:
    return {"type": type, "time": rfc3339(at(seconds)), "data": {"ticket_id": ticket, **data}}


def opened(ticket: str = "tkt_1", channel: str = "email", tier: str | None = None) -> dict[str, Any]:
    return event(
        "ticket.opened", 0, ticket, channel=channel, opened_at=rfc3339(START), customer={"id": "c", "tier": tier}
    )


def offer(ticket: str = "tkt_1", agent: str = "anna", weight: int = 1) -> dict[str, Any]:
    return event("offer.made", 1, ticket, agent=agent, weight=weight, offer_id=f"off_{ticket}", reason="free")


def received(message: str = "msg_1", ticket: str = "tkt_1") -> dict[str, Any]:
    return event("message.received", 0, ticket, message_id=message, author={"kind": "customer", "id": "c"})


def entry(message: str = "msg_1", ticket: str = "tkt_1", key: str = "k1", duplicate: bool = False) -> dict[str, Any]:
    return {"connector": "mail", "key": key, "message_id": message, "ticket_id": ticket, "duplicate": duplicate}


LEDGER = [entry(), entry("msg_2", key="k2"), entry(key="k1", duplicate=True)]


def test_a_day_on_which_every_message_arrived_once() -> None:
    assert checks.every_message_once(LEDGER, [received(), received("msg_2")]).ok


@pytest.mark.parametrize(
    ("ledger", "events", "says"),
    [
        (LEDGER, [received()], "msg_2 was accepted for tkt_1 and is nowhere"),
        (LEDGER, [received(), received("msg_2"), received("msg_2", "tkt_2")], "msg_2 is on tkt_1 and again on tkt_2"),
        (LEDGER, [received(), received("msg_2", "tkt_9")], "msg_2 was promised to tkt_1 and is on tkt_9"),
        (LEDGER, [received(), received("msg_2"), received("msg_3")], "msg_3 on tkt_1 was never accepted by us"),
        ([entry(), entry("msg_5")], [received()], "('mail', 'k1') was accepted twice, as msg_1 and msg_5"),
    ],
)
def test_a_message_astray_is_named(ledger: list[Any], events: list[Any], says: str) -> None:
    found = checks.every_message_once(ledger, events)
    assert (found.ok, found.counter_example) == (False, says)


def test_one_owner_after_another() -> None:
    events = [
        offer(),
        event("offer.rejected", 2, agent="anna"),
        offer(agent="boris"),
        event("offer.accepted", 3, agent="boris"),
        event("ticket.assigned", 3, agent="boris", weight=1),
        event("ticket.queued", 4, queue="general"),
        offer(agent="anna"),
    ]
    assert checks.no_double_owner(events).ok


@pytest.mark.parametrize(
    "second", [offer(agent="boris"), event("ticket.assigned", 2, agent="boris", weight=1)], ids=["offer", "assignment"]
)
def test_a_second_owner_is_named(second: dict[str, Any]) -> None:
    found = checks.no_double_owner([offer(), second])
    assert found.counter_example is not None
    assert "boris while anna had it" in found.counter_example


def test_units_are_freed_when_the_work_is() -> None:
    events = [
        opened(),
        offer(weight=2),
        event("ticket.assigned", 2, agent="anna", weight=2),
        event("ticket.resolved", 3, wrap_up_until=rfc3339(at(9))),
        event("ticket.wrap_up_finished", 9, agent="anna"),
        offer("tkt_2", weight=2),
    ]
    assert checks.capacity_kept(events, AGENTS).ok


def test_an_agent_above_capacity_is_named() -> None:
    found = checks.capacity_kept([opened(), offer(weight=2), offer("tkt_2", weight=1)], AGENTS)
    assert found.counter_example is not None
    assert found.counter_example.startswith("anna carried 3 of 2 units")


def test_a_cap_on_a_channel_counts_tickets() -> None:
    chats = [opened(channel="chat"), offer(), opened("tkt_2", channel="chat"), offer("tkt_2")]
    assert not checks.capacity_kept(chats, AGENTS).ok


POLICIES = make_document("demo", 3, 1)["sla"]["policies"]


def late_and_in_time(reply_seconds: float) -> tuple[set[str], set[str]]:
    events = [
        opened(),
        event("ticket.classified", 0, category="privacy", priority="urgent"),
        event("ticket.replied", reply_seconds, author={"kind": "agent", "id": "lena"}),
    ]
    return checks.due_breaches(checks.promises_of(events), POLICIES, at(60))


def test_a_late_reply_is_a_due_breach_and_a_reply_on_the_edge_may_be() -> None:
    assert late_and_in_time(PRIVACY_TARGET_SECONDS + 1) == ({"tkt_1"}, set())
    assert late_and_in_time(PRIVACY_TARGET_SECONDS - 1) == (set(), set())
    assert late_and_in_time(PRIVACY_TARGET_SECONDS) == (set(), {"tkt_1"})


@pytest.mark.parametrize(
    ("surely", "announced", "says"),
    [
        ({"tkt_1"}, {}, "no breach was announced"),
        ({"tkt_1"}, {"tkt_1": 2}, "announced as breached 2 times"),
        (set(), {"tkt_1": 1}, "in time and announced as breached"),
    ],
)
def test_a_breach_astray_is_named(surely: set[str], announced: dict[str, int], says: str) -> None:
    found = checks.every_due_breach_announced(surely, set(), announced)
    assert found.counter_example is not None
    assert says in found.counter_example


def test_figures_that_differ_are_named() -> None:
    events = [opened(), received()]
    assert checks.figures_agree(events, [{"ticket_id": "tkt_1", "inbound_count": 1}]).ok
    assert not checks.figures_agree(events, [{"ticket_id": "tkt_1", "inbound_count": 2}]).ok
    assert not checks.figures_agree(events, []).ok


def test_a_ticket_that_metrics_does_not_know_yet_is_open() -> None:
    """While a killed worker was not back, the wallboard showed nothing open, and the agents were sent home before the
    first offer."""
    resolved, held = {"ticket_id": "tkt_1", "state": "resolved"}, {"ticket_id": "tkt_2", "state": "assigned"}
    assert checks.open_tickets({"tkt_1", "tkt_2"}, []) == {"tkt_1", "tkt_2"}
    assert checks.open_tickets({"tkt_1", "tkt_2"}, [resolved]) == {"tkt_2"}
    assert checks.open_tickets({"tkt_1", "tkt_2"}, [resolved, held]) == {"tkt_2"}
    assert checks.open_tickets({"tkt_1"}, [resolved, held]) == set()


def test_post_to_offer_is_from_the_first_post_of_the_ticket() -> None:
    ledger = [
        {"ticket_id": "tkt_1", "posted_at": 10.0, "duplicate": False},
        {"ticket_id": "tkt_1", "posted_at": 12.0, "duplicate": False},
    ]
    assert post_to_offer_ms(ledger, {"tkt_1": 10.03, "tkt_2": 1.0}) == {"p50": 30.0, "p99": 30.0}
    assert post_to_offer_ms([], {}) == {"p50": None, "p99": None}


def test_percentiles_lie_between_neighbours() -> None:
    assert percentile([4, 1, 3, 2], 0.5) == 2.5
    assert percentile([1.0], 0.99) == 1.0


def test_the_workspace_document_validates() -> None:
    document = make_document("demo-1a2b3c", 48, 7)
    assert len(read_document(document).agents) == 50
    assert make_agents(48, 7) == document["agents"]


def test_the_script_is_the_same_for_the_same_seed() -> None:
    posts = draw(20, 100, 3)
    assert posts == draw(20, 100, 3)
    assert {post.channel for post in posts} == {"email", "chat", "social"}
    assert {post.how for post in posts} == {"single", "batch", "mail", "event", "poison"}
    assert [post.at for post in posts] == sorted(post.at for post in posts)


BREACH = Breach("tkt_1", "first_response", 1, fired_at=0.0, lateness_seconds=0.0, withdrawn=False)
TOLD = {"id": "ntf_1", "state": "sent", "reason": None}


def test_a_day_on_which_who_is_on_call_was_told() -> None:
    assert checks.who_is_on_call_was_told([], [], []).ok
    assert checks.who_is_on_call_was_told([BREACH], [TOLD, {**TOLD, "id": "ntf_2", "state": "skipped"}],
                                          [(1.0, "1 clock breached … ntf_1")]).ok  # fmt: skip
    over_before_it_was_sent = [{**TOLD, "state": "skipped"}]
    assert checks.who_is_on_call_was_told([BREACH], over_before_it_was_sent, []).ok


@pytest.mark.parametrize(
    ("notifications", "heard", "says"),
    [
        ([], [], "1 clocks breached and nobody was told"),
        ([TOLD], [(1.0, "ntf_9")], "ntf_1 was sent and did not arrive"),
        ([{**TOLD, "state": "dead", "reason": "refused"}], [(1.0, "ntf_1")], "ntf_1 is dead: refused"),
    ],
)
def test_a_day_on_which_they_were_not(notifications: Any, heard: Any, says: str) -> None:
    assert checks.who_is_on_call_was_told([BREACH], notifications, heard).counter_example == says
