"""A new version of the document is a cause like any other."""

from typing import Any

from pointsman.contracts.shapes import Actor
from tests.unit.routing.desk_driver import OPERATOR, DeskDriver, a_workspace

ADMIN = Actor(kind="admin", id="admin")


def test_the_first_version_is_an_operators() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    (applied,) = [fact for fact in driver.log if fact.type == "config.applied"]
    assert (applied.config_version, applied.author) == (1, OPERATOR)


def test_a_version_that_replaces_another_than_expected_is_refused() -> None:
    document = a_workspace(["anna"])
    driver = DeskDriver(document)
    driver.configure(document, expects=0, actor=ADMIN)
    assert (driver.answer.status, driver.answer.extra["config_version"]) == (412, 1)
    driver.configure(document, expects=1, actor=ADMIN)
    assert driver.answer["config_version"] == 2


def test_a_change_that_expects_any_version_holds_on_whichever_there_is() -> None:
    """`If-Match: *` was a dead letter: nobody could read the command, and had they read it, no version is None."""
    document = a_workspace(["anna"])
    driver = DeskDriver(document)
    driver.configure(document, expects=None, actor=ADMIN)
    assert driver.answer["config_version"] == 2


def test_a_mistake_is_named_by_its_place() -> None:
    document = a_workspace(["anna"])
    driver = DeskDriver(document)
    driver.configure({**document, "agents": {"anna": {"capacity": "many"}}})
    assert driver.answer.status == 422
    assert driver.answer.extra["errors"][0]["pointer"] == "/agents/anna/capacity"
    assert driver.desk.policy.version == 1


def test_another_workspaces_document_is_refused() -> None:
    document = a_workspace(["anna"])
    driver = DeskDriver(document)
    driver.configure({**document, "workspace": "other"})
    assert driver.answer.status == 422


def test_a_new_skill_frees_what_waits() -> None:
    document = a_workspace({"anna": {}}, skills=["billing"])
    driver = DeskDriver(document)
    driver.say(requires={"billing": 3})
    assert driver.offered_to() is None
    driver.configure({**document, "agents": {"anna": {"skills": {"billing": 3}}}})
    assert driver.offered_to() == "anna"


def test_where_queues_stay_every_ticket_stands_where_it_stood() -> None:
    document = a_workspace({"anna": {}}, skills=["billing"])
    driver = DeskDriver(document, present=[])
    for number in range(3):
        driver.say(f"tkt_{number}", requires={"billing": 3})
    places = {id: ticket.place for id, ticket in driver.desk.tickets.items()}
    driver.configure({**document, "agents": {"anna": {"capacity": 2}, "boris": {"skills": {"billing": 3}}}})
    assert all(ticket.place is places[id] for id, ticket in driver.desk.tickets.items())
    driver.available("boris")
    assert [driver.offered_to(f"tkt_{number}") for number in range(3)] == ["boris", "boris", "boris"]
    driver.configure({**document, "queues": {"general": {"order": "priority"}}})
    assert all(ticket.place is not places[id] for id, ticket in driver.desk.tickets.items())


def test_what_a_language_asks_for_is_looked_at_anew() -> None:
    relax = [{"after_seconds": 60, "drop_language": True}]
    document = a_workspace({"anna": {}}, {"general": {"relax": relax}}, skills=["lang-en"])
    driver = DeskDriver(document)
    driver.say(requires={"lang-en": 1})
    driver.advance(61)
    assert driver.offered_to() is None, "nothing says that lang-en is a language"
    driver.configure({**document, "classify": {"language_skill": "lang-{language}"}})
    assert driver.offered_to() == "anna"


def test_a_lost_skill_rescinds_the_offer_and_keeps_the_assignment() -> None:
    document = a_workspace({"anna": {"skills": {"billing": 3}}})
    driver = DeskDriver(document)
    driver.assigned("held", requires={"billing": 3})
    driver.say("shown", requires={"billing": 3})
    driver.configure({**document, "agents": {"anna": {}}})
    assert (driver.ticket("held").agent, driver.ticket("shown").state) == ("anna", "queued")


def test_deleting_an_agent_who_holds_tickets_needs_a_word_about_them() -> None:
    document = a_workspace(["anna", "boris"])
    driver = DeskDriver(document, present=["anna"])
    driver.assigned()
    others: dict[str, Any] = {**document, "agents": {"boris": {}}}
    driver.configure(others)
    assert (driver.answer.status, driver.answer.extra["agents"]) == (409, ["anna"])
    driver.configure(others, moves={"agents": {"anna": "requeue"}})
    assert driver.ticket().state == "queued"
    assert "anna" not in driver.desk.agents
    driver.available("boris")
    assert driver.offered_to() == "boris"


def test_deleting_a_queue_that_holds_tickets_needs_a_word_about_them() -> None:
    document = a_workspace({"anna": {}}, {"billing": {}, "general": {}})
    driver = DeskDriver(document, present=[])
    driver.say(queue="billing")
    fewer = {**document, "queues": {"general": {}}}
    driver.configure(fewer)
    assert (driver.answer.status, driver.answer.extra["queues"]) == (409, ["billing"])
    driver.configure(fewer, moves={"queues": {"billing": "general"}})
    assert driver.ticket().queue == "general"
    driver.available("anna")
    assert driver.offered_to() == "anna"


def test_a_reopened_ticket_of_a_queue_that_is_gone_goes_to_the_catch_all() -> None:
    document = a_workspace({"anna": {}}, {"billing": {}, "general": {}})
    driver = DeskDriver(document)
    driver.assigned(queue="billing")
    driver.resolve()
    driver.configure({**document, "queues": {"general": {}}})
    driver.away("anna")
    driver.say()
    assert driver.ticket().queue == "general"
