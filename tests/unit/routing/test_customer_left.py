"""Rule 18: a customer who left."""

from typing import Any

from pointsman.contracts.requests import CustomerLeft, CustomerReturned
from tests.unit.routing.playing import Play, a_workspace

CHAT = {"chat": {"weight": 1, "abandons_after_seconds": 300}}


def happens(play: Play, kind: Any, ticket: str = "tkt_1") -> None:
    play.hear(kind(ticket_id=ticket, connector="site-chat", thread="t", occurred_at=play.now))


def test_waiting_in_vain_ends_abandoned() -> None:
    play = Play(a_workspace([], channels=CHAT))
    play.say(channel="chat")
    happens(play, CustomerLeft)
    assert play.types == ["ticket.customer_left"]
    play.advance(299)
    assert play.ticket().state == "queued"
    play.advance(1)
    assert (play.ticket().state, play.ticket().outcome) == ("resolved", "abandoned")


def test_an_offer_is_rescinded_and_its_agent_gets_the_next() -> None:
    queues = {"general": {"offer": {"timeout_seconds": 1000}}}
    play = Play(a_workspace({"anna": {"capacity": 1}}, queues, channels=CHAT))
    play.say(channel="chat")
    play.say("tkt_2")
    happens(play, CustomerLeft)
    play.advance(300)
    assert "offer.rescinded" in play.types
    assert play.offered_to("tkt_2") == "anna"


def test_a_return_or_a_message_keeps_the_ticket() -> None:
    play = Play(a_workspace([], channels=CHAT))
    play.say("returns", channel="chat")
    play.say("writes", channel="chat")
    happens(play, CustomerLeft, "returns")
    happens(play, CustomerLeft, "writes")
    play.advance(100)
    happens(play, CustomerReturned, "returns")
    assert play.fact("ticket.customer_left").returned
    play.say("writes", channel="chat")
    play.advance(1000)
    assert play.ticket("returns").state == play.ticket("writes").state == "queued"


def test_an_assigned_agent_is_told_and_keeps_the_charge() -> None:
    play = Play(a_workspace(["anna"], channels=CHAT))
    play.assigned(channel="chat")
    happens(play, CustomerLeft)
    play.advance(1000)
    assert (play.ticket().state, play.agent("anna").load) == ("assigned", 1)


def test_requeued_while_the_customer_is_away_it_is_abandoned_in_the_end() -> None:
    play = Play(a_workspace(["anna"], channels=CHAT, presence={"grace_seconds": 60}), present=[])
    play.available("anna", lease_seconds=60)
    play.assigned(channel="chat")
    happens(play, CustomerLeft)
    play.advance(120)
    assert play.ticket().state == "queued"
    play.advance(300)
    assert play.ticket().outcome == "abandoned"


def test_offers_without_success_do_not_put_it_off() -> None:
    queues = {"general": {"offer": {"timeout_seconds": 200, "offers_max": 100}}}
    play = Play(a_workspace({"anna": {}, "boris": {}}, queues, channels=CHAT, presence={"on_expire": "keep"}))
    play.say(channel="chat")
    happens(play, CustomerLeft)
    play.advance(299)
    assert play.ticket().offers > 0
    play.advance(1)
    assert play.ticket().outcome == "abandoned", "counted from when they left"


def test_mail_has_no_window_to_leave() -> None:
    play = Play(a_workspace([]))
    play.say()
    happens(play, CustomerLeft)
    play.advance(10_000)
    assert play.ticket().state == "queued"
