"""What a new version would do, told by applying it and taking it back."""

from dataclasses import fields
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman_routing.desk.questions import effect as told
from pointsman_routing.desk.state.model import Agent, Ticket
from tests.unit.routing.desk_driver import DeskDriver, a_workspace

TWO = {"anna": {"skills": {"billing": 3}}, "boris": {"skills": {"technical": 3}}}


def test_a_gained_skill_makes_eligible_and_offers_at_once() -> None:
    document = a_workspace(TWO)
    driver = DeskDriver(document, present=["boris"])
    for number in (1, 2):
        driver.say(f"tkt_{number}", requires={"billing": 3})
    said = driver.effect({**document, "agents": {**TWO, "boris": {"skills": {"technical": 3, "billing": 3}}}})
    assert said["agents"] == {"count": 1, "first": [{"agent": "boris", "gains": 2, "loses": 0}]}
    assert said["offered"]["first"] == [
        {"ticket_id": "tkt_1", "agent": "boris"},
        {"ticket_id": "tkt_2", "agent": "boris"},
    ]
    assert (said["waiting"], said["compared"], said["unserved"]["count"]) == (2, 2, 0)


def test_a_lost_skill_rescinds_and_leaves_tickets_with_nobody() -> None:
    document = a_workspace(TWO)
    driver = DeskDriver(document)
    driver.say(requires={"billing": 3})
    said = driver.effect({**document, "agents": {**TWO, "anna": {}}})
    assert said["rescinded"]["first"] == [
        {"ticket_id": "tkt_1", "agent": "anna", "reason": "the configuration changed"}
    ]
    assert said["unserved"] == {
        "count": 1,
        "first": [{"ticket_id": "tkt_1", "queue": "general", "requires": {"billing": 3}}],
        "before": 0,
    }
    assert said["agents"]["first"] == [{"agent": "anna", "gains": 0, "loses": 1}]


def test_what_nobody_could_take_before_is_not_the_changes_fault() -> None:
    document = a_workspace(TWO)
    driver = DeskDriver(document)
    driver.say(requires={"billing": 9})
    said = driver.effect(document)
    assert (said["unserved"]["count"], said["unserved"]["before"]) == (1, 1)


def test_a_deleted_queue_moves_its_tickets() -> None:
    document = a_workspace({"anna": {"queues": ["general"]}}, {"billing": {}, "general": {}})
    driver = DeskDriver(document)
    driver.say(queue="billing")
    fewer = {**document, "queues": {"general": {}}}
    said = driver.effect(fewer, moves={"queues": {"billing": "general"}})
    assert said["moved"] == {"count": 1, "first": [{"ticket_id": "tkt_1", "from": "billing", "to": "general"}]}
    assert said["offered"]["first"] == [{"ticket_id": "tkt_1", "agent": "anna"}]


def test_a_deleted_agents_tickets_are_requeued() -> None:
    document = a_workspace(["anna", "boris"])
    driver = DeskDriver(document, present=["anna"])
    driver.assigned()
    said = driver.effect({**document, "agents": {"boris": {}}}, moves={"agents": {"anna": "requeue"}})
    assert said["requeued"]["first"] == [{"ticket_id": "tkt_1", "agent": "anna"}]


def test_a_refusal_is_told_and_why() -> None:
    document = a_workspace(["anna", "boris"])
    driver = DeskDriver(document, present=["anna"])
    driver.assigned()
    said = driver.effect({**document, "agents": {"boris": {}}})
    assert (said["refused"]["status"], said["refused"]["agents"]) == (409, ["anna"])
    assert driver.effect({**document, "queues": {"general": {"order": "?"}}})["refused"]["status"] == 422


def test_another_order_is_told_by_how_many_tickets_stand_elsewhere() -> None:
    document = a_workspace({"anna": {}})
    driver = DeskDriver(document, present=[])
    driver.say("tkt_1", priority="urgent")
    driver.say("tkt_2")
    assert driver.effect({**document, "queues": {"general": {"order": "priority"}}})["reordered"] == 1


def test_lists_are_short_and_say_how_many_there_are() -> None:
    document = a_workspace({"anna": {}}, {"billing": {}, "general": {}})
    driver = DeskDriver(document, present=[])
    for number in range(told.SHOWN_MAX + 5):
        driver.say(f"tkt_{number:02}", queue="billing")
    said = driver.effect({**document, "queues": {"general": {}}}, moves={"queues": {"billing": "general"}})
    assert (said["moved"]["count"], len(said["moved"]["first"])) == (told.SHOWN_MAX + 5, told.SHOWN_MAX)


