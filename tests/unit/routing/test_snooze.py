"""Rule 13, snooze: what it frees, how it wakes, what is refused."""

from datetime import timedelta

from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent

HOUR = timedelta(hours=1)


def test_it_frees_the_charge_and_the_agent_gets_the_next() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.say("tkt_2")
    driver.snooze(until=driver.now + HOUR)
    assert driver.types == ["ticket.snoozed", "offer.made"]
    assert (driver.fact("ticket.snoozed").until, driver.fact("ticket.snoozed").frees) == (driver.now + HOUR, True)
    assert (driver.ticket().state, driver.ticket().agent, driver.offered_to("tkt_2")) == ("snoozed", "anna", "anna")


def test_a_channel_that_holds_keeps_the_charge() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}, channels={"chat": {"weight": 1, "pending_holds": True}}))
    driver.assigned(channel="chat")
    driver.snooze(until=driver.now + HOUR)
    assert (driver.fact("ticket.snoozed").frees, driver.agent("anna").load) == (False, 1)
    driver.reopen()
    assert (driver.ticket().state, driver.agent("anna").load) == ("assigned", 1)


def test_it_wakes_at_its_time_and_charges_its_holder_again() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.snooze(until=driver.now + timedelta(minutes=10))
    assert driver.agent("anna").load == 0
    driver.advance(599)
    assert driver.ticket().state == "snoozed"
    driver.advance(1)
    assert driver.types == ["ticket.woken", "ticket.assigned"]
    assert (driver.ticket().agent, driver.agent("anna").load, driver.ticket().pause) == ("anna", 1, None)


def test_a_customers_message_wakes_it() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.snooze(until=driver.now + HOUR)
    driver.say()
    assert driver.types == ["message.received", "ticket.woken", "ticket.assigned"]
    assert [kind for kind, *_ in driver.timers.armed("acme") if kind == "pending"] == []


def test_automatic_mail_does_not_wake_it() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.snooze(until=driver.now + HOUR)
    driver.say(automatic="out_of_office")
    assert (driver.types, driver.ticket().state) == (["message.received"], "snoozed")


def test_it_queues_when_its_holder_is_full() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    driver.snooze(until=driver.now + timedelta(minutes=10))
    driver.assigned("tkt_2")
    driver.advance(600)
    assert driver.types == ["ticket.woken", "ticket.queued"]
    assert (driver.ticket().state, driver.ticket().agent, driver.ticket().last_agent) == ("queued", None, "anna")


def test_it_goes_to_another_when_its_holder_is_away() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]), present=["anna"])
    driver.assigned()
    driver.snooze(until=driver.now + timedelta(minutes=10))
    driver.away("anna")
    driver.available("boris")
    driver.advance(600)
    assert driver.offered_to() == "boris"


def test_snoozed_again_it_wakes_at_the_later_time() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.snooze(until=driver.now + timedelta(minutes=1))
    driver.snooze(until=driver.now + timedelta(minutes=5))
    driver.advance(61)
    assert driver.ticket().state == "snoozed"
    driver.advance(240)
    assert driver.ticket().state == "assigned"


def test_pended_it_may_be_snoozed_and_back() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.pend()
    driver.snooze(until=driver.now + HOUR)
    assert (driver.ticket().state, driver.ticket().outcome) == ("snoozed", None)
    driver.pend()
    assert (driver.ticket().state, driver.answer["waiting_on"]) == ("pending", "customer")


def test_resolved_it_wakes_no_more() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.snooze(until=driver.now + timedelta(minutes=1))
    driver.resolve()
    driver.advance(120)
    assert driver.ticket().state == "resolved"


def test_the_past_is_refused() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    for until in (driver.now, driver.now - HOUR):
        driver.snooze(until=until)
        assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/until")
    assert driver.ticket().state == "assigned"


def test_only_its_holder_or_a_supervisor_snoozes_it() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]))
    holder = driver.assigned().agent
    driver.snooze(until=driver.now + HOUR, actor=as_agent("boris" if holder == "anna" else "anna"))
    assert (driver.answer.status, driver.answer.code) == (403, "not-holder")
    driver.snooze(until=driver.now + HOUR, actor=BOSS)
    assert driver.ticket().state == "snoozed"


def test_what_nobody_holds_cannot_be_snoozed() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say()
    driver.snooze(until=driver.now + HOUR, actor=BOSS)
    assert driver.answer.code == "wrong-state"


def test_not_over_a_message_that_was_not_seen() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    seen = driver.assigned().last_message_id
    driver.say()
    driver.snooze(until=driver.now + HOUR, last_message_id=seen)
    assert driver.answer.code == "unseen-message"
    driver.snooze(until=driver.now + HOUR, last_message_id=seen, force=True)
    assert driver.ticket().state == "snoozed"


def test_explain_says_until_when() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.snooze(until=driver.now + HOUR)
    assert driver.explain()["sentence"] == f"It is snoozed until {driver.now + HOUR:%Y-%m-%d %H:%M} UTC."
