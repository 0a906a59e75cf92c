"""Rule 13, snooze: what it frees, how it wakes, what is refused."""

from datetime import timedelta

from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent

HOUR = timedelta(hours=1)


def test_it_frees_the_charge_and_the_agent_gets_the_next() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.say("tkt_2")
    play.snooze(until=play.now + HOUR)
    assert play.types == ["ticket.snoozed", "offer.made"]
    assert (play.fact("ticket.snoozed").until, play.fact("ticket.snoozed").frees) == (play.now + HOUR, True)
    assert (play.ticket().state, play.ticket().agent, play.offered_to("tkt_2")) == ("snoozed", "anna", "anna")


def test_a_channel_that_holds_keeps_the_charge() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}, channels={"chat": {"weight": 1, "pending_holds": True}}))
    play.assigned(channel="chat")
    play.snooze(until=play.now + HOUR)
    assert (play.fact("ticket.snoozed").frees, play.agent("anna").load) == (False, 1)
    play.reopen()
    assert (play.ticket().state, play.agent("anna").load) == ("assigned", 1)


def test_it_wakes_at_its_time_and_charges_its_holder_again() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.snooze(until=play.now + timedelta(minutes=10))
    assert play.agent("anna").load == 0
    play.advance(599)
    assert play.ticket().state == "snoozed"
    play.advance(1)
    assert play.types == ["ticket.woken", "ticket.assigned"]
    assert (play.ticket().agent, play.agent("anna").load, play.ticket().pause) == ("anna", 1, None)


def test_a_customers_message_wakes_it() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.snooze(until=play.now + HOUR)
    play.say()
    assert play.types == ["message.received", "ticket.woken", "ticket.assigned"]
    assert [kind for kind, *_ in play.timers.armed("acme") if kind == "pending"] == []


def test_automatic_mail_does_not_wake_it() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.snooze(until=play.now + HOUR)
    play.say(automatic="out_of_office")
    assert (play.types, play.ticket().state) == (["message.received"], "snoozed")


def test_it_queues_when_its_holder_is_full() -> None:
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.assigned()
    play.snooze(until=play.now + timedelta(minutes=10))
    play.assigned("tkt_2")
    play.advance(600)
    assert play.types == ["ticket.woken", "ticket.queued"]
    assert (play.ticket().state, play.ticket().agent, play.ticket().last_agent) == ("queued", None, "anna")


def test_it_goes_to_another_when_its_holder_is_away() -> None:
    play = Play(a_workspace(["anna", "boris"]), present=["anna"])
    play.assigned()
    play.snooze(until=play.now + timedelta(minutes=10))
    play.away("anna")
    play.available("boris")
    play.advance(600)
    assert play.offered_to() == "boris"


def test_snoozed_again_it_wakes_at_the_later_time() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.snooze(until=play.now + timedelta(minutes=1))
    play.snooze(until=play.now + timedelta(minutes=5))
    play.advance(61)
    assert play.ticket().state == "snoozed"
    play.advance(240)
    assert play.ticket().state == "assigned"


def test_pended_it_may_be_snoozed_and_back() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.pend()
    play.snooze(until=play.now + HOUR)
    assert (play.ticket().state, play.ticket().outcome) == ("snoozed", None)
    play.pend()
    assert (play.ticket().state, play.answer["waiting_on"]) == ("pending", "customer")


def test_resolved_it_wakes_no_more() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.snooze(until=play.now + timedelta(minutes=1))
    play.resolve()
    play.advance(120)
    assert play.ticket().state == "resolved"


def test_the_past_is_refused() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    for until in (play.now, play.now - HOUR):
        play.snooze(until=until)
        assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/until")
    assert play.ticket().state == "assigned"


def test_only_its_holder_or_a_supervisor_snoozes_it() -> None:
    play = Play(a_workspace(["anna", "boris"]))
    holder = play.assigned().agent
    play.snooze(until=play.now + HOUR, actor=as_agent("boris" if holder == "anna" else "anna"))
    assert (play.answer.status, play.answer.code) == (403, "not-holder")
    play.snooze(until=play.now + HOUR, actor=BOSS)
    assert play.ticket().state == "snoozed"


def test_what_nobody_holds_cannot_be_snoozed() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    play.snooze(until=play.now + HOUR, actor=BOSS)
    assert play.answer.code == "wrong-state"


def test_not_over_a_message_that_was_not_seen() -> None:
    play = Play(a_workspace(["anna"]))
    seen = play.assigned().last_message_id
    play.say()
    play.snooze(until=play.now + HOUR, last_message_id=seen)
    assert play.answer.code == "unseen-message"
    play.snooze(until=play.now + HOUR, last_message_id=seen, force=True)
    assert play.ticket().state == "snoozed"


def test_explain_says_until_when() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.snooze(until=play.now + HOUR)
    assert play.explain()["sentence"] == f"It is snoozed until {play.now + HOUR:%Y-%m-%d %H:%M} UTC."
