"""Rule 14, waiting for one agent: nobody else gets the ticket, and not for ever."""

from typing import Any

from pointsman.contracts.requests import CustomerLeft
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace

QUEUES: dict[str, Any] = {"general": {}, "billing": {}}


def two(**agents: dict[str, Any]) -> DeskDriver:
    """Anna holds tkt_1; boris is there as told."""
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {}} | agents, QUEUES), present=["anna"])
    driver.assigned()
    return driver


def test_it_waits_for_the_agent_alone() -> None:
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {}, "carla": {}}), present=["anna", "carla"])
    driver.assigned()
    driver.transfer(to_agent="boris", wait_seconds=600)
    assert driver.types == ["ticket.transferred", "ticket.queued"]
    ticket = driver.ticket()
    assert (ticket.state, ticket.reserved_for, ticket.agent) == ("queued", "boris", None)
    assert driver.fact("ticket.transferred").reserved_until == ticket.reserved_until
    assert "waits for boris alone" in driver.explain()["sentence"]
    driver.advance(60)
    driver.available("boris")
    assert driver.types == ["agent.presence_changed", "ticket.assigned"]
    assert (ticket.agent, ticket.reserved_for, driver.desk.reserved) == ("boris", None, {})


def test_it_comes_before_what_waits_in_the_queues() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}, "boris": {"capacity": 1}}), present=["anna"])
    driver.assigned()
    driver.say("tkt_old", seconds_ago=500)
    driver.transfer(to_agent="boris", wait_seconds=600)
    driver.accept("tkt_old")
    driver.say("tkt_older", seconds_ago=900)
    driver.available("boris")
    assert (driver.ticket().agent, driver.ticket("tkt_older").state) == ("boris", "queued")


def test_of_several_the_longest_waiting_comes_first() -> None:
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {"capacity": 1}}), present=["anna"])
    driver.assigned("tkt_1")
    driver.assigned("tkt_2", seconds_ago=60)
    for ticket in ("tkt_1", "tkt_2"):
        driver.transfer(ticket, to_agent="boris", wait_seconds=600)
    driver.available("boris")
    assert (driver.ticket("tkt_2").agent, driver.ticket("tkt_1").agent) == ("boris", None)
    driver.resolve("tkt_2")
    assert driver.ticket("tkt_1").agent == "boris"


def test_when_the_time_is_over_the_queue_has_it_with_its_place_in_time() -> None:
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {}, "carla": {}}), present=["anna", "carla"])
    driver.assigned()
    asked = driver.now
    driver.transfer(to_agent="boris", wait_seconds=600)
    driver.advance(599)
    assert driver.ticket().reserved_for == "boris"
    driver.advance(1)
    assert driver.types == ["ticket.queued", "offer.made"]
    assert (driver.offered_to(), driver.ticket().waiting_since) == ("carla", asked)


def test_whoever_is_gone_from_the_configuration_is_waited_for_no_more() -> None:
    document = a_workspace(["anna", "boris", "carla"])
    driver = DeskDriver(document, present=["anna", "carla"])
    driver.assigned()
    driver.transfer(to_agent="boris", wait_seconds=600)
    del document["agents"]["boris"]
    driver.configure(document)
    assert (driver.offered_to(), driver.desk.reserved) == ("carla", {})


def test_a_lighter_label_may_let_it_fit() -> None:
    document = a_workspace(
        {"anna": {}, "boris": {"capacity": 1}},
        classify={"language_skill": None, "categories": {"heavy": {"weight": 2}, "light": {"weight": 1}}},
    )
    driver = DeskDriver(document, present=["anna"])
    driver.assigned(category="heavy")
    driver.available("boris")
    driver.transfer(to_agent="boris", wait_seconds=600)
    driver.label(category="light")
    assert driver.ticket().agent == "boris"


def test_a_customer_who_writes_does_not_end_the_waiting() -> None:
    driver = two()
    driver.transfer(to_agent="boris", wait_seconds=600)
    driver.say()
    assert (driver.types, driver.ticket().reserved_for) == (["message.received"], "boris")


def test_resolved_it_waits_for_nobody() -> None:
    driver = two()
    driver.transfer(to_agent="boris", wait_seconds=600)
    driver.resolve(actor=BOSS)
    driver.available("boris")
    assert (driver.ticket().state, driver.desk.reserved) == ("resolved", {})


def test_who_just_has_room_need_not_wait() -> None:
    driver = two()
    driver.available("boris")
    driver.transfer(to_agent="boris", wait_seconds=600)
    assert (driver.ticket().agent, driver.ticket().reserved_for) == ("boris", None)


def test_for_one_agent_it_waits_whether_its_queue_is_open_or_not() -> None:
    driver = two()
    driver.close_queue("general")
    driver.transfer(to_agent="boris", wait_seconds=600)
    assert (driver.ticket().held, driver.ticket().reserved_for) == (None, "boris")
    driver.available("boris")
    assert driver.ticket().agent == "boris"


def test_after_waiting_in_vain_a_closed_queue_holds_it() -> None:
    driver = two()
    driver.close_queue("general")
    driver.transfer(to_agent="boris", wait_seconds=600)
    driver.advance(600)
    assert (driver.ticket().reserved_for, driver.ticket().held) == (None, "closed")


def test_a_customer_who_left_is_not_waited_for_by_one_agent_for_ever() -> None:
    driver = DeskDriver(
        a_workspace(["anna", "boris"], channels={"chat": {"abandons_after_seconds": 300}}), present=["anna"]
    )
    driver.assigned(channel="chat")
    driver.hear(CustomerLeft(ticket_id="tkt_1", connector="site-chat", thread="t", occurred_at=driver.now))
    driver.transfer(to_agent="boris", wait_seconds=3600)
    driver.advance(300)
    assert (driver.ticket().outcome, driver.desk.reserved) == ("abandoned", {})


def test_relaxation_does_not_look_at_what_waits_for_one_agent() -> None:
    queues = {"general": {"relax": [{"after_seconds": 60, "drop": ["billing"]}]}}
    agents: dict[str, Any] = {"anna": {"skills": {"billing": 1}}, "boris": {}, "carla": {}}
    driver = DeskDriver(a_workspace(agents, queues), present=["anna", "carla"])
    driver.assigned(requires={"billing": 1})
    driver.transfer(to_agent="boris", wait_seconds=600)
    driver.advance(120)
    assert (driver.ticket().reserved_for, driver.offered_to()) == ("boris", None)
    driver.advance(480)
    assert driver.offered_to() == "carla"
