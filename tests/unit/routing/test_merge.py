"""Rule 14, merge: two tickets become one. The source closes, the target takes over what nobody has answered."""

from typing import Any

import pytest

from pointsman.contracts.desk import TicketClosed, TicketMerged
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent
from tests.unit.routing.invariants import assert_sound


def two_tickets(**agents: Any) -> DeskDriver:
    """anna holds tkt_1 and tkt_2, whose customers are the same person."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3}, **agents}))
    customer = {"customer": {"id": "cus_1"}}
    driver.assigned("tkt_1", **customer)
    driver.advance(60)
    driver.assigned("tkt_2", **customer)
    return driver


def merged(driver: DeskDriver, ticket: str) -> Any:
    """What was said of the merge on the ticket's side."""
    (fact,) = [fact for fact in driver.facts if isinstance(fact, TicketMerged) and fact.ticket_id == ticket]
    return fact


def test_the_source_closes_and_frees_its_charge() -> None:
    driver = two_tickets()
    driver.merge("tkt_2", "tkt_1", actor=as_agent("anna"))
    source = driver.closed["tkt_2"]
    assert (source.state, source.merged_into, source.agent, source.charged) == ("closed", "tkt_1", None, False)
    assert driver.agent("anna").load == 1
    closed = driver.fact("ticket.closed")
    assert closed == TicketClosed(ticket_id="tkt_2", reason="merged", merged_into="tkt_1")
    assert driver.answer["merged_into"] == "tkt_1"
    assert_sound(driver.desk)


def test_its_offer_is_rescinded_and_the_room_is_used_at_once() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    for ticket in ("tkt_1", "tkt_2", "tkt_3"):
        driver.say(ticket)
        driver.advance(1)
    driver.merge("tkt_1", "tkt_3")
    assert driver.fact("offer.rescinded").reason == "merged into tkt_3"
    assert driver.offered_to("tkt_3") == "anna", "older by what it took over"


def test_the_target_keeps_the_older_wait_and_the_oldest_unanswered_message() -> None:
    driver = DeskDriver(a_workspace([]))
    since = driver.say("tkt_1").waiting_since
    driver.advance(60)
    target = driver.say("tkt_2")
    driver.merge("tkt_1", "tkt_2")
    assert (target.waiting_since, target.unanswered_since) == (since, since)
    assert merged(driver, "tkt_2").unanswered_since == since
    assert merged(driver, "tkt_2").source == "tkt_1"
    assert merged(driver, "tkt_1").into == "tkt_2"


def test_answered_the_source_brings_nothing_to_answer() -> None:
    driver = two_tickets()
    driver.reply("tkt_1")
    driver.reply("tkt_2")
    driver.merge("tkt_2", "tkt_1")
    assert merged(driver, "tkt_1").unanswered_since is None
    assert driver.ticket("tkt_1").waiting_since is None


def test_a_pending_target_wakes_for_what_the_customer_wrote_on_the_source() -> None:
    driver = two_tickets()
    driver.reply("tkt_1")
    driver.pend("tkt_1")
    driver.merge("tkt_2", "tkt_1")
    assert (driver.ticket("tkt_1").state, driver.ticket("tkt_1").agent) == ("assigned", "anna")


@pytest.mark.parametrize("state", ["pending", "snoozed", "resolved", "wrap_up", "held"])
def test_in_every_state(state: str) -> None:
    driver = two_tickets()
    if state == "pending":
        driver.pend("tkt_2")
    elif state == "snoozed":
        driver.snooze("tkt_2", until=driver.now.replace(hour=20))
    elif state == "held":
        driver.say("tkt_3", customer={"id": "cus_1"})
        driver.away("anna")
        driver.close_queue()
        assert driver.ticket("tkt_3").held == "closed"
    else:
        driver.resolve("tkt_2", wrap_up_seconds=60 if state == "wrap_up" else 0)
    source = "tkt_3" if state == "held" else "tkt_2"
    driver.merge(source, "tkt_1")
    assert driver.closed[source].merged_into == "tkt_1"
    assert driver.agent("anna").load == (2 if state == "held" else 1)
    assert_sound(driver.desk)
    driver.advance(400_000)


def test_a_message_that_was_threaded_to_the_source_is_the_targets() -> None:
    driver = two_tickets()
    driver.merge("tkt_2", "tkt_1")
    driver.say("tkt_2")
    assert [(fact.type, fact.ticket_id) for fact in driver.facts] == [("message.received", "tkt_1")]
    assert driver.ticket("tkt_1").last_message_id == "msg_tkt_2_2"


def test_over_several_merges_it_is_the_last_ones() -> None:
    driver = two_tickets()
    driver.assigned("tkt_3")
    driver.merge("tkt_3", "tkt_2")
    driver.merge("tkt_2", "tkt_1")
    driver.resolve("tkt_1")
    driver.say("tkt_3")
    assert driver.types == ["message.received", "ticket.reopened", "ticket.assigned"]
    assert {fact.ticket_id for fact in driver.facts} == {"tkt_1"}


