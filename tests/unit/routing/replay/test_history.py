"""Reading a recorded history: what each ticket's story comes to, and what is refused."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from pointsman.contracts.document import read_document
from pointsman.testing.time import NOON
from pointsman_routing.replay.again import Promises
from pointsman_routing.replay.drawing import HandleTimes, Patience
from pointsman_routing.replay.history import HistoryRefused, Recorded, history_of
from tests.unit.routing.replay.day import DOCUMENT, events

SECOND_US = 1_000_000
ANNA = {"kind": "agent", "id": "anna"}


def opened(seconds: float = 0, ticket: str = "t1", **fields: Any) -> list[tuple[float, str, dict[str, Any]]]:
    whole = {"ticket_id": ticket, "channel": "chat", "connector": "site-chat", "thread": "x", "customer": {"id": "c"}}
    labels = {"ticket_id": ticket, "language": "en", "category": "billing", "priority": "high", "queue": "general"}
    return [
        (seconds, "ticket.opened", {**whole, "opened_at": NOON, "message_id": "m", "config_version": 1, **fields}),
        (seconds, "ticket.classified", {**labels, "requires": {"billing": 3}}),
    ]


def offered(seconds: float, agent: str = "anna", offer: str = "o1") -> tuple[float, str, dict[str, Any]]:
    data = {"ticket_id": "t1", "offer_id": offer, "agent": agent, "queue": "general", "weight": 1, "reason": "so"}
    return (seconds, "offer.made", {**data, "expires_at": NOON})


def assigned(seconds: float, agent: str = "anna", offer: str | None = "o1") -> tuple[float, str, dict[str, Any]]:
    data = {"ticket_id": "t1", "agent": agent, "queue": "general", "weight": 1, "by": ANNA, "offer_id": offer}
    return (seconds, "ticket.assigned", data)


def resolved(seconds: float, outcome: str = "solved", **fields: Any) -> tuple[float, str, dict[str, Any]]:
    return (seconds, "ticket.resolved", {"ticket_id": "t1", "outcome": outcome, "by": ANNA, **fields})


def the_ticket(*given: Any) -> Recorded:
    (ticket,) = history_of(events(*opened(), *given)).tickets
    return ticket


def test_a_wait_ends_with_the_offer_that_was_taken_and_so_does_the_agents_time_begin() -> None:
    ticket = the_ticket(offered(10), offered(50, offer="o2"), assigned(55, offer="o2"), resolved(150))
    assert (ticket.fate, ticket.agent, ticket.waited_us) == ("served", "anna", 50 * SECOND_US)
    assert ticket.hold_us == 100 * SECOND_US
    assert (ticket.category, ticket.priority, ticket.requires) == ("billing", "high", {"billing": 3})


def test_time_on_somebody_elses_side_is_no_handle_time() -> None:
    pended = (30, "ticket.pended", {"ticket_id": "t1", "agent": "anna", "waiting_on": "customer", "by": ANNA})
    ticket = the_ticket(assigned(10, offer=None), pended, assigned(100, offer=None), resolved(120))
    assert ticket.hold_us == 40 * SECOND_US


def test_the_work_of_several_agents_is_added_up() -> None:
    queued = {"ticket_id": "t1", "queue": "general", "reason": "transferred", "waiting_since": NOON}
    ticket = the_ticket(
        assigned(10, offer=None), (30, "ticket.queued", queued), assigned(60, "boris", None), resolved(100)
    )
    assert (ticket.agent, ticket.hold_us) == ("anna", 60 * SECOND_US)
    assert ticket.held_us == {"anna": 20 * SECOND_US, "boris": 40 * SECOND_US}


def test_who_left_had_the_patience_of_their_leaving() -> None:
    left = (40, "ticket.customer_left", {"ticket_id": "t1", "at": NOON})
    ticket = the_ticket(left, resolved(70, "abandoned"))
    assert (ticket.fate, ticket.left_us, ticket.waited_us) == ("abandoned", 40 * SECOND_US, 70 * SECOND_US)


def test_what_had_not_ended_has_no_handle_time() -> None:
    ticket = the_ticket(assigned(10, offer=None), (90, "message.received", {}))
    assert (ticket.hold_us, ticket.held_us) == (None, {"anna": 80 * SECOND_US})


def test_tickets_that_agents_or_machines_began_are_left_out() -> None:
    others = [
        *opened(0, "t2", started_by="agent"),
        *opened(1, "t3", automatic="bounce"),
        *opened(2, "t4"),
    ]
    assert [ticket.id for ticket in history_of(events(*others)).tickets] == ["t4"]


def test_presence_is_when_agents_were_available() -> None:
    def presence(seconds: float, state: str) -> tuple[float, str, dict[str, Any]]:
        return (seconds, "agent.presence_changed", {"agent": "boris", "state": state, "set_by": "agent"})

    told = [presence(0, "available"), *opened(5), presence(10, "away"), presence(20, "available"), assigned(30)]
    present = history_of(events(*told)).present
    at = [NOON + timedelta(seconds=seconds) for seconds in (0, 10, 20, 30)]
    there = {slug: spans for slug, spans in present.items() if spans}
    assert there == {"boris": ((at[0], at[1]), (at[2], at[3])), "anna": ((at[0], at[3]),)}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([b"{}"], "line 1: a history begins with"),
        ([b"nonsense"], "line 1: is not JSON"),
        ([b'{"history": 1, "workspace": "a", "document": {"workspace": "a"}}'], "no events"),
        ([b'{"history": 1, "document": {"workspace": "A!"}}', b'{"time": "2026-11-23T12:00:00Z"}'], "/workspace"),
        ([b'{"history": 1, "document": {}}', b"[]"], "line 2: is no JSON object"),
        ([b'{"history": 1, "document": {}}', b'{"type": "x"}'], "line 2: an event without 'time'"),
        ([b'{"history": 1, "document": {}}', b'{"time": "noon"}'], "line 2: "),
        (
            [b'{"history": 1, "document": {}}', b'{"type":"offer.made","time":"2026-11-23T12:00:00Z","data":{}}'],
            "line 2: offer.made, ticket_id",
        ),
    ],
)
def test_what_is_no_history_is_refused_with_its_line(lines: list[bytes], said: str) -> None:
    with pytest.raises(HistoryRefused, match=said):
        history_of(lines)


def a_ticket(**fields: Any) -> Recorded:
    return Recorded("t", NOON, "chat", "site-chat", "c", None, None, **fields)


def test_a_handle_time_is_drawn_from_the_nearest_history() -> None:
    def held(agent: str, category: str, *seconds: int) -> list[Recorded]:
        return [a_ticket(agent=agent, category=category, hold_us=each * SECOND_US) for each in seconds]

    tickets = (*held("anna", "billing", 1, 2, 3), *held("anna", "other", 10), *held("boris", "other", 20, 21))
    times = HandleTimes(history_of_tickets(tickets))
    assert times.draw("anna", "billing", 0.5) == 2 * SECOND_US
    assert times.draw("anna", "other", 0.99) == 10 * SECOND_US
    assert times.draw("erna", "other", 0.0) == 10 * SECOND_US
    assert times.draw("erna", "unknown", 0.0) == 1 * SECOND_US


def history_of_tickets(tickets: tuple[Recorded, ...]) -> Any:
    from dataclasses import replace

    return replace(history_of(events(*opened())), tickets=tickets)


def test_patience_is_estimated_from_who_left_and_who_stayed() -> None:
    """Of four who waited, one left after 10; of two who waited beyond 20, one left after 30 (product-limit)."""
    tickets = [
        a_ticket(fate="abandoned", left_us=10, waited_us=15),
        a_ticket(fate="served", waited_us=20),
        a_ticket(fate="abandoned", left_us=30, waited_us=35),
        a_ticket(fate="served", waited_us=40),
    ]
    patience = Patience(tickets)
    assert patience.draw("chat", 0, 0.2) == 10
    assert patience.draw("chat", 0, 0.3) == 30
    assert patience.draw("chat", 0, 0.7) is None
    assert patience.draw("chat", 20, 0.4) == 30
    assert patience.draw("chat", 40, 0.0) is None
    assert patience.draw("email", 0, 0.0) is None


def test_a_promise_counts_in_its_calendar() -> None:
    written = {
        **DOCUMENT,
        "timezone": "UTC",
        "calendars": {"office": {"tz": "UTC", "week": {"mon": [["11:00", "12:30"]], "tue": [["11:00", "12:30"]]}}},
        "sla": {
            "policies": [{"name": "all", "calendar": "office", "targets": {"first_response": {"default": 3600}}}],
        },
    }
    promises = Promises(read_document(written))
    assert promises.late_at(a_ticket(), "general") == NOON + timedelta(hours=23.5)
    written["sla"] = {"policies": [{"name": "vip", "match": {"customer_tier": ["vip"]}, "targets": {}}]}
    assert Promises(read_document(written)).late_at(a_ticket(), "general") is None


def test_who_is_in_the_document_and_of_whom_nothing_was_recorded_was_absent() -> None:
    """A replay had them at work all day: staff that there never was."""
    history = history_of(events(*opened(), offered(5), assigned(9), resolved(60)))
    assert history.present["anna"] == ((history.start, history.end),), "she worked, so she was there"
    assert {slug for slug, spans in history.present.items() if not spans} == {"boris", "carla", "dora"}


def test_the_header_says_who_was_there_when_the_events_begin() -> None:
    header, *told = events(*opened(), offered(5), assigned(9), resolved(60))
    known = orjson.loads(header) | {"presence": {"boris": "available", "carla": "away"}}
    history = history_of([orjson.dumps(known), *told])
    assert history.present["boris"] == ((history.start, history.end),)
    assert history.present["carla"] == ()
    for wrong in ({"boris": "here"}, ["boris"], {"boris": None}):
        with pytest.raises(HistoryRefused, match="presence is agent"):
            history_of([orjson.dumps(known | {"presence": wrong}), *told])
