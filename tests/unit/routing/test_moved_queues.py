"""Rule 14, a queue that is renamed or deleted with `moves`: an open ticket's queue always exists, and every change of a
queue or holder is a fact."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pointsman_routing.desk.questions import invariants
from tests.unit.routing.desk_driver import BOSS, OPERATOR, DeskDriver, a_workspace, as_agent
from tests.unit.routing.documents import without_queue
from tests.unit.routing.invariants import assert_sound


def a_document(*queues: str, **sections: Any) -> dict[str, Any]:
    return a_workspace({"anna": {"capacity": 3}}, {queue: {"pull": True} for queue in queues}, **sections)


def rename(driver: DeskDriver, document: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Renames the queue, and returns the new document."""
    document = without_queue(document, old, new, renamed=True)
    driver.configure(document, moves={"queues": {old: new}})
    assert isinstance(driver.answer, dict), driver.answer
    assert_sound(driver.desk)
    return document


@pytest.fixture
def resolved() -> tuple[DeskDriver, dict[str, Any]]:
    """A ticket of `billing` that is resolved and has left the resident desk."""
    document = a_document("general", "billing")
    driver = DeskDriver(document)
    driver.assigned(queue="billing")
    driver.resolve()
    driver.leave_behind()
    return driver, document


def test_a_ticket_resolved_before_the_rename_reopens_in_the_renamed_queue(
    resolved: tuple[DeskDriver, dict[str, Any]],
) -> None:
    driver, document = resolved
    document = rename(driver, document, "billing", "invoices")
    version = driver.left["tkt_1"].version
    driver.say()
    ticket = driver.ticket()
    assert (ticket.state, ticket.agent, ticket.queue) == ("assigned", "anna", "invoices")
    moved = driver.fact("ticket.moved")
    assert (moved.from_queue, moved.queue) == ("billing", "invoices")
    assert driver.types.index("ticket.moved") < driver.types.index("ticket.assigned")
    assert driver.fact("ticket.assigned").queue == "invoices"
    assert ticket.version > version
    assert driver.explain()["queue"] == "invoices"
    driver.configure(document)
    assert driver.answer["config_version"] == 3, "no later version finds tickets in the old queue"


def test_queues_renamed_again_and_again_are_followed(resolved: tuple[DeskDriver, dict[str, Any]]) -> None:
    driver, document = resolved
    for old, new in (("billing", "invoices"), ("invoices", "money"), ("money", "accounts")):
        document = rename(driver, document, old, new)
    driver.reopen(actor=BOSS)
    assert driver.ticket().queue == "accounts"


def test_a_new_queue_of_the_old_name_gets_nothing_of_the_old_one(resolved: tuple[DeskDriver, dict[str, Any]]) -> None:
    driver, document = resolved
    document = rename(driver, document, "billing", "invoices")
    driver.configure({**document, "queues": {**document["queues"], "billing": {}}})
    driver.say()
    assert driver.ticket().queue == "invoices"


def test_a_name_that_is_given_back_is_followed_round(resolved: tuple[DeskDriver, dict[str, Any]]) -> None:
    driver, document = resolved
    document = rename(driver, document, "billing", "invoices")
    document = rename(driver, document, "invoices", "billing")
    driver.say()
    assert driver.ticket().queue == "billing"
    assert "ticket.moved" not in driver.types


def test_whoever_touches_it_first_moves_it_once(resolved: tuple[DeskDriver, dict[str, Any]]) -> None:
    driver, document = resolved
    rename(driver, document, "billing", "invoices")
    driver.say(automatic="auto_reply")
    assert (driver.ticket().state, driver.ticket().queue) == ("resolved", "invoices")
    assert driver.types.count("ticket.moved") == 1
    driver.leave_behind()
    driver.say()
    assert "ticket.moved" not in driver.types
    assert driver.ticket().queue == "invoices"


