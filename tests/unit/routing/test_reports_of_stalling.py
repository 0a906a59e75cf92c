"""What users of other routers report about work that stands still, is found late, or stays with who is gone, shown not
to happen here."""

from datetime import timedelta

from pointsman_routing.desk.state import timers as kinds
from tests.unit.routing.playing import BOSS, Play, a_workspace


def test_chatwoot_7204_a_reopened_ticket_does_not_go_to_who_is_offline() -> None:
    """The customer answered after hours; the conversation went back to its agent, who had left."""
    play = Play(a_workspace(["anna", "boris"]), present=["anna"])
    play.assigned()
    play.resolve()
    play.presence("anna", "offline")
    play.say()
    assert play.ticket().state == "queued"
    play.available("boris")
    assert play.offered_to() == "boris"


def test_chatwoot_10583_a_vanished_agents_tickets_go_on() -> None:
    """Conversations stayed with agents who had gone, or were offered for ever."""
    play = Play(a_workspace(["anna", "boris"], presence={"grace_seconds": 60}), present=[])
    play.available("anna", lease_seconds=30)
    play.assigned("chat", channel="chat")
    play.say("offered", channel="chat")
    play.advance(30)
    assert play.ticket("offered").state == "queued"
    play.available("boris")
    assert play.offered_to("offered") == "boris"
    play.advance(60)
    assert play.ticket("chat").agent is None


def test_freeswitch_2540_an_agent_is_not_reserved_for_what_another_got() -> None:
    """Agents who were being rung while a colleague answered stayed reserved, and got no call any more."""
    play = Play(a_workspace({"anna": {"capacity": 1}, "boris": {"capacity": 1}}), present=["anna"])
    play.say()
    assert play.offered_to() == "anna"
    play.available("boris")
    play.resolve(actor=BOSS)
    assert play.agent("anna").load == 0
    play.advance(1)
    play.say("next")
    play.say("and next")
    assert {play.offered_to("next"), play.offered_to("and next")} == {"anna", "boris"}


def test_taskrouter_39_an_app_that_slept_works_again_by_its_next_renewal() -> None:
    """After the laptop had slept the worker never came back, whatever token it was given."""
    play = Play(a_workspace(["anna"]), present=[])
    play.available("anna", lease_seconds=60)
    play.advance(8 * 3600)
    assert play.agent("anna").state == "offline"
    play.say()
    assert play.offered_to() is None
    play.presence("anna", None, lease_seconds=60)
    assert play.agent("anna").state == "available"
    assert play.offered_to() == "anna"


def test_open_match_1037_a_ticket_that_once_found_nobody_is_not_forgotten() -> None:
    """A ticket that had been looked at without success was not looked at again."""
    play = Play(
        a_workspace({"anna": {"skills": {"billing": 1}}, "boris": {"skills": {"billing": 5}}}), present=["anna"]
    )
    play.say("hard", requires={"billing": 5})
    for number in range(20):
        play.assigned(f"easy_{number}")
        play.resolve(f"easy_{number}")
    play.advance(timedelta(days=1).total_seconds())
    play.available("boris")
    assert play.offered_to("hard") == "boris"


def test_rocketchat_34192_work_is_found_when_room_is_there() -> None:
    """A timer drove the queue: customers waited for the next round although agents were free."""
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned("first")
    play.say("second")
    play.resolve("first")
    assert play.offered_to("second") == "anna"
    play.accept("second")
    play.say("third")
    play.pend("second")
    assert play.offered_to("third") == "anna"
    assert play.now == play.ticket("third").opened_at, "no time has passed"


def test_chatwoot_12334_who_comes_online_gets_at_once_what_waits() -> None:
    """A job every fifteen minutes gave unassigned conversations to agents who had come online."""
    play = Play(a_workspace({"anna": {"capacity": 3}}), present=[])
    for number in range(3):
        play.say(f"tkt_{number}")
    play.available("anna")
    assert [play.offered_to(f"tkt_{number}") for number in range(3)] == ["anna"] * 3


def test_open_match_1388_a_thousand_waiting_tickets_cost_no_rounds() -> None:
    """Matching ran in cycles over everything that waited, and grew slow with it: here nothing is armed for tickets
    that only wait, and one that is freed is found without a look at the others."""
    play = Play(a_workspace({"anna": {"capacity": 1, "skills": {"billing": 1}}}))
    play.assigned("busy")
    for number in range(1000):
        play.say(f"hard_{number}", requires={"billing": 9})
    play.say("easy")
    assert not [timer for timer in play.timers.armed("acme") if timer[0] not in (kinds.LEASE,)]
    play.resolve("busy")
    assert play.offered_to("easy") == "anna"
