"""Rule 14, merge: two tickets become one. The source closes, the target takes over what nobody has answered."""

from typing import Any

import pytest

from pointsman.contracts.desk import TicketClosed, TicketMerged
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent


def two_tickets(**agents: Any) -> Play:
    """anna holds tkt_1 and tkt_2, whose customers are the same person."""
    play = Play(a_workspace({"anna": {"capacity": 3}, **agents}))
    customer = {"customer": {"id": "cus_1"}}
    play.assigned("tkt_1", **customer)
    play.advance(60)
    play.assigned("tkt_2", **customer)
    return play


def merged(play: Play, ticket: str) -> Any:
    """What was said of the merge on the ticket's side."""
    (fact,) = [fact for fact in play.facts if isinstance(fact, TicketMerged) and fact.ticket_id == ticket]
    return fact


def test_the_source_closes_and_frees_its_charge() -> None:
    play = two_tickets()
    play.merge("tkt_2", "tkt_1", actor=as_agent("anna"))
    source = play.closed["tkt_2"]
    assert (source.state, source.merged_into, source.agent, source.charged) == ("closed", "tkt_1", None, False)
    assert play.agent("anna").load == 1
    closed = play.fact("ticket.closed")
    assert closed == TicketClosed(ticket_id="tkt_2", reason="merged", merged_into="tkt_1")
    assert play.answer["merged_into"] == "tkt_1"
    assert_sound(play.desk)


def test_its_offer_is_rescinded_and_the_room_is_used_at_once() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    for ticket in ("tkt_1", "tkt_2", "tkt_3"):
        play.say(ticket)
        play.advance(1)
    play.merge("tkt_1", "tkt_3")
    assert play.fact("offer.rescinded").reason == "merged into tkt_3"
    assert play.offered_to("tkt_3") == "anna", "older by what it took over"


def test_the_target_keeps_the_older_wait_and_the_oldest_unanswered_message() -> None:
    play = Play(a_workspace([]))
    since = play.say("tkt_1").waiting_since
    play.advance(60)
    target = play.say("tkt_2")
    play.merge("tkt_1", "tkt_2")
    assert (target.waiting_since, target.unanswered_since) == (since, since)
    assert merged(play, "tkt_2").unanswered_since == since
    assert merged(play, "tkt_2").source == "tkt_1"
    assert merged(play, "tkt_1").into == "tkt_2"


def test_answered_the_source_brings_nothing_to_answer() -> None:
    play = two_tickets()
    play.reply("tkt_1")
    play.reply("tkt_2")
    play.merge("tkt_2", "tkt_1")
    assert merged(play, "tkt_1").unanswered_since is None
    assert play.ticket("tkt_1").waiting_since is None


def test_a_pending_target_wakes_for_what_the_customer_wrote_on_the_source() -> None:
    play = two_tickets()
    play.reply("tkt_1")
    play.pend("tkt_1")
    play.merge("tkt_2", "tkt_1")
    assert (play.ticket("tkt_1").state, play.ticket("tkt_1").agent) == ("assigned", "anna")


@pytest.mark.parametrize("state", ["pending", "snoozed", "resolved", "wrap_up", "held"])
def test_in_every_state(state: str) -> None:
    play = two_tickets()
    if state == "pending":
        play.pend("tkt_2")
    elif state == "snoozed":
        play.snooze("tkt_2", until=play.now.replace(hour=20))
    elif state == "held":
        play.say("tkt_3", customer={"id": "cus_1"})
        play.away("anna")
        play.close_queue()
        assert play.ticket("tkt_3").held == "closed"
    else:
        play.resolve("tkt_2", wrap_up_seconds=60 if state == "wrap_up" else 0)
    source = "tkt_3" if state == "held" else "tkt_2"
    play.merge(source, "tkt_1")
    assert play.closed[source].merged_into == "tkt_1"
    assert play.agent("anna").load == (2 if state == "held" else 1)
    assert_sound(play.desk)
    play.advance(400_000)


