"""Rule 14, a queue that is renamed or deleted with `moves`: an open ticket's queue always exists, and every change of a
queue or holder is a fact."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pointsman_routing.desk.questions import invariants
from tests.unit.routing.documents import without_queue
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.playing import BOSS, OPERATOR, Play, a_workspace, as_agent


def a_document(*queues: str, **sections: Any) -> dict[str, Any]:
    return a_workspace({"anna": {"capacity": 3}}, {queue: {"pull": True} for queue in queues}, **sections)


def rename(play: Play, document: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Renames the queue, and returns the new document."""
    document = without_queue(document, old, new, renamed=True)
    play.configure(document, moves={"queues": {old: new}})
    assert isinstance(play.answer, dict), play.answer
    assert_sound(play.desk)
    return document


@pytest.fixture
def resolved() -> tuple[Play, dict[str, Any]]:
    """A ticket of `billing` that is resolved and has left the resident desk."""
    document = a_document("general", "billing")
    play = Play(document)
    play.assigned(queue="billing")
    play.resolve()
    play.leave_behind()
    return play, document


def test_a_ticket_resolved_before_the_rename_reopens_in_the_renamed_queue(
    resolved: tuple[Play, dict[str, Any]],
) -> None:
    play, document = resolved
    document = rename(play, document, "billing", "invoices")
    version = play.left["tkt_1"].version
    play.say()
    ticket = play.ticket()
    assert (ticket.state, ticket.agent, ticket.queue) == ("assigned", "anna", "invoices")
    moved = play.fact("ticket.moved")
    assert (moved.from_queue, moved.queue) == ("billing", "invoices")
    assert play.types.index("ticket.moved") < play.types.index("ticket.assigned")
    assert play.fact("ticket.assigned").queue == "invoices"
    assert ticket.version > version
    assert play.explain()["queue"] == "invoices"
    play.configure(document)
    assert play.answer["config_version"] == 3, "no later version finds tickets in the old queue"


def test_queues_renamed_again_and_again_are_followed(resolved: tuple[Play, dict[str, Any]]) -> None:
    play, document = resolved
    for old, new in (("billing", "invoices"), ("invoices", "money"), ("money", "accounts")):
        document = rename(play, document, old, new)
    play.reopen(actor=BOSS)
    assert play.ticket().queue == "accounts"


def test_a_new_queue_of_the_old_name_gets_nothing_of_the_old_one(resolved: tuple[Play, dict[str, Any]]) -> None:
    play, document = resolved
    document = rename(play, document, "billing", "invoices")
    play.configure({**document, "queues": {**document["queues"], "billing": {}}})
    play.say()
    assert play.ticket().queue == "invoices"


def test_a_name_that_is_given_back_is_followed_round(resolved: tuple[Play, dict[str, Any]]) -> None:
    play, document = resolved
    document = rename(play, document, "billing", "invoices")
    document = rename(play, document, "invoices", "billing")
    play.say()
    assert play.ticket().queue == "billing"
    assert "ticket.moved" not in play.types


def test_whoever_touches_it_first_moves_it_once(resolved: tuple[Play, dict[str, Any]]) -> None:
    play, document = resolved
    rename(play, document, "billing", "invoices")
    play.say(automatic="auto_reply")
    assert (play.ticket().state, play.ticket().queue) == ("resolved", "invoices")
    assert play.types.count("ticket.moved") == 1
    play.leave_behind()
    play.say()
    assert "ticket.moved" not in play.types
    assert play.ticket().queue == "invoices"


@pytest.mark.parametrize("touch", ["explain", "take", "label", "note", "merge"])
def test_nothing_fails_on_a_ticket_whose_queue_is_no_more(resolved: tuple[Play, dict[str, Any]], touch: str) -> None:
    play, document = resolved
    play.assigned("tkt_2")
    rename(play, document, "billing", "invoices")
    acts: dict[str, Callable[[], Any]] = {
        "explain": play.explain,
        "take": lambda: play.take("anna"),
        "label": lambda: play.label(priority="high"),
        "note": lambda: play.reply(public=False),
        "merge": lambda: play.merge("tkt_1", "tkt_2"),
    }
    acts[touch]()
    assert touch == "take" or isinstance(play.answer, dict), play.answer


def test_a_deleted_queue_without_a_word_leaves_to_the_catch_all(resolved: tuple[Play, dict[str, Any]]) -> None:
    play, _ = resolved
    play.configure(a_document("general"))
    play.say()
    assert (play.ticket().queue, play.fact("ticket.moved").from_queue) == ("general", "billing")


def test_pending_and_snoozed_tickets_move_with_a_fact_and_wake_there() -> None:
    document = a_document("general", "billing")
    play = Play(document)
    play.assigned("tkt_1", queue="billing")
    play.pend("tkt_1")
    play.assigned("tkt_2", queue="billing")
    play.snooze("tkt_2", until=play.now + timedelta(seconds=60))
    versions = [play.ticket(id).version for id in ("tkt_1", "tkt_2")]
    rename(play, document, "billing", "invoices")
    assert [fact.ticket_id for fact in play.facts if fact.type == "ticket.moved"] == ["tkt_1", "tkt_2"]
    assert [play.ticket(id).version for id in ("tkt_1", "tkt_2")] == [version + 1 for version in versions]
    play.say("tkt_1")
    play.advance(61)
    assert [play.ticket(id).queue for id in ("tkt_1", "tkt_2")] == ["invoices", "invoices"]
    assert [play.ticket(id).agent for id in ("tkt_1", "tkt_2")] == ["anna", "anna"]