def test_who_resolves_the_target_must_have_seen_the_sources_messages() -> None:
    driver = two_tickets()
    seen = driver.ticket("tkt_1").last_message_id
    driver.merge("tkt_2", "tkt_1")
    driver.resolve("tkt_1", last_message_id=seen)
    assert (driver.answer.code, driver.answer.extra["newer"]) == ("unseen-message", ["msg_tkt_2_1"])
    driver.resolve("tkt_1", last_message_id=driver.ticket("tkt_1").last_message_id)
    assert driver.answer["state"] == "resolved"


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
    driver = two_tickets()
    driver.assigned("gone")
    driver.merge("gone", "tkt_1")
    driver.assigned("done")
    driver.resolve("done")
    driver.assigned("strange")
    before = driver.ticket("tkt_2").version
    driver.merge(ticket, into, **fields)
    assert driver.answer.code == code, driver.answer
    assert driver.facts == []
    assert driver.ticket("tkt_2").version == before


def test_merging_back_is_no_circle() -> None:
    driver = two_tickets()
    driver.merge("tkt_2", "tkt_1")
    driver.merge("tkt_1", "tkt_2")
    assert driver.answer.code == "wrong-state"
    assert driver.answer.detail == "the ticket tkt_2 is merged into tkt_1; only into an open one can be merged"


def two_channels() -> DeskDriver:
    """anna holds tkt_1, which had come by mail, with the chat of tkt_2 merged into it."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3}}))
    customer = {"customer": {"id": "cus_1", "name": "Ada"}}
    driver.assigned("tkt_1", **customer)
    driver.advance(60)
    driver.assigned("tkt_2", channel="chat", **customer)
    driver.merge("tkt_2", "tkt_1", actor=as_agent("anna"))
    return driver


def went_to(driver: DeskDriver) -> tuple[str, str, str]:
    said = driver.fact("ticket.replied")
    return said.connector, said.channel, said.thread


MAIL = ("support-mail", "email", "thread of tkt_1")
CHAT = ("site-chat", "chat", "thread of tkt_2")


def test_a_reply_goes_where_the_customer_spoke_last() -> None:
    """After a merge across channels every reply left by the target's channel."""
    driver = two_channels()
    driver.reply("tkt_1")
    assert went_to(driver) == CHAT
    driver.say("tkt_1")
    driver.reply("tkt_1")
    assert went_to(driver) == MAIL
    driver.say("tkt_2", channel="chat")
    driver.reply("tkt_1")
    assert went_to(driver) == CHAT
    driver.say("tkt_1", automatic="out_of_office")
    driver.reply("tkt_1")
    assert went_to(driver) == CHAT, "nobody wrote that"


def test_a_reply_goes_where_the_message_was_said_that_it_answers() -> None:
    driver = two_channels()
    driver.reply("tkt_1", reply_to_message="msg_tkt_1_1")
    assert went_to(driver) == MAIL
    by_mail = driver.answer["id"]
    driver.reply("tkt_1", reply_to_message="msg_tkt_2_1")
    assert went_to(driver) == CHAT
    driver.reply("tkt_1", reply_to_message=by_mail)
    assert went_to(driver) == MAIL
    driver.reply("tkt_1", public=False)
    driver.reply("tkt_1", reply_to_message=driver.answer["id"])
    assert went_to(driver) == CHAT, "a note was said nowhere"


def test_merged_the_other_way_round_it_is_the_same() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3}}))
    driver.assigned("tkt_1")
    driver.assigned("tkt_2", channel="chat")
    driver.merge("tkt_1", "tkt_2", actor=as_agent("anna"))
    driver.reply("tkt_2")
    assert went_to(driver) == CHAT
    driver.reply("tkt_2", reply_to_message="msg_tkt_1_1")
    assert went_to(driver) == MAIL
    assert driver.fact("ticket.replied").customer.id == "customer of tkt_1"


def test_over_several_merges_a_reply_finds_its_conversation() -> None:
    driver = two_channels()
    driver.assigned("tkt_3", customer={"id": "cus_1"})
    driver.merge("tkt_1", "tkt_3", actor=as_agent("anna"))
    driver.reply("tkt_3")
    assert went_to(driver) == ("support-mail", "email", "thread of tkt_3")
    driver.reply("tkt_3", reply_to_message="msg_tkt_2_1")
    assert went_to(driver) == CHAT
    driver.resolve("tkt_3", last_message_id="msg_tkt_2_1")
    assert driver.answer.extra["newer"] == ["msg_tkt_3_1"]


def test_split_off_again_a_message_is_answered_where_it_was_said() -> None:
    driver = two_channels()
    driver.split("tkt_1", "msg_tkt_2_1")
    new = driver.answer["id"]
    driver.reply("tkt_1")
    assert went_to(driver) == MAIL
    driver.accept(new)
    driver.reply(new)
    assert went_to(driver) == CHAT
    driver.reply("tkt_1", reply_to_message="msg_tkt_2_1")
    assert driver.answer.status == 422, "it is the other's now"


