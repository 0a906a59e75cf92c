"""What users of other routers report (docs of the desk's rules name them), shown not to happen here."""

from collections import Counter
from datetime import timedelta

from pointsman.contracts.commands import OfferAccept
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.playing import Play, a_workspace, as_agent


def test_two_agents_never_get_one_ticket() -> None:
    """chatwoot PR#15275, PR#14495, PR#15524; RocketChat#22206; zammad#3156; libredesk PR#385."""
    play = Play(a_workspace(["anna", "boris"]))
    first = play.say().offer
    assert first is not None
    play.reject()
    second = play.ticket().offer
    assert second is not None
    for offer in (first, second, first, second):
        play.command(OfferAccept(offer_id=offer.id, actor=as_agent(offer.agent)), f"offer:{offer.id}")
        assert_sound(play.desk)
    assert play.ticket().agent == second.agent
    assert Counter(type for fact in play.log if (type := fact.type) == "ticket.assigned")["ticket.assigned"] == 1


def test_a_ticket_moves_on_without_a_sweep() -> None:
    """RocketChat PR#34192, chatwoot PR#12334 (15-minute sweep), open-match#1388: work found by a timer, not at once."""
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


def test_no_ticket_is_stuck_with_an_agent_who_is_gone() -> None:
    """chatwoot#10583, #7204; freeswitch#2540: assigned to who has left, or offered for ever."""
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


def test_a_skipped_ticket_is_not_lost() -> None:
    """open-match#1037: a ticket that once found no match was never looked at again."""
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


def test_equal_agents_get_equal_shares() -> None:
    """chatwoot#11034, asterisk#1736: the first in the list gets nearly everything."""
    play = Play(a_workspace([f"agent-{number}" for number in range(5)], {"general": {"choice": "longest_idle"}}))
    shares: Counter[str] = Counter()
    for number in range(50):
        ticket = f"tkt_{number}"
        holder = play.assigned(ticket).agent
        assert holder is not None
        shares[holder] += 1
        play.advance(1)
        play.resolve(ticket)
    assert set(shares.values()) == {10}