@pytest.mark.parametrize("touch", ["explain", "take", "label", "note", "merge"])
def test_nothing_fails_on_a_ticket_whose_queue_is_no_more(
    resolved: tuple[DeskDriver, dict[str, Any]], touch: str
) -> None:
    driver, document = resolved
    driver.assigned("tkt_2")
    rename(driver, document, "billing", "invoices")
    acts: dict[str, Callable[[], Any]] = {
        "explain": driver.explain,
        "take": lambda: driver.take("anna"),
        "label": lambda: driver.label(priority="high"),
        "note": lambda: driver.reply(public=False),
        "merge": lambda: driver.merge("tkt_1", "tkt_2"),
    }
    acts[touch]()
    assert touch == "take" or isinstance(driver.answer, dict), driver.answer


def test_a_deleted_queue_without_a_word_leaves_to_the_catch_all(resolved: tuple[DeskDriver, dict[str, Any]]) -> None:
    driver, _ = resolved
    driver.configure(a_document("general"))
    driver.say()
    assert (driver.ticket().queue, driver.fact("ticket.moved").from_queue) == ("general", "billing")


def test_pending_and_snoozed_tickets_move_with_a_fact_and_wake_there() -> None:
    document = a_document("general", "billing")
    driver = DeskDriver(document)
    driver.assigned("tkt_1", queue="billing")
    driver.pend("tkt_1")
    driver.assigned("tkt_2", queue="billing")
    driver.snooze("tkt_2", until=driver.now + timedelta(seconds=60))
    versions = [driver.ticket(id).version for id in ("tkt_1", "tkt_2")]
    rename(driver, document, "billing", "invoices")
    assert [fact.ticket_id for fact in driver.facts if fact.type == "ticket.moved"] == ["tkt_1", "tkt_2"]
    assert [driver.ticket(id).version for id in ("tkt_1", "tkt_2")] == [version + 1 for version in versions]
    driver.say("tkt_1")
    driver.advance(61)
    assert [driver.ticket(id).queue for id in ("tkt_1", "tkt_2")] == ["invoices", "invoices"]
    assert [driver.ticket(id).agent for id in ("tkt_1", "tkt_2")] == ["anna", "anna"]


def test_what_is_offered_stays_offered() -> None:
    document = a_document("general", "billing")
    driver = DeskDriver(document)
    driver.say(queue="billing")
    offer = driver.ticket().offer
    rename(driver, document, "billing", "invoices")
    assert driver.ticket().offer is offer
    assert driver.fact("ticket.moved").queue == "invoices"
    assert not {"ticket.queued", "offer.rescinded", "offer.made"} & set(driver.types)
    driver.accept()
    assert driver.fact("ticket.assigned").queue == "invoices"


def test_what_waits_is_told_to_wait_there_in_its_place_in_time() -> None:
    document = a_document("general", "billing")
    driver = DeskDriver(document, present=[])
    since = driver.say(queue="billing").waiting_since
    driver.advance(60)
    rename(driver, document, "billing", "invoices")
    told = driver.fact("ticket.queued")
    assert (told.queue, told.reason, told.waiting_since) == ("invoices", "moved", since)
    driver.available("anna")
    assert driver.offered_to() == "anna"


def test_a_renamed_queue_stays_as_closed_as_a_supervisor_left_it() -> None:
    document = a_document("general", "billing")
    driver = DeskDriver(document, present=[])
    driver.close_queue("billing", then="hold", until=driver.now + timedelta(seconds=300))
    driver.say(queue="billing")
    document = rename(driver, document, "billing", "invoices")
    driver.available("anna")
    assert (driver.ticket().held, driver.ticket().queue) == ("closed", "invoices")
    assert driver.queue("invoices")["state"] == "closed"
    driver.stays(301)
    assert driver.offered_to() == "anna"


