"""A new version of the document is a cause like any other."""

from typing import Any

from pointsman.contracts.shapes import Actor
from tests.unit.routing.playing import OPERATOR, Play, a_workspace

ADMIN = Actor(kind="admin", id="admin")


def test_the_first_version_is_an_operators() -> None:
    play = Play(a_workspace(["anna"]))
    (applied,) = [fact for fact in play.log if fact.type == "config.applied"]
    assert (applied.config_version, applied.author) == (1, OPERATOR)


def test_a_version_that_replaces_another_than_expected_is_refused() -> None:
    document = a_workspace(["anna"])
    play = Play(document)
    play.configure(document, expects=0, actor=ADMIN)
    assert (play.answer.status, play.answer.extra["config_version"]) == (412, 1)
    play.configure(document, expects=1, actor=ADMIN)
    assert play.answer["config_version"] == 2


def test_a_change_that_expects_any_version_holds_on_whichever_there_is() -> None:
    """`If-Match: *` was a dead letter: nobody could read the command, and had they read it, no version is None."""
    document = a_workspace(["anna"])
    play = Play(document)
    play.configure(document, expects=None, actor=ADMIN)
    assert play.answer["config_version"] == 2


def test_a_mistake_is_named_by_its_place() -> None:
    document = a_workspace(["anna"])
    play = Play(document)
    play.configure({**document, "agents": {"anna": {"capacity": "many"}}})
    assert play.answer.status == 422
    assert play.answer.extra["errors"][0]["pointer"] == "/agents/anna/capacity"
    assert play.desk.policy.version == 1


def test_another_workspaces_document_is_refused() -> None:
    document = a_workspace(["anna"])
    play = Play(document)
    play.configure({**document, "workspace": "other"})
    assert play.answer.status == 422


def test_a_new_skill_frees_what_waits() -> None:
    document = a_workspace({"anna": {}}, skills=["billing"])
    play = Play(document)
    play.say(requires={"billing": 3})
    assert play.offered_to() is None
    play.configure({**document, "agents": {"anna": {"skills": {"billing": 3}}}})
    assert play.offered_to() == "anna"


def test_where_queues_stay_every_ticket_stands_where_it_stood() -> None:
    document = a_workspace({"anna": {}}, skills=["billing"])
    play = Play(document, present=[])
    for number in range(3):
        play.say(f"tkt_{number}", requires={"billing": 3})
    places = {id: ticket.place for id, ticket in play.desk.tickets.items()}
    play.configure({**document, "agents": {"anna": {"capacity": 2}, "boris": {"skills": {"billing": 3}}}})
    assert all(ticket.place is places[id] for id, ticket in play.desk.tickets.items())
    play.available("boris")
    assert [play.offered_to(f"tkt_{number}") for number in range(3)] == ["boris", "boris", "boris"]
    play.configure({**document, "queues": {"general": {"order": "priority"}}})
    assert all(ticket.place is not places[id] for id, ticket in play.desk.tickets.items())


def test_what_a_language_asks_for_is_looked_at_anew() -> None:
    relax = [{"after_seconds": 60, "drop_language": True}]
    document = a_workspace({"anna": {}}, {"general": {"relax": relax}}, skills=["lang-en"])
    play = Play(document)
    play.say(requires={"lang-en": 1})
    play.advance(61)
    assert play.offered_to() is None, "nothing says that lang-en is a language"
    play.configure({**document, "classify": {"language_skill": "lang-{language}"}})
    assert play.offered_to() == "anna"


def test_a_lost_skill_rescinds_the_offer_and_keeps_the_assignment() -> None:
    document = a_workspace({"anna": {"skills": {"billing": 3}}})
    play = Play(document)
    play.assigned("held", requires={"billing": 3})
    play.say("shown", requires={"billing": 3})
    play.configure({**document, "agents": {"anna": {}}})
    assert (play.ticket("held").agent, play.ticket("shown").state) == ("anna", "queued")


def test_deleting_an_agent_who_holds_tickets_needs_a_word_about_them() -> None:
    document = a_workspace(["anna", "boris"])
    play = Play(document, present=["anna"])
    play.assigned()
    others: dict[str, Any] = {**document, "agents": {"boris": {}}}
    play.configure(others)
    assert (play.answer.status, play.answer.extra["agents"]) == (409, ["anna"])
    play.configure(others, moves={"agents": {"anna": "requeue"}})
    assert play.ticket().state == "queued"
    assert "anna" not in play.desk.agents
    play.available("boris")
    assert play.offered_to() == "boris"


def test_deleting_a_queue_that_holds_tickets_needs_a_word_about_them() -> None:
    document = a_workspace({"anna": {}}, {"billing": {}, "general": {}})
    play = Play(document, present=[])
    play.say(queue="billing")
    fewer = {**document, "queues": {"general": {}}}
    play.configure(fewer)
    assert (play.answer.status, play.answer.extra["queues"]) == (409, ["billing"])
    play.configure(fewer, moves={"queues": {"billing": "general"}})
    assert play.ticket().queue == "general"
    play.available("anna")
    assert play.offered_to() == "anna"


def test_a_reopened_ticket_of_a_queue_that_is_gone_goes_to_the_catch_all() -> None:
    document = a_workspace({"anna": {}}, {"billing": {}, "general": {}})
    play = Play(document)
    play.assigned(queue="billing")
    play.resolve()
    play.configure({**document, "queues": {"general": {}}})
    play.away("anna")
    play.say()
    assert play.ticket().queue == "general"
