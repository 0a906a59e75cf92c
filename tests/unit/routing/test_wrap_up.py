"""After-work: the charge stays until its time, or until the agent says that it is done."""

from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace


def test_wrap_up_keeps_the_charge_until_its_time() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}, wrap_up_seconds={"chat": 30}))
    driver.assigned(channel="chat")
    driver.say("next")
    driver.resolve(wrap_up_seconds=None)
    assert driver.fact("ticket.resolved").wrap_up_until == driver.ticket().wrap_up_until
    assert (driver.ticket().state, driver.ticket().agent, driver.agent("anna").load) == ("resolved", "anna", 1)
    driver.advance(29)
    assert driver.offered_to("next") is None
    driver.advance(1)
    assert "ticket.wrap_up_finished" in driver.types
    assert (driver.ticket().agent, driver.offered_to("next")) == (None, "anna")


def test_the_agent_finishes_wrap_up_before_its_time() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.resolve(wrap_up_seconds=600)
    driver.finish_wrap_up()
    assert driver.agent("anna").load == 0
    driver.finish_wrap_up(actor=BOSS)
    assert driver.answer.code == "wrong-state"


def test_in_wrap_up_it_goes_back_to_the_holder_on_the_same_charge() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.resolve(wrap_up_seconds=30)
    driver.say()
    assert driver.types == ["message.received", "ticket.reopened", "ticket.assigned"]
    assert (driver.ticket().agent, driver.agent("anna").load) == ("anna", 1)
    driver.advance(30)
    assert driver.agent("anna").load == 1, "the wrap-up is over with the reopening"
