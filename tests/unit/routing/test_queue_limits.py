"""Rule 20, limits: more than `max_waiting` tickets cannot wait in a queue; its `full` rule runs once per ticket."""

from typing import Any

from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.playing import Play, a_workspace


def a_counter(full: Any, max_waiting: int = 1, **sections: Any) -> dict[str, Any]:
    return a_workspace(
        {"anna": {"capacity": 1}},
        {"general": {"max_waiting": max_waiting, "full": full}, "later": {}},
        replies={"busy": {"en": "Too many of you."}},
        **sections,
    )


def test_who_can_be_served_at_once_never_finds_it_full() -> None:
    play = Play(a_counter({"then": "resolve"}, max_waiting=0))
    assert play.say().state == "offered"
    assert play.say("tkt_2").state == "resolved"


def test_the_one_too_many_is_told_and_resolved() -> None:
    play = Play(a_counter({"reply": "busy", "then": "resolve"}), present=())
    assert play.say().state == "queued"
    assert play.queue()["state"] == "full"
    ticket = play.say("tkt_2")
    assert (ticket.state, ticket.outcome) == ("resolved", "no_reply_needed")
    assert play.types[-3:] == ["ticket.queued", "ticket.replied", "ticket.resolved"]
    assert play.fact("ticket.resolved").reason == "the queue general is full"


def test_or_goes_to_another_queue() -> None:
    play = Play(a_counter({"reply": "busy", "then": {"to": "later"}}), present=())
    play.say()
    assert (play.say("tkt_2").queue, play.ticket("tkt_2").state) == ("later", "queued")
    assert [fact.reason for fact in play.facts if fact.type == "ticket.queued"] == ["opened", "full"]
    assert play.queue()["waiting"] == 1


def test_or_waits_as_others_do_having_been_told() -> None:
    play = Play(a_counter({"reply": "busy"}), present=())
    play.say()
    play.say("tkt_2")
    assert play.fact("ticket.replied").text == "Too many of you."
    assert play.queue()["waiting"] == 2
    play.available("anna")
    play.accept()
    play.resolve()
    assert play.offered_to("tkt_2") == "anna"


def test_the_rule_runs_once_and_two_full_queues_end() -> None:
    document = a_counter({"then": {"to": "later"}}, max_waiting=0)
    document["queues"]["later"] = {"max_waiting": 0, "full": {"then": {"to": "general"}}}
    play = Play(document, present=())
    assert (play.say().queue, play.ticket().state) == ("later", "queued")


def test_who_goes_back_after_an_offer_has_not_entered_again() -> None:
    play = Play(a_counter({"then": "resolve"}))
    play.say()
    play.say("tkt_2")
    play.reject("tkt_1")
    play.away("anna")
    assert [play.ticket(id).state for id in ("tkt_1", "tkt_2")] == ["queued", "queued"]
    assert_sound(play.desk)


def test_held_tickets_count() -> None:
    play = Play(a_counter({"then": "resolve"}), present=())
    play.say()
    play.close_queue()
    play.open_queue()
    play.close_queue()
    assert (play.queue()["state"], play.queue()["held"], play.queue()["waiting"]) == ("closed", 1, 1)