def one_held(**anna: Any) -> DeskDriver:
    """anna holds tkt_1; tkt_2 of the same customer waits."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3, **anna}, "boris": {}}), present=["anna"])
    driver.assigned("tkt_1", customer={"id": "cus_1"})
    driver.away("anna")
    driver.advance(60)
    driver.say("tkt_2", customer={"id": "cus_1"})
    assert driver.ticket("tkt_2").state == "queued"
    return driver


BOTH_WAYS = [("tkt_1", "tkt_2"), ("tkt_2", "tkt_1")]


@pytest.mark.parametrize(("source", "target"), BOTH_WAYS)
@pytest.mark.parametrize("free", ["queued", "offered", "held", "pending", "reserved"])
def test_who_holds_one_merges_one_that_nobody_holds_and_holds_the_result(free: str, source: str, target: str) -> None:
    driver = one_held()
    if free == "offered":
        driver.available("anna")
        assert driver.offered_to("tkt_2") == "anna"
    elif free == "held":
        driver.close_queue(then="hold")
        assert driver.ticket("tkt_2").held == "closed"
    elif free == "pending":
        driver.assign("boris", "tkt_2")
        driver.pend("tkt_2")
        driver.handover("boris")
        assert (driver.ticket("tkt_2").state, driver.ticket("tkt_2").agent) == ("pending", None)
    elif free == "reserved":
        driver.transfer("tkt_2", to_agent="anna", wait_seconds=600, actor=BOSS)
        assert driver.ticket("tkt_2").reserved_for == "anna"
    driver.merge(source, target, actor=as_agent("anna"))
    assert driver.answer["merged_into"] == target, driver.answer
    result = driver.ticket(target)
    assert (result.state, result.agent, driver.agent("anna").load) == ("assigned", "anna", 1)
    assert driver.agent("anna").shown == {}
    assert_sound(driver.desk)
    driver.advance(400_000)


@pytest.mark.parametrize(("source", "target"), BOTH_WAYS)
@pytest.mark.parametrize("other", ["held", "pending", "offered", "reserved"])
def test_what_is_somebody_elses_is_not_theirs_to_merge(other: str, source: str, target: str) -> None:
    driver = one_held()
    if other == "offered":
        driver.available("boris")
        assert driver.offered_to("tkt_2") == "boris"
    elif other == "reserved":
        driver.transfer("tkt_2", to_agent="boris", wait_seconds=600, actor=BOSS)
    else:
        driver.assign("boris", "tkt_2")
        if other == "pending":
            driver.pend("tkt_2")
        driver.available("boris")
    driver.merge(source, target, actor=as_agent("anna"))
    if (source, other) in (("tkt_1", "held"), ("tkt_1", "pending")):
        assert driver.ticket("tkt_2").agent == "boris", "she gave hers up to the ticket that he holds"
    else:
        assert (driver.answer.status, driver.answer.code) == (403, "not-holder")
        assert driver.ticket("tkt_1").agent == "anna"


@pytest.mark.parametrize(("source", "target"), BOTH_WAYS)
def test_who_holds_neither_merges_nothing(source: str, target: str) -> None:
    driver = one_held()
    driver.merge(source, target, actor=as_agent("boris"))
    assert (driver.answer.code, driver.answer.extra["holder"]) == ("not-holder", driver.ticket(source).agent)


def test_what_is_resolved_and_nobodys_may_be_merged_into_what_one_holds() -> None:
    driver = one_held()
    driver.resolve("tkt_2", actor=BOSS)
    driver.merge("tkt_2", "tkt_1", actor=as_agent("anna"))
    assert driver.closed["tkt_2"].merged_into == "tkt_1"


def test_after_work_is_over_with_the_merge_and_the_result_held() -> None:
    driver = one_held()
    driver.resolve("tkt_1", wrap_up_seconds=60)
    driver.merge("tkt_1", "tkt_2", actor=as_agent("anna"))
    assert (driver.ticket("tkt_2").agent, driver.agent("anna").load) == ("anna", 1)
    assert_sound(driver.desk)


def test_a_heavier_result_than_there_is_room_for_is_refused_whole() -> None:
    document = a_workspace(
        {"anna": {"capacity": 2}}, classify={"language_skill": None, "categories": {"heavy": {"weight": 3}}}
    )
    driver = DeskDriver(document)
    driver.assigned("tkt_1", customer={"id": "cus_1"})
    driver.say("tkt_2", customer={"id": "cus_1"}, category="heavy")
    driver.merge("tkt_1", "tkt_2", actor=as_agent("anna"))
    assert (driver.answer.status, driver.answer.code) == (409, "no-room")
    assert (driver.ticket("tkt_1").agent, driver.ticket("tkt_2").state) == ("anna", "queued")
    driver.merge("tkt_2", "tkt_1", actor=as_agent("anna"))
    assert driver.ticket("tkt_1").agent == "anna"


def test_of_one_offered_to_them_the_offer_is_accepted_or_ends() -> None:
    for source, target, end in (("tkt_1", "tkt_2", "offer.accepted"), ("tkt_2", "tkt_1", "offer.rescinded")):
        driver = one_held()
        driver.available("anna")
        driver.merge(source, target, actor=as_agent("anna"))
        assert [fact.type for fact in driver.facts if fact.type.startswith("offer.")] == [end]