def test_where_a_supervisor_sends_tickets_is_known_by_its_new_name() -> None:
    document = a_document("general", "billing", "night")
    driver = DeskDriver(document, present=[])
    driver.close_queue("billing", then={"to": "night"})
    rename(driver, document, "night", "dusk")
    assert driver.say(queue="billing").queue == "dusk"


def test_escalated_to_a_queue_it_asks_that_queues_agents_under_their_new_name() -> None:
    agents: dict[str, Any] = {"anna": {"queues": {"general": {}}}, "boris": {"queues": {"billing": {}}}}
    offer = {"offers_max": 1, "then": {"to": "billing"}}
    document = a_workspace(agents, {"general": {"offer": offer}, "billing": {}})
    driver = DeskDriver(document, present=["anna"])
    driver.say(queue="general")
    driver.reject()
    driver.away("anna")
    assert driver.ticket().wide == ("billing",)
    rename(driver, document, "billing", "invoices")
    driver.available("boris")
    assert driver.offered_to() == "boris"


def test_a_move_to_a_queue_that_is_none_is_refused(resolved: tuple[DeskDriver, dict[str, Any]]) -> None:
    driver, _ = resolved
    driver.configure(a_document("general"), moves={"queues": {"billing": "nowhere"}})
    assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/moves/queues/billing")


@pytest.mark.parametrize("gone", ["deleted", "bot"])
def test_an_agent_who_is_no_more_leaves_pending_and_snoozed_tickets_by_a_fact(gone: str) -> None:
    document = a_workspace(["anna", "boris"])
    driver = DeskDriver(document, present=["anna"])
    driver.assigned("tkt_1")
    driver.pend("tkt_1")
    driver.assigned("tkt_2")
    driver.snooze("tkt_2", until=driver.now + timedelta(seconds=60))
    driver.assigned("tkt_3")
    versions = {id: driver.ticket(id).version for id in ("tkt_1", "tkt_2", "tkt_3")}
    agents: dict[str, Any] = {"boris": {}} if gone == "deleted" else {"boris": {}, "anna": {"kind": "bot"}}
    driver.configure({**document, "agents": agents}, moves={"agents": {"anna": "requeue"}})
    told = {fact.ticket_id: fact for fact in driver.facts if fact.type == "ticket.transferred"}
    assert {id: (fact.from_agent, fact.to_queue, fact.by) for id, fact in told.items()} == dict.fromkeys(
        versions, ("anna", "general", OPERATOR)
    )
    assert all(driver.ticket(id).version > version for id, version in versions.items())
    assert [driver.ticket(id).state for id in versions] == ["pending", "snoozed", "queued"]
    driver.available("boris")
    driver.say("tkt_1")
    assert driver.offered_to("tkt_1") == "boris"


def test_a_version_that_changes_without_a_word_is_found() -> None:
    driver = DeskDriver(a_document("general"), present=[])
    driver.say()
    driver.desk.begin("test", "tkt_1", driver.now, driver.now)
    driver.desk.edit(driver.ticket())
    driver.desk.renew(driver.ticket())
    driver.desk.decision()
    (found,) = invariants.unexplained(driver.desk)
    assert (found.kind, found.ticket) == ("untold", "tkt_1")


def test_a_ticket_in_a_queue_that_is_no_more_is_found() -> None:
    driver = DeskDriver(a_document("general"))
    driver.assigned()
    driver.ticket().queue = "billing"
    (found,) = invariants.of_ticket(driver.desk, driver.ticket())
    assert (found.kind, found.agent) == ("queue-gone", "anna")


def test_a_rename_is_taken_back_whole(resolved: tuple[DeskDriver, dict[str, Any]]) -> None:
    driver, document = resolved
    renamed = without_queue(document, "billing", "invoices", renamed=True)
    driver.effect(renamed, moves={"queues": {"billing": "invoices"}})
    assert driver.desk.moves == ()
    driver.reply(actor=as_agent("anna"), public=False)
    assert driver.ticket().queue == "billing"
