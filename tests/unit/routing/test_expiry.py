"""Rule 4, expiry: an offer ends at its time, and whoever let it is away. A batch may hold several timers that are due;
deciding one may end another that was handed out with it."""

from datetime import timedelta

from pointsman.contracts.commands import OfferAccept, PresenceSet
from pointsman_routing.desk.state import timers as kinds
from tests.unit.routing.playing import Play, a_workspace, as_agent


def test_an_offer_that_a_lapse_of_the_same_batch_rescinded_does_not_expire() -> None:
    play = Play(a_workspace(["anna"]), present=())
    play.command(
        PresenceSet(agent="anna", session="app", lease_seconds=10, state="available", actor=as_agent("anna")),
        "agent:anna",
    )
    play.say()
    play.now += timedelta(seconds=60)
    due = [*play.timers.due(kinds.LEASE, play.now, 10), *play.timers.due(kinds.OFFER, play.now, 10)]
    assert [timer.kind for timer in due] == ["lease", "offer"]
    for timer in due:
        play.decide(timer)
    assert [fact.type for fact in play.log if fact.type.startswith("offer.")] == [
        "offer.made",
        "offer.rescinded",
    ]
    assert play.facts == []


def test_an_expired_offer_makes_the_agent_away_and_no_heartbeat_brings_them_back() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    play.advance(30)
    assert play.types == ["offer.expired", "ticket.queued", "agent.presence_changed"]
    assert (play.agent("anna").state, play.agent("anna").set_by) == ("away", "expiry")
    play.presence("anna", None)
    assert (play.agent("anna").state, play.ticket().state) == ("away", "queued")
    play.advance(30)
    play.available("anna")
    assert play.offered_to() == "anna"


def test_an_accept_sent_before_the_deadline_counts_though_it_is_read_late() -> None:
    play = Play(a_workspace(["anna"]))
    offer = play.say().offer
    assert offer is not None
    sent_at = play.now + timedelta(seconds=29)
    play.now += timedelta(seconds=29.5)
    play.command(OfferAccept(offer_id=offer.id, actor=as_agent("anna")), at=sent_at)
    assert play.ticket().agent == "anna"
