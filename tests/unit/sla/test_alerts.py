"""Alerts: one open per severity, policy and queue; joining, acknowledging, firing again, resolving by itself."""

from typing import Any

from pointsman.contracts.shapes import Actor
from pointsman.contracts.sla import AlertOpened
from pointsman.core.journal import Journal
from pointsman_sla.alerts.book import AlertBook
from pointsman_sla.alerts.model import Key, Member
from tests.unit.sla.builders import minute

KEY: Key = ("acme", "breach", "standard", "general")
SUE = Actor(kind="supervisor", id="sue")


def a_book() -> AlertBook:
    return AlertBook(Journal())


def a_member(number: int = 1) -> Member:
    return Member(f"clk_{number}", f"tkt_{number}", "first_response", 1)


def kinds(book: AlertBook) -> list[str]:
    return [event.kind for event in book.events]


def test_the_first_clock_opens_it_and_later_ones_join() -> None:
    book = a_book()
    one, opened = book.join(KEY, a_member(1), minute(0))
    two, nothing = book.join(KEY, a_member(2), minute(1))
    assert one == two
    assert isinstance(opened, AlertOpened)
    assert (opened.severity, opened.policy, opened.queue, opened.again) == ("breach", "standard", "general", False)
    assert nothing is None
    assert book.counts[one] == 2


def test_there_is_one_per_severity_policy_queue_and_workspace() -> None:
    book = a_book()
    others: list[Key] = [
        ("acme", "warning", "standard", "general"),
        ("acme", "breach", "vip", "general"),
        ("acme", "breach", "standard", "billing"),
        ("globex", "breach", "standard", "general"),
    ]
    ids = {book.join(key, a_member(), minute(0))[0] for key in (KEY, *others)}
    assert len(ids) == 5


def test_it_resolves_itself_when_its_last_clock_stops() -> None:
    book = a_book()
    alert, _ = book.join(KEY, a_member(1), minute(0))
    book.join(KEY, a_member(2), minute(0))
    assert book.leave(alert, a_member(1), minute(1), "met") is None
    resolved = book.leave(alert, a_member(2), minute(2), "met")
    assert resolved is not None
    assert (book.changed[alert].state, book.changed[alert].resolved_at) == ("resolved", minute(2))
    assert kinds(book) == ["opened", "joined", "left", "left", "resolved"]
    again, opened = book.join(KEY, a_member(3), minute(3))
    assert again != alert
    assert opened is not None


def test_an_acknowledgement_covers_the_clocks_that_are_in_it() -> None:
    book = a_book()
    alert, _ = book.join(KEY, a_member(1), minute(0))
    acked, fact = book.acknowledge(book.open[alert], SUE, "on it", None, minute(1))
    assert (acked.state, acked.acked_by, fact.by) == ("acknowledged", "sue", SUE)
    _, fired = book.join(KEY, a_member(2), minute(2))
    assert isinstance(fired, AlertOpened)
    assert (fired.again, fired.clock and fired.clock.ticket) == (True, "tkt_2")
    assert (book.open[alert].state, book.open[alert].acked_by) == ("firing", None)
    assert kinds(book)[-1] == "fired_again"


def test_taking_an_acknowledgement_back_fires_it_again() -> None:
    book = a_book()
    alert, _ = book.join(KEY, a_member(1), minute(0))
    acked, _ = book.acknowledge(book.open[alert], SUE, None, 600, minute(1))
    assert acked.ack_until == minute(11)
    fires, fact = book.unacknowledge(acked, SUE, minute(2))
    assert fact is not None
    assert (fires.state, fires.ack_until, fact.again, fact.clock) == ("firing", None, True, None)


def test_undoing_leaves_no_trace() -> None:
    book = a_book()
    alert, _ = book.join(KEY, a_member(1), minute(0))
    book.journal.forget()
    book.forget()

    def all_of_it() -> Any:
        return dict(book.open), dict(book.by_key), dict(book.counts), list(book.events), dict(book.changed)

    before = all_of_it()
    book.acknowledge(book.open[alert], SUE, None, None, minute(1))
    book.join(KEY, a_member(2), minute(2))
    book.leave(alert, a_member(1), minute(3), "met")
    book.leave(alert, a_member(2), minute(3), "met")
    book.join(KEY, a_member(4), minute(4))
    book.journal.undo()
    assert all_of_it() == before
