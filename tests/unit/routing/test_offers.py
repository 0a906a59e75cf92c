"""Rules 2 and 4: charge at offer; accept, reject, expire, rescind; exactly one end."""

from datetime import timedelta

from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent


def test_an_arrival_is_offered_at_once_and_charged() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    ticket = driver.say()
    assert driver.types == ["ticket.opened", "ticket.classified", "message.received", "ticket.queued", "offer.made"]
    assert (ticket.state, driver.offered_to()) == ("offered", "anna")
    assert driver.agent("anna").load == 1
    assert driver.fact("offer.made").expires_at == driver.now + timedelta(seconds=30)


def test_accepting_assigns_on_the_same_charge() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say()
    driver.accept()
    assert driver.types == ["offer.accepted", "ticket.assigned"]
    assert (driver.ticket().state, driver.ticket().agent, driver.agent("anna").load) == ("assigned", "anna", 1)
    assert driver.answer["ticket"]["agent"] == "anna"


def test_resolving_frees_the_charge_exactly_once() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.resolve()
    assert (driver.ticket().state, driver.agent("anna").load) == ("resolved", 0)
    driver.resolve(actor=BOSS)
    assert driver.answer.code == "wrong-state"
    assert driver.agent("anna").load == 0


def test_a_rejected_ticket_goes_to_another_agent() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]))
    driver.say()
    first = driver.offered_to()
    driver.reject(reason="busy")
    assert driver.types == ["offer.rejected", "ticket.queued", "offer.made"]
    assert driver.fact("offer.rejected").reason == "busy"
    assert driver.offered_to() not in (None, first)
    assert driver.agent(first or "").load == 0


def test_a_late_accept_is_told_who_holds_the_ticket() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]))
    offer = driver.say().offer
    assert offer is not None
    driver.advance(30)
    driver.accept()
    holder = driver.ticket().agent
    driver.accept_offer(offer.id, as_agent(offer.agent))
    assert (driver.answer.status, driver.answer.code) == (409, "offer-gone")
    assert driver.answer.extra["holder"] == holder != offer.agent


def test_an_offer_cannot_be_accepted_twice_or_by_somebody_else() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]))
    offer = driver.say().offer
    assert offer is not None
    other = "boris" if offer.agent == "anna" else "anna"
    driver.accept_offer(offer.id, as_agent(other))
    assert (driver.answer.status, driver.answer.code) == (403, "not-offered-to-you")
    driver.accept()
    driver.accept_offer(offer.id, as_agent(offer.agent))
    assert driver.answer.code == "offer-gone"


def test_an_unknown_offer_is_not_found() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.accept_offer("off_unknown", as_agent("anna"))
    assert driver.answer.status == 404


def test_an_auto_accepting_queue_assigns_at_once() -> None:
    driver = DeskDriver(a_workspace(["anna"], {"general": {"offer": {"auto_accept": True}}}))
    driver.say()
    assert driver.types[-3:] == ["offer.made", "offer.accepted", "ticket.assigned"]
    assert driver.ticket().agent == "anna"