def test_what_is_offered_stays_offered() -> None:
    document = a_document("general", "billing")
    play = Play(document)
    play.say(queue="billing")
    offer = play.ticket().offer
    rename(play, document, "billing", "invoices")
    assert play.ticket().offer is offer
    assert play.fact("ticket.moved").queue == "invoices"
    assert not {"ticket.queued", "offer.rescinded", "offer.made"} & set(play.types)
    play.accept()
    assert play.fact("ticket.assigned").queue == "invoices"


def test_what_waits_is_told_to_wait_there_in_its_place_in_time() -> None:
    document = a_document("general", "billing")
    play = Play(document, present=[])
    since = play.say(queue="billing").waiting_since
    play.advance(60)
    rename(play, document, "billing", "invoices")
    told = play.fact("ticket.queued")
    assert (told.queue, told.reason, told.waiting_since) == ("invoices", "moved", since)
    play.available("anna")
    assert play.offered_to() == "anna"


def test_a_renamed_queue_stays_as_closed_as_a_supervisor_left_it() -> None:
    document = a_document("general", "billing")
    play = Play(document, present=[])
    play.close_queue("billing", then="hold", until=play.now + timedelta(seconds=300))
    play.say(queue="billing")
    document = rename(play, document, "billing", "invoices")
    play.available("anna")
    assert (play.ticket().held, play.ticket().queue) == ("closed", "invoices")
    assert play.queue("invoices")["state"] == "closed"
    play.stays(301)
    assert play.offered_to() == "anna"


def test_where_a_supervisor_sends_tickets_is_known_by_its_new_name() -> None:
    document = a_document("general", "billing", "night")
    play = Play(document, present=[])
    play.close_queue("billing", then={"to": "night"})
    rename(play, document, "night", "dusk")
    assert play.say(queue="billing").queue == "dusk"


def test_escalated_to_a_queue_it_asks_that_queues_agents_under_their_new_name() -> None:
    agents: dict[str, Any] = {"anna": {"queues": {"general": {}}}, "boris": {"queues": {"billing": {}}}}
    offer = {"offers_max": 1, "then": {"to": "billing"}}
    document = a_workspace(agents, {"general": {"offer": offer}, "billing": {}})
    play = Play(document, present=["anna"])
    play.say(queue="general")
    play.reject()
    play.away("anna")
    assert play.ticket().wide == ("billing",)
    rename(play, document, "billing", "invoices")
    play.available("boris")
    assert play.offered_to() == "boris"


def test_a_move_to_a_queue_that_is_none_is_refused(resolved: tuple[Play, dict[str, Any]]) -> None:
    play, _ = resolved
    play.configure(a_document("general"), moves={"queues": {"billing": "nowhere"}})
    assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/moves/queues/billing")


@pytest.mark.parametrize("gone", ["deleted", "bot"])
def test_an_agent_who_is_no_more_leaves_pending_and_snoozed_tickets_by_a_fact(gone: str) -> None:
    document = a_workspace(["anna", "boris"])
    play = Play(document, present=["anna"])
    play.assigned("tkt_1")
    play.pend("tkt_1")
    play.assigned("tkt_2")
    play.snooze("tkt_2", until=play.now + timedelta(seconds=60))
    play.assigned("tkt_3")
    versions = {id: play.ticket(id).version for id in ("tkt_1", "tkt_2", "tkt_3")}
    agents: dict[str, Any] = {"boris": {}} if gone == "deleted" else {"boris": {}, "anna": {"kind": "bot"}}
    play.configure({**document, "agents": agents}, moves={"agents": {"anna": "requeue"}})
    told = {fact.ticket_id: fact for fact in play.facts if fact.type == "ticket.transferred"}
    assert {id: (fact.from_agent, fact.to_queue, fact.by) for id, fact in told.items()} == dict.fromkeys(
        versions, ("anna", "general", OPERATOR)
    )
    assert all(play.ticket(id).version > version for id, version in versions.items())
    assert [play.ticket(id).state for id in versions] == ["pending", "snoozed", "queued"]
    play.available("boris")
    play.say("tkt_1")
    assert play.offered_to("tkt_1") == "boris"


def test_a_version_that_changes_without_a_word_is_found() -> None:
    play = Play(a_document("general"), present=[])
    play.say()
    play.desk.begin("test", "tkt_1", play.now, play.now)
    play.desk.edit(play.ticket())
    play.desk.renew(play.ticket())
    play.desk.decision()
    (found,) = invariants.unexplained(play.desk)
    assert (found.kind, found.ticket) == ("untold", "tkt_1")


def test_a_ticket_in_a_queue_that_is_no_more_is_found() -> None:
    play = Play(a_document("general"))
    play.assigned()
    play.ticket().queue = "billing"
    (found,) = invariants.of_ticket(play.desk, play.ticket())
    assert (found.kind, found.agent) == ("queue-gone", "anna")


def test_a_rename_is_taken_back_whole(resolved: tuple[Play, dict[str, Any]]) -> None:
    play, document = resolved
    renamed = without_queue(document, "billing", "invoices", renamed=True)
    play.effect(renamed, moves={"queues": {"billing": "invoices"}})
    assert play.desk.moves == ()
    play.reply(actor=as_agent("anna"), public=False)
    assert play.ticket().queue == "billing"