def test_a_message_that_was_threaded_to_the_source_is_the_targets() -> None:
    play = two_tickets()
    play.merge("tkt_2", "tkt_1")
    play.say("tkt_2")
    assert [(fact.type, fact.ticket_id) for fact in play.facts] == [("message.received", "tkt_1")]
    assert play.ticket("tkt_1").last_message_id == "msg_tkt_2_2"


def test_over_several_merges_it_is_the_last_ones() -> None:
    play = two_tickets()
    play.assigned("tkt_3")
    play.merge("tkt_3", "tkt_2")
    play.merge("tkt_2", "tkt_1")
    play.resolve("tkt_1")
    play.say("tkt_3")
    assert play.types == ["message.received", "ticket.reopened", "ticket.assigned"]
    assert {fact.ticket_id for fact in play.facts} == {"tkt_1"}


def test_who_resolves_the_target_must_have_seen_the_sources_messages() -> None:
    play = two_tickets()
    seen = play.ticket("tkt_1").last_message_id
    play.merge("tkt_2", "tkt_1")
    play.resolve("tkt_1", last_message_id=seen)
    assert (play.answer.code, play.answer.extra["newer"]) == ("unseen-message", ["msg_tkt_2_1"])
    play.resolve("tkt_1", last_message_id=play.ticket("tkt_1").last_message_id)
    assert play.answer["state"] == "resolved"


@pytest.mark.parametrize(
    ("ticket", "into", "fields", "code"),
    [
        ("tkt_2", "tkt_2", {}, "invalid"),
        ("tkt_2", "tkt_9", {}, "not-found"),
        ("tkt_2", "tkt_1", {"actor": as_agent("boris")}, "not-holder"),
        ("tkt_2", "done", {}, "wrong-state"),
        ("gone", "tkt_1", {}, "wrong-state"),
        ("tkt_2", "gone", {}, "wrong-state"),
        ("tkt_2", "strange", {"different_customers": False}, "different-customers"),
    ],
)
def test_what_cannot_be_merged_changes_nothing(ticket: str, into: str, fields: Any, code: str) -> None:
    play = two_tickets()
    play.assigned("gone")
    play.merge("gone", "tkt_1")
    play.assigned("done")
    play.resolve("done")
    play.assigned("strange")
    before = play.ticket("tkt_2").version
    play.merge(ticket, into, **fields)
    assert play.answer.code == code, play.answer
    assert play.facts == []
    assert play.ticket("tkt_2").version == before


def test_merging_back_is_no_circle() -> None:
    play = two_tickets()
    play.merge("tkt_2", "tkt_1")
    play.merge("tkt_1", "tkt_2")
    assert play.answer.code == "wrong-state"
    assert play.answer.detail == "the ticket tkt_2 is merged into tkt_1; only into an open one can be merged"


def two_channels() -> Play:
    """anna holds tkt_1, which had come by mail, with the chat of tkt_2 merged into it."""
    play = Play(a_workspace({"anna": {"capacity": 3}}))
    customer = {"customer": {"id": "cus_1", "name": "Ada"}}
    play.assigned("tkt_1", **customer)
    play.advance(60)
    play.assigned("tkt_2", channel="chat", **customer)
    play.merge("tkt_2", "tkt_1", actor=as_agent("anna"))
    return play


def went_to(play: Play) -> tuple[str, str, str]:
    said = play.fact("ticket.replied")
    return said.connector, said.channel, said.thread


MAIL = ("support-mail", "email", "thread of tkt_1")
CHAT = ("site-chat", "chat", "thread of tkt_2")


