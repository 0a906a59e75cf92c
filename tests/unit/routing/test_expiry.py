"""Rule 4, expiry: an offer ends at its time, and whoever let it is away. A batch may hold several timers that are due;
deciding one may end another that was handed out with it."""

from datetime import timedelta

from pointsman.contracts.commands import OfferAccept, PresenceSet
from pointsman_routing.desk.state import timers as kinds
from tests.unit.routing.desk_driver import DeskDriver, a_workspace, as_agent


def test_an_offer_that_a_lapse_of_the_same_batch_rescinded_does_not_expire() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=())
    driver.command(
        PresenceSet(agent="anna", session="app", lease_seconds=10, state="available", actor=as_agent("anna")),
        "agent:anna",
    )
    driver.say()
    driver.now += timedelta(seconds=60)
    due = [*driver.timers.due(kinds.LEASE, driver.now, 10), *driver.timers.due(kinds.OFFER, driver.now, 10)]
    assert [timer.kind for timer in due] == ["lease", "offer"]
    for timer in due:
        driver.decide(timer)
    assert [fact.type for fact in driver.log if fact.type.startswith("offer.")] == [
        "offer.made",
        "offer.rescinded",
    ]
    assert driver.facts == []


def test_an_expired_offer_makes_the_agent_away_and_no_heartbeat_brings_them_back() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say()
    driver.advance(30)
    assert driver.types == ["offer.expired", "ticket.queued", "agent.presence_changed"]
    assert (driver.agent("anna").state, driver.agent("anna").set_by) == ("away", "expiry")
    driver.presence("anna", None)
    assert (driver.agent("anna").state, driver.ticket().state) == ("away", "queued")
    driver.advance(30)
    driver.available("anna")
    assert driver.offered_to() == "anna"


def test_an_accept_sent_before_the_deadline_counts_though_it_is_read_late() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    offer = driver.say().offer
    assert offer is not None
    sent_at = driver.now + timedelta(seconds=29)
    driver.now += timedelta(seconds=29.5)
    driver.command(OfferAccept(offer_id=offer.id, actor=as_agent("anna")), at=sent_at)
    assert driver.ticket().agent == "anna"
