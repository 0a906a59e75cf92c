"""Rule 20, limits: more than `max_waiting` tickets cannot wait in a queue; its `full` rule runs once per ticket."""

from typing import Any

from tests.unit.routing.desk_driver import DeskDriver, a_workspace
from tests.unit.routing.invariants import assert_sound


def a_counter(full: Any, max_waiting: int = 1, **sections: Any) -> dict[str, Any]:
    return a_workspace(
        {"anna": {"capacity": 1}},
        {"general": {"max_waiting": max_waiting, "full": full}, "later": {}},
        replies={"busy": {"en": "Too many of you."}},
        **sections,
    )


def test_who_can_be_served_at_once_never_finds_it_full() -> None:
    driver = DeskDriver(a_counter({"then": "resolve"}, max_waiting=0))
    assert driver.say().state == "offered"
    assert driver.say("tkt_2").state == "resolved"


def test_the_one_too_many_is_told_and_resolved() -> None:
    driver = DeskDriver(a_counter({"reply": "busy", "then": "resolve"}), present=())
    assert driver.say().state == "queued"
    assert driver.queue()["state"] == "full"
    ticket = driver.say("tkt_2")
    assert (ticket.state, ticket.outcome) == ("resolved", "no_reply_needed")
    assert driver.types[-3:] == ["ticket.queued", "ticket.replied", "ticket.resolved"]
    assert driver.fact("ticket.resolved").reason == "the queue general is full"


def test_or_goes_to_another_queue() -> None:
    driver = DeskDriver(a_counter({"reply": "busy", "then": {"to": "later"}}), present=())
    driver.say()
    assert (driver.say("tkt_2").queue, driver.ticket("tkt_2").state) == ("later", "queued")
    assert [fact.reason for fact in driver.facts if fact.type == "ticket.queued"] == ["opened", "full"]
    assert driver.queue()["waiting"] == 1


def test_or_waits_as_others_do_having_been_told() -> None:
    driver = DeskDriver(a_counter({"reply": "busy"}), present=())
    driver.say()
    driver.say("tkt_2")
    assert driver.fact("ticket.replied").text == "Too many of you."
    assert driver.queue()["waiting"] == 2
    driver.available("anna")
    driver.accept()
    driver.resolve()
    assert driver.offered_to("tkt_2") == "anna"


def test_the_rule_runs_once_and_two_full_queues_end() -> None:
    document = a_counter({"then": {"to": "later"}}, max_waiting=0)
    document["queues"]["later"] = {"max_waiting": 0, "full": {"then": {"to": "general"}}}
    driver = DeskDriver(document, present=())
    assert (driver.say().queue, driver.ticket().state) == ("later", "queued")


def test_who_goes_back_after_an_offer_has_not_entered_again() -> None:
    driver = DeskDriver(a_counter({"then": "resolve"}))
    driver.say()
    driver.say("tkt_2")
    driver.reject("tkt_1")
    driver.away("anna")
    assert [driver.ticket(id).state for id in ("tkt_1", "tkt_2")] == ["queued", "queued"]
    assert_sound(driver.desk)


def test_held_tickets_count() -> None:
    driver = DeskDriver(a_counter({"then": "resolve"}), present=())
    driver.say()
    driver.close_queue()
    driver.open_queue()
    driver.close_queue()
    assert (driver.queue()["state"], driver.queue()["held"], driver.queue()["waiting"]) == ("closed", 1, 1)
