"""Rule 14, split: messages of a ticket become a ticket of their own, which waits since its oldest unanswered one."""

from typing import Any

import pytest

from pointsman.contracts.desk import TicketOpened, TicketSplit
from pointsman_routing.desk.state.model import Ticket
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent
from tests.unit.routing.invariants import assert_sound


def three_messages(**agents: Any) -> DeskDriver:
    """anna holds tkt_1 with three messages, a minute apart."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}, **agents}))
    driver.assigned(subject="Two things")
    for text in ("And my bike is broken.", "It squeaks."):
        driver.advance(60)
        driver.say(text=text)
    driver.advance(60)
    return driver


def new_ticket(driver: DeskDriver) -> Ticket:
    return driver.ticket(driver.answer["id"])


def test_the_new_ticket_is_the_same_customers_classified_and_queued() -> None:
    driver = three_messages()
    source = driver.ticket()
    driver.split("tkt_1", "msg_tkt_1_2", "msg_tkt_1_3")
    new = new_ticket(driver)
    assert (new.customer_id, new.thread, new.subject) == (source.customer_id, source.thread, "A question")
    assert new.state == "queued"
    assert [(fact.type, fact.ticket_id) for fact in driver.facts] == [
        ("ticket.opened", new.id),
        ("ticket.classified", new.id),
        ("ticket.queued", new.id),
        ("ticket.split", "tkt_1"),
    ]
    opened = driver.fact("ticket.opened")
    assert isinstance(opened, TicketOpened)
    assert (opened.split_from, opened.message_id) == ("tkt_1", "msg_tkt_1_2")
    assert (new.recent, new.last_message_id) == (("msg_tkt_1_2", "msg_tkt_1_3"), "msg_tkt_1_3")
    assert_sound(driver.desk)


def test_it_waits_since_its_oldest_unanswered_message_and_the_first_goes_on_waiting() -> None:
    driver = three_messages()
    asked = driver.ticket().unanswered_since
    driver.split("tkt_1", "msg_tkt_1_2")
    new, source = new_ticket(driver), driver.ticket()
    assert new.waiting_since == new.unanswered_since == driver.now.replace(minute=1)
    assert new.opened_at == driver.now
    assert source.unanswered_since == asked
    assert source.recent == ("msg_tkt_1_1", "msg_tkt_1_3")


def test_when_the_oldest_goes_the_first_waits_since_the_next() -> None:
    driver = three_messages()
    driver.split("tkt_1", "msg_tkt_1_1")
    split = driver.fact("ticket.split")
    assert isinstance(split, TicketSplit)
    assert split.unanswered_since == driver.ticket().unanswered_since == driver.now.replace(minute=1)
    assert driver.ticket().waiting_since == driver.now.replace(minute=1)


def test_what_was_answered_is_not_asked_again() -> None:
    driver = three_messages()
    driver.reply()
    driver.advance(60)
    driver.say()
    driver.split("tkt_1", "msg_tkt_1_2")
    new = new_ticket(driver)
    assert (new.unanswered_since, new.waiting_since) == (None, driver.now)
    assert driver.fact("ticket.opened").unanswered_since is None
    driver.split("tkt_1", "msg_tkt_1_4")
    assert new_ticket(driver).unanswered_since == driver.now
    assert (driver.ticket().unanswered_since, driver.ticket().waiting_since) == (None, None)


def test_a_queued_ticket_takes_its_new_place() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}), present=())
    for ticket in ("tkt_1", "tkt_2", "tkt_1"):
        driver.say(ticket)
        driver.advance(30)
    driver.split("tkt_1", "msg_tkt_1_1", actor=BOSS)
    new = driver.answer["id"]
    assert_sound(driver.desk)
    driver.available("anna")
    for ticket in (new, "tkt_2", "tkt_1"):
        assert driver.offered_to(ticket) == "anna"
        driver.accept(ticket)
        driver.resolve(ticket)


def test_only_the_holder_or_a_supervisor_splits() -> None:
    driver = three_messages()
    driver.split("tkt_1", "msg_tkt_1_2", actor=as_agent("boris"))
    assert driver.answer.code == "not-holder"
    driver.split("tkt_1", "msg_tkt_1_2", actor=BOSS)
    assert driver.answer["id"] in driver.desk.tickets


def test_it_is_offered_like_any_first_to_who_knows_the_matter() -> None:
    driver = three_messages(boris={"capacity": 5})
    holder = driver.ticket().agent
    driver.split("tkt_1", "msg_tkt_1_2")
    assert new_ticket(driver).state == "offered"
    assert new_ticket(driver).affine == (holder,)


def test_notes_and_replies_go_along() -> None:
    driver = three_messages()
    driver.reply(text="Which bike?")
    reply = driver.ticket().last_message_id
    assert reply is not None
    driver.split("tkt_1", "msg_tkt_1_2", reply)
    assert new_ticket(driver).recent == ("msg_tkt_1_2", reply)
    assert driver.ticket().last_message_id == "msg_tkt_1_3"


def test_a_merge_can_be_taken_apart_again() -> None:
    driver = three_messages()
    driver.say("tkt_2")
    driver.merge("tkt_2", "tkt_1")
    driver.split("tkt_1", "msg_tkt_2_1")
    assert new_ticket(driver).recent == ("msg_tkt_2_1",)
    assert driver.ticket().recent == ("msg_tkt_1_1", "msg_tkt_1_2", "msg_tkt_1_3")


def test_the_conversation_stays_the_first_tickets() -> None:
    driver = three_messages()
    driver.split("tkt_1", "msg_tkt_1_3")
    driver.say()
    assert [fact.ticket_id for fact in driver.facts] == ["tkt_1"]


def test_the_same_command_makes_the_same_ticket() -> None:
    first, second = three_messages(), three_messages()
    for driver in (first, second):
        driver.split("tkt_1", "msg_tkt_1_2")
    assert first.answer["id"] == second.answer["id"]


@pytest.mark.parametrize(
    ("messages", "pointer", "says"),
    [
        (("msg_tkt_1_2", "msg_9"), "/message_ids/1", "the ticket has no message msg_9"),
        (("msg_tkt_1_1", "msg_tkt_1_2", "msg_tkt_1_3"), "/message_ids", "one of the customer's messages has to stay"),
        (("reply",), "/message_ids", "none of them is the customer's"),
    ],
)
def test_what_cannot_be_split_off_changes_nothing(messages: tuple[str, ...], pointer: str, says: str) -> None:
    driver = three_messages()
    driver.reply()
    reply = driver.ticket().last_message_id or ""
    before = driver.ticket().recent
    driver.split("tkt_1", *(reply if id == "reply" else id for id in messages))
    assert (driver.answer.code, driver.answer.detail, driver.answer.extra["errors"][0]["pointer"]) == (
        "invalid", says, pointer,
    )  # fmt: skip
    assert driver.facts == []
    assert driver.ticket().recent == before
