"""Rule 14, split: messages of a ticket become a ticket of their own, which waits since its oldest unanswered one."""

from typing import Any

import pytest

from pointsman.contracts.desk import TicketOpened, TicketSplit
from pointsman_routing.desk.state.model import Ticket
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent


def three_messages(**agents: Any) -> Play:
    """anna holds tkt_1 with three messages, a minute apart."""
    play = Play(a_workspace({"anna": {"capacity": 1}, **agents}))
    play.assigned(subject="Two things")
    for text in ("And my bike is broken.", "It squeaks."):
        play.advance(60)
        play.say(text=text)
    play.advance(60)
    return play


def new_ticket(play: Play) -> Ticket:
    return play.ticket(play.answer["id"])


def test_the_new_ticket_is_the_same_customers_classified_and_queued() -> None:
    play = three_messages()
    source = play.ticket()
    play.split("tkt_1", "msg_tkt_1_2", "msg_tkt_1_3")
    new = new_ticket(play)
    assert (new.customer_id, new.thread, new.subject) == (source.customer_id, source.thread, "A question")
    assert new.state == "queued"
    assert [(fact.type, fact.ticket_id) for fact in play.facts] == [
        ("ticket.opened", new.id),
        ("ticket.classified", new.id),
        ("ticket.queued", new.id),
        ("ticket.split", "tkt_1"),
    ]
    opened = play.fact("ticket.opened")
    assert isinstance(opened, TicketOpened)
    assert (opened.split_from, opened.message_id) == ("tkt_1", "msg_tkt_1_2")
    assert (new.recent, new.last_message_id) == (("msg_tkt_1_2", "msg_tkt_1_3"), "msg_tkt_1_3")
    assert_sound(play.desk)


def test_it_waits_since_its_oldest_unanswered_message_and_the_first_goes_on_waiting() -> None:
    play = three_messages()
    asked = play.ticket().unanswered_since
    play.split("tkt_1", "msg_tkt_1_2")
    new, source = new_ticket(play), play.ticket()
    assert new.waiting_since == new.unanswered_since == play.now.replace(minute=1)
    assert new.opened_at == play.now
    assert source.unanswered_since == asked
    assert source.recent == ("msg_tkt_1_1", "msg_tkt_1_3")


def test_when_the_oldest_goes_the_first_waits_since_the_next() -> None:
    play = three_messages()
    play.split("tkt_1", "msg_tkt_1_1")
    split = play.fact("ticket.split")
    assert isinstance(split, TicketSplit)
    assert split.unanswered_since == play.ticket().unanswered_since == play.now.replace(minute=1)
    assert play.ticket().waiting_since == play.now.replace(minute=1)


def test_what_was_answered_is_not_asked_again() -> None:
    play = three_messages()
    play.reply()
    play.advance(60)
    play.say()
    play.split("tkt_1", "msg_tkt_1_2")
    new = new_ticket(play)
    assert (new.unanswered_since, new.waiting_since) == (None, play.now)
    assert play.fact("ticket.opened").unanswered_since is None
    play.split("tkt_1", "msg_tkt_1_4")
    assert new_ticket(play).unanswered_since == play.now
    assert (play.ticket().unanswered_since, play.ticket().waiting_since) == (None, None)


def test_a_queued_ticket_takes_its_new_place() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}), present=())
    for ticket in ("tkt_1", "tkt_2", "tkt_1"):
        play.say(ticket)
        play.advance(30)
    play.split("tkt_1", "msg_tkt_1_1", actor=BOSS)
    new = play.answer["id"]
    assert_sound(play.desk)
    play.available("anna")
    for ticket in (new, "tkt_2", "tkt_1"):
        assert play.offered_to(ticket) == "anna"
        play.accept(ticket)
        play.resolve(ticket)


def test_only_the_holder_or_a_supervisor_splits() -> None:
    play = three_messages()
    play.split("tkt_1", "msg_tkt_1_2", actor=as_agent("boris"))
    assert play.answer.code == "not-holder"
    play.split("tkt_1", "msg_tkt_1_2", actor=BOSS)
    assert play.answer["id"] in play.desk.tickets


def test_it_is_offered_like_any_first_to_who_knows_the_matter() -> None:
    play = three_messages(boris={"capacity": 5})
    holder = play.ticket().agent
    play.split("tkt_1", "msg_tkt_1_2")
    assert new_ticket(play).state == "offered"
    assert new_ticket(play).affine == (holder,)


def test_notes_and_replies_go_along() -> None:
    play = three_messages()
    play.reply(text="Which bike?")
    reply = play.ticket().last_message_id
    assert reply is not None
    play.split("tkt_1", "msg_tkt_1_2", reply)
    assert new_ticket(play).recent == ("msg_tkt_1_2", reply)
    assert play.ticket().last_message_id == "msg_tkt_1_3"


def test_a_merge_can_be_taken_apart_again() -> None:
    play = three_messages()
    play.say("tkt_2")
    play.merge("tkt_2", "tkt_1")
    play.split("tkt_1", "msg_tkt_2_1")
    assert new_ticket(play).recent == ("msg_tkt_2_1",)
    assert play.ticket().recent == ("msg_tkt_1_1", "msg_tkt_1_2", "msg_tkt_1_3")


def test_the_conversation_stays_the_first_tickets() -> None:
    play = three_messages()
    play.split("tkt_1", "msg_tkt_1_3")
    play.say()
    assert [fact.ticket_id for fact in play.facts] == ["tkt_1"]


def test_the_same_command_makes_the_same_ticket() -> None:
    first, second = three_messages(), three_messages()
    for play in (first, second):
        play.split("tkt_1", "msg_tkt_1_2")
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
    play = three_messages()
    play.reply()
    reply = play.ticket().last_message_id or ""
    before = play.ticket().recent
    play.split("tkt_1", *(reply if id == "reply" else id for id in messages))
    assert (play.answer.code, play.answer.detail, play.answer.extra["errors"][0]["pointer"]) == (
        "invalid", says, pointer,
    )  # fmt: skip
    assert play.facts == []
    assert play.ticket().recent == before