def test_a_reply_goes_where_the_customer_spoke_last() -> None:
    """After a merge across channels every reply left by the target's channel."""
    play = two_channels()
    play.reply("tkt_1")
    assert went_to(play) == CHAT
    play.say("tkt_1")
    play.reply("tkt_1")
    assert went_to(play) == MAIL
    play.say("tkt_2", channel="chat")
    play.reply("tkt_1")
    assert went_to(play) == CHAT
    play.say("tkt_1", automatic="out_of_office")
    play.reply("tkt_1")
    assert went_to(play) == CHAT, "nobody wrote that"


def test_a_reply_goes_where_the_message_was_said_that_it_answers() -> None:
    play = two_channels()
    play.reply("tkt_1", reply_to_message="msg_tkt_1_1")
    assert went_to(play) == MAIL
    by_mail = play.answer["id"]
    play.reply("tkt_1", reply_to_message="msg_tkt_2_1")
    assert went_to(play) == CHAT
    play.reply("tkt_1", reply_to_message=by_mail)
    assert went_to(play) == MAIL
    play.reply("tkt_1", public=False)
    play.reply("tkt_1", reply_to_message=play.answer["id"])
    assert went_to(play) == CHAT, "a note was said nowhere"


def test_merged_the_other_way_round_it_is_the_same() -> None:
    play = Play(a_workspace({"anna": {"capacity": 3}}))
    play.assigned("tkt_1")
    play.assigned("tkt_2", channel="chat")
    play.merge("tkt_1", "tkt_2", actor=as_agent("anna"))
    play.reply("tkt_2")
    assert went_to(play) == CHAT
    play.reply("tkt_2", reply_to_message="msg_tkt_1_1")
    assert went_to(play) == MAIL
    assert play.fact("ticket.replied").customer.id == "customer of tkt_1"


def test_over_several_merges_a_reply_finds_its_conversation() -> None:
    play = two_channels()
    play.assigned("tkt_3", customer={"id": "cus_1"})
    play.merge("tkt_1", "tkt_3", actor=as_agent("anna"))
    play.reply("tkt_3")
    assert went_to(play) == ("support-mail", "email", "thread of tkt_3")
    play.reply("tkt_3", reply_to_message="msg_tkt_2_1")
    assert went_to(play) == CHAT
    play.resolve("tkt_3", last_message_id="msg_tkt_2_1")
    assert play.answer.extra["newer"] == ["msg_tkt_3_1"]


def test_split_off_again_a_message_is_answered_where_it_was_said() -> None:
    play = two_channels()
    play.split("tkt_1", "msg_tkt_2_1")
    new = play.answer["id"]
    play.reply("tkt_1")
    assert went_to(play) == MAIL
    play.accept(new)
    play.reply(new)
    assert went_to(play) == CHAT
    play.reply("tkt_1", reply_to_message="msg_tkt_2_1")
    assert play.answer.status == 422, "it is the other's now"


def one_held(**anna: Any) -> Play:
    """anna holds tkt_1; tkt_2 of the same customer waits."""
    play = Play(a_workspace({"anna": {"capacity": 3, **anna}, "boris": {}}), present=["anna"])
    play.assigned("tkt_1", customer={"id": "cus_1"})
    play.away("anna")
    play.advance(60)
    play.say("tkt_2", customer={"id": "cus_1"})
    assert play.ticket("tkt_2").state == "queued"
    return play


BOTH_WAYS = [("tkt_1", "tkt_2"), ("tkt_2", "tkt_1")]


@pytest.mark.parametrize(("source", "target"), BOTH_WAYS)
@pytest.mark.parametrize("free", ["queued", "offered", "held", "pending", "reserved"])
def test_who_holds_one_merges_one_that_nobody_holds_and_holds_the_result(free: str, source: str, target: str) -> None:
    play = one_held()
    if free == "offered":
        play.available("anna")
        assert play.offered_to("tkt_2") == "anna"
    elif free == "held":
        play.close_queue(then="hold")
        assert play.ticket("tkt_2").held == "closed"
    elif free == "pending":
        play.assign("boris", "tkt_2")
        play.pend("tkt_2")
        play.handover("boris")
        assert (play.ticket("tkt_2").state, play.ticket("tkt_2").agent) == ("pending", None)
    elif free == "reserved":
        play.transfer("tkt_2", to_agent="anna", wait_seconds=600, actor=BOSS)
        assert play.ticket("tkt_2").reserved_for == "anna"
    play.merge(source, target, actor=as_agent("anna"))
    assert play.answer["merged_into"] == target, play.answer
    result = play.ticket(target)
    assert (result.state, result.agent, play.agent("anna").load) == ("assigned", "anna", 1)
    assert play.agent("anna").shown == {}
    assert_sound(play.desk)
    play.advance(400_000)


