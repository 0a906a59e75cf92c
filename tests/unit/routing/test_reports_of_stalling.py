"""What users of other routers report about work that stands still, is found late, or stays with who is gone, shown not
to happen here."""

from datetime import timedelta

from pointsman_routing.desk.state import timers as kinds
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace


def test_chatwoot_7204_a_reopened_ticket_does_not_go_to_who_is_offline() -> None:
    """The customer answered after hours; the conversation went back to its agent, who had left."""
    driver = DeskDriver(a_workspace(["anna", "boris"]), present=["anna"])
    driver.assigned()
    driver.resolve()
    driver.presence("anna", "offline")
    driver.say()
    assert driver.ticket().state == "queued"
    driver.available("boris")
    assert driver.offered_to() == "boris"


def test_chatwoot_10583_a_vanished_agents_tickets_go_on() -> None:
    """Conversations stayed with agents who had gone, or were offered for ever."""
    driver = DeskDriver(a_workspace(["anna", "boris"], presence={"grace_seconds": 60}), present=[])
    driver.available("anna", lease_seconds=30)
    driver.assigned("chat", channel="chat")
    driver.say("offered", channel="chat")
    driver.advance(30)
    assert driver.ticket("offered").state == "queued"
    driver.available("boris")
    assert driver.offered_to("offered") == "boris"
    driver.advance(60)
    assert driver.ticket("chat").agent is None


def test_freeswitch_2540_an_agent_is_not_reserved_for_what_another_got() -> None:
    """Agents who were being rung while a colleague answered stayed reserved, and got no call any more."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}, "boris": {"capacity": 1}}), present=["anna"])
    driver.say()
    assert driver.offered_to() == "anna"
    driver.available("boris")
    driver.resolve(actor=BOSS)
    assert driver.agent("anna").load == 0
    driver.advance(1)
    driver.say("next")
    driver.say("and next")
    assert {driver.offered_to("next"), driver.offered_to("and next")} == {"anna", "boris"}


def test_taskrouter_39_an_app_that_slept_works_again_by_its_next_renewal() -> None:
    """After the laptop had slept the worker never came back, whatever token it was given."""
    driver = DeskDriver(a_workspace(["anna"]), present=[])
    driver.available("anna", lease_seconds=60)
    driver.advance(8 * 3600)
    assert driver.agent("anna").state == "offline"
    driver.say()
    assert driver.offered_to() is None
    driver.presence("anna", None, lease_seconds=60)
    assert driver.agent("anna").state == "available"
    assert driver.offered_to() == "anna"


def test_open_match_1037_a_ticket_that_once_found_nobody_is_not_forgotten() -> None:
    """A ticket that had been looked at without success was not looked at again."""
    driver = DeskDriver(
        a_workspace({"anna": {"skills": {"billing": 1}}, "boris": {"skills": {"billing": 5}}}), present=["anna"]
    )
    driver.say("hard", requires={"billing": 5})
    for number in range(20):
        driver.assigned(f"easy_{number}")
        driver.resolve(f"easy_{number}")
    driver.advance(timedelta(days=1).total_seconds())
    driver.available("boris")
    assert driver.offered_to("hard") == "boris"


def test_rocketchat_34192_work_is_found_when_room_is_there() -> None:
    """A timer drove the queue: customers waited for the next round although agents were free."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned("first")
    driver.say("second")
    driver.resolve("first")
    assert driver.offered_to("second") == "anna"
    driver.accept("second")
    driver.say("third")
    driver.pend("second")
    assert driver.offered_to("third") == "anna"
    assert driver.now == driver.ticket("third").opened_at, "no time has passed"


def test_chatwoot_12334_who_comes_online_gets_at_once_what_waits() -> None:
    """A job every fifteen minutes gave unassigned conversations to agents who had come online."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3}}), present=[])
    for number in range(3):
        driver.say(f"tkt_{number}")
    driver.available("anna")
    assert [driver.offered_to(f"tkt_{number}") for number in range(3)] == ["anna"] * 3


def test_open_match_1388_a_thousand_waiting_tickets_cost_no_rounds() -> None:
    """Matching ran in cycles over everything that waited, and grew slow with it: here nothing is armed for tickets
    that only wait, and one that is freed is found without a look at the others."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1, "skills": {"billing": 1}}}))
    driver.assigned("busy")
    for number in range(1000):
        driver.say(f"hard_{number}", requires={"billing": 9})
    driver.say("easy")
    assert not [timer for timer in driver.timers.armed("acme") if timer[0] not in (kinds.LEASE,)]
    driver.resolve("busy")
    assert driver.offered_to("easy") == "anna"
