"""Pending: what it frees, and how it ends."""

from datetime import timedelta

from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace


def test_it_frees_the_charge_and_the_agent_gets_the_next() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.say("tkt_2")
    driver.pend()
    assert driver.types == ["ticket.pended", "offer.made"]
    assert (driver.ticket().state, driver.ticket().agent, driver.offered_to("tkt_2")) == ("pending", "anna", "anna")


def test_a_channel_that_holds_keeps_the_charge() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}, channels={"chat": {"weight": 1, "pending_holds": True}}))
    driver.assigned(channel="chat")
    driver.pend()
    assert (driver.fact("ticket.pended").frees, driver.agent("anna").load) == (False, 1)
    driver.say(channel="chat")
    assert (driver.ticket().state, driver.agent("anna").load) == ("assigned", 1)


def test_it_returns_at_its_time() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.pend(until=driver.now + timedelta(hours=1), then="return", waiting_on="third_party")
    driver.presence("anna", None)
    driver.advance(3599)
    assert driver.ticket().state == "pending"
    driver.presence("anna", None)
    driver.advance(1)
    assert driver.types == ["ticket.woken", "ticket.assigned"]
    assert driver.ticket().agent == "anna"


def test_it_resolves_at_its_time() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.pend(until=driver.now + timedelta(hours=1), then="resolve")
    driver.advance(3600)
    assert (driver.ticket().state, driver.ticket().outcome) == ("resolved", "solved")


def test_without_a_time_it_resolves_by_itself_in_the_end() -> None:
    driver = DeskDriver(a_workspace(["anna"], tickets={"pending_resolves_after_seconds": 600}))
    driver.assigned()
    driver.pend()
    driver.advance(599)
    assert driver.ticket().state == "pending"
    driver.advance(1)
    assert (driver.ticket().state, driver.ticket().outcome) == ("resolved", "solved")


def test_the_past_is_refused() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.pend(until=driver.now)
    assert driver.answer.status == 422
    assert driver.ticket().state == "assigned"


def test_only_an_assigned_ticket_can_be_pended() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say()
    driver.pend(actor=BOSS)
    assert driver.answer.code == "wrong-state"


def test_a_person_wakes_it() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.pend()
    driver.reopen()
    assert (driver.types, driver.ticket().state) == (["ticket.woken", "ticket.assigned"], "assigned")