@pytest.mark.parametrize(("source", "target"), BOTH_WAYS)
@pytest.mark.parametrize("other", ["held", "pending", "offered", "reserved"])
def test_what_is_somebody_elses_is_not_theirs_to_merge(other: str, source: str, target: str) -> None:
    play = one_held()
    if other == "offered":
        play.available("boris")
        assert play.offered_to("tkt_2") == "boris"
    elif other == "reserved":
        play.transfer("tkt_2", to_agent="boris", wait_seconds=600, actor=BOSS)
    else:
        play.assign("boris", "tkt_2")
        if other == "pending":
            play.pend("tkt_2")
        play.available("boris")
    play.merge(source, target, actor=as_agent("anna"))
    if (source, other) in (("tkt_1", "held"), ("tkt_1", "pending")):
        assert play.ticket("tkt_2").agent == "boris", "she gave hers up to the ticket that he holds"
    else:
        assert (play.answer.status, play.answer.code) == (403, "not-holder")
        assert play.ticket("tkt_1").agent == "anna"


@pytest.mark.parametrize(("source", "target"), BOTH_WAYS)
def test_who_holds_neither_merges_nothing(source: str, target: str) -> None:
    play = one_held()
    play.merge(source, target, actor=as_agent("boris"))
    assert (play.answer.code, play.answer.extra["holder"]) == ("not-holder", play.ticket(source).agent)


def test_what_is_resolved_and_nobodys_may_be_merged_into_what_one_holds() -> None:
    play = one_held()
    play.resolve("tkt_2", actor=BOSS)
    play.merge("tkt_2", "tkt_1", actor=as_agent("anna"))
    assert play.closed["tkt_2"].merged_into == "tkt_1"


def test_after_work_is_over_with_the_merge_and_the_result_held() -> None:
    play = one_held()
    play.resolve("tkt_1", wrap_up_seconds=60)
    play.merge("tkt_1", "tkt_2", actor=as_agent("anna"))
    assert (play.ticket("tkt_2").agent, play.agent("anna").load) == ("anna", 1)
    assert_sound(play.desk)


def test_a_heavier_result_than_there_is_room_for_is_refused_whole() -> None:
    document = a_workspace(
        {"anna": {"capacity": 2}}, classify={"language_skill": None, "categories": {"heavy": {"weight": 3}}}
    )
    play = Play(document)
    play.assigned("tkt_1", customer={"id": "cus_1"})
    play.say("tkt_2", customer={"id": "cus_1"}, category="heavy")
    play.merge("tkt_1", "tkt_2", actor=as_agent("anna"))
    assert (play.answer.status, play.answer.code) == (409, "no-room")
    assert (play.ticket("tkt_1").agent, play.ticket("tkt_2").state) == ("anna", "queued")
    play.merge("tkt_2", "tkt_1", actor=as_agent("anna"))
    assert play.ticket("tkt_1").agent == "anna"


def test_of_one_offered_to_them_the_offer_is_accepted_or_ends() -> None:
    for source, target, end in (("tkt_1", "tkt_2", "offer.accepted"), ("tkt_2", "tkt_1", "offer.rescinded")):
        play = one_held()
        play.available("anna")
        play.merge(source, target, actor=as_agent("anna"))
        assert [fact.type for fact in play.facts if fact.type.startswith("offer.")] == [end]
