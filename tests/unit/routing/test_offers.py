"""Rules 2 and 4: charge at offer; accept, reject, expire, rescind; exactly one end."""

from datetime import timedelta

from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent


def test_an_arrival_is_offered_at_once_and_charged() -> None:
    play = Play(a_workspace(["anna"]))
    ticket = play.say()
    assert play.types == ["ticket.opened", "ticket.classified", "message.received", "ticket.queued", "offer.made"]
    assert (ticket.state, play.offered_to()) == ("offered", "anna")
    assert play.agent("anna").load == 1
    assert play.fact("offer.made").expires_at == play.now + timedelta(seconds=30)


def test_accepting_assigns_on_the_same_charge() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    play.accept()
    assert play.types == ["offer.accepted", "ticket.assigned"]
    assert (play.ticket().state, play.ticket().agent, play.agent("anna").load) == ("assigned", "anna", 1)
    assert play.answer["ticket"]["agent"] == "anna"


def test_resolving_frees_the_charge_exactly_once() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.resolve()
    assert (play.ticket().state, play.agent("anna").load) == ("resolved", 0)
    play.resolve(actor=BOSS)
    assert play.answer.code == "wrong-state"
    assert play.agent("anna").load == 0


def test_a_rejected_ticket_goes_to_another_agent() -> None:
    play = Play(a_workspace(["anna", "boris"]))
    play.say()
    first = play.offered_to()
    play.reject(reason="busy")
    assert play.types == ["offer.rejected", "ticket.queued", "offer.made"]
    assert play.fact("offer.rejected").reason == "busy"
    assert play.offered_to() not in (None, first)
    assert play.agent(first or "").load == 0


def test_a_late_accept_is_told_who_holds_the_ticket() -> None:
    play = Play(a_workspace(["anna", "boris"]))
    offer = play.say().offer
    assert offer is not None
    play.advance(30)
    play.accept()
    holder = play.ticket().agent
    play.accept_offer(offer.id, as_agent(offer.agent))
    assert (play.answer.status, play.answer.code) == (409, "offer-gone")
    assert play.answer.extra["holder"] == holder != offer.agent


def test_an_offer_cannot_be_accepted_twice_or_by_somebody_else() -> None:
    play = Play(a_workspace(["anna", "boris"]))
    offer = play.say().offer
    assert offer is not None
    other = "boris" if offer.agent == "anna" else "anna"
    play.accept_offer(offer.id, as_agent(other))
    assert (play.answer.status, play.answer.code) == (403, "not-offered-to-you")
    play.accept()
    play.accept_offer(offer.id, as_agent(offer.agent))
    assert play.answer.code == "offer-gone"


def test_an_unknown_offer_is_not_found() -> None:
    play = Play(a_workspace(["anna"]))
    play.accept_offer("off_unknown", as_agent("anna"))
    assert play.answer.status == 404


def test_an_auto_accepting_queue_assigns_at_once() -> None:
    play = Play(a_workspace(["anna"], {"general": {"offer": {"auto_accept": True}}}))
    play.say()
    assert play.types[-3:] == ["offer.made", "offer.accepted", "ticket.assigned"]
    assert play.ticket().agent == "anna"