def test_a_live_change_of_skills_and_capacity_drops_no_assignment() -> None:
    document = a_workspace({"anna": {"capacity": 3, "skills": {"billing": 3}}})
    driver = DeskDriver(document)
    for number in (1, 2, 3):
        driver.assigned(f"tkt_{number}", requires={"billing": 3})
    less: dict[str, Any] = {**document, "agents": {"anna": {"capacity": 1}}}
    driver.configure(less)
    assert {driver.ticket(f"tkt_{number}").agent for number in (1, 2, 3)} == {"anna"}
    assert (driver.agent("anna").load, driver.agent("anna").profile.capacity) == (3, 1)
    driver.say("tkt_4")
    assert driver.offered_to("tkt_4") is None
    for number in (1, 2, 3):
        driver.resolve(f"tkt_{number}")
    assert driver.offered_to("tkt_4") == "anna"


def standing(driver: DeskDriver) -> Any:
    """Everything a desk is, in values."""
    desk = driver.desk
    skipped = {"place", "pool", "shelved", "stamp", "change"}

    def values(thing: Ticket | Agent) -> dict[str, Any]:
        return {each.name: getattr(thing, each.name) for each in fields(thing) if each.name not in skipped}

    return (
        {id: values(ticket) for id, ticket in desk.tickets.items()},
        {slug: values(agent) for slug, agent in desk.agents.items()},
        dict(desk.offers),
        dict(desk.round_robin),
        sorted(driver.timers.armed("acme")),
        {
            key: [entry[:2] for entry in group.entries()]
            for key, group in desk.waiting.groups.items()
            if group.entries()
        },
        desk.policy.version,
    )


CHANGES: tuple[dict[str, Any], ...] = (
    {"agents": {"anna": {}}},
    {"agents": {"boris": {"capacity": 1, "skills": {"billing": 9}}, "carla": {}}},
    {"queues": {"general": {"order": "priority", "offer": {"auto_accept": True}}}},
    {"queues": {"billing": {"choice": "round_robin"}, "general": {"choice": "best_skilled"}}},
)
STEPS = st.lists(
    st.sampled_from(["say", "say billing", "accept", "reject", "resolve", "away", "back", "later", "effect"]),
    max_size=25,
)


def act(driver: DeskDriver, step: str, number: int) -> None:
    """One step of a history; what cannot be done then is left out."""
    offered = sorted(id for id, ticket in driver.desk.tickets.items() if ticket.offer)
    held = sorted(id for id, ticket in driver.desk.tickets.items() if ticket.state == "assigned")
    if step.startswith("say"):
        needs: dict[str, Any] = {"queue": "billing", "requires": {"billing": 3}} if step == "say billing" else {}
        driver.say(f"tkt_{number}", **needs)
    elif step == "accept" and offered:
        driver.accept(offered[0])
    elif step == "reject" and offered:
        driver.reject(offered[-1])
    elif step == "resolve" and held:
        driver.resolve(held[0])
    elif step == "away":
        driver.away("anna")
    elif step == "back":
        driver.available("anna")
    elif step == "later":
        driver.advance(45)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_asking_changes_nothing(steps: list[str]) -> None:
    document = a_workspace(
        {"anna": {"skills": {"billing": 5}, "capacity": 2}, "boris": {"capacity": 2}}, {"billing": {}, "general": {}}
    )
    asked, plain = DeskDriver(document), DeskDriver(document)
    for number, step in enumerate(steps):
        act(asked, step, number)
        act(plain, step, number)
        if step == "effect":
            before = standing(asked)
            for change in CHANGES:
                asked.effect({**document, **change}, moves={"agents": {"boris": "requeue", "anna": "requeue"}})
            assert standing(asked) == before
    assert [fact.type for fact in asked.log] == [fact.type for fact in plain.log]
    assert standing(asked)[0].keys() == standing(plain)[0].keys()
    for id, ticket in plain.desk.tickets.items():
        twin = asked.desk.tickets[id]
        assert (twin.state, twin.agent, twin.queue, twin.offer and twin.offer.agent) == (
            ticket.state,
            ticket.agent,
            ticket.queue,
            ticket.offer and ticket.offer.agent,
        )
