"""Rule 5, replies: where they go, and that they end the waiting."""

from pointsman.contracts.shapes import Author
from pointsman.core.instant import after
from tests.unit.routing.playing import Play, a_workspace


def test_a_reply_says_where_it_goes() -> None:
    play = Play(a_workspace(["anna"]))
    ticket = play.assigned(channel="chat")
    play.reply(text="Grazie!")
    replied = play.fact("ticket.replied")
    assert (replied.text, replied.connector, replied.thread) == ("Grazie!", ticket.connector, ticket.thread)
    assert replied.deliver
    assert (play.answer["direction"], play.answer["delivery"]) == ("out", "queued")


def test_what_a_reply_answers_is_a_message_of_the_ticket() -> None:
    play = Play(a_workspace({"anna": {"capacity": 3}}))
    own = play.assigned().last_message_id
    other = play.assigned("tkt_2").last_message_id
    for name in (other, "msg_none", ""):
        for public in (True, False):
            play.reply(public=public, reply_to_message=name)
            assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/reply_to_message")
            assert play.facts == []
    play.reply(reply_to_message=own)
    assert play.fact("ticket.replied").reply_to_message == own


def test_a_public_reply_ends_the_waiting_and_the_next_message_begins_it_anew() -> None:
    play = Play(a_workspace(["anna"]))
    opened_at = play.assigned().opened_at
    play.advance(60)
    play.reply(public=False)
    assert play.ticket().waiting_since == opened_at, "a note answers nobody"
    play.reply()
    assert play.ticket().waiting_since is None
    play.advance(60)
    play.say()
    assert play.ticket().waiting_since == play.now
    play.advance(1)
    play.say()
    assert play.ticket().waiting_since == after(play.now, -1), "the oldest unanswered message counts"
    assert play.ticket().opened_at == opened_at


def test_a_message_that_an_agent_wrote_in_the_providers_app_is_a_reply_not_delivered_again() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.say(author=Author(kind="agent", id="anna"))
    replied = play.fact("ticket.replied")
    assert play.types == ["ticket.replied"]
    assert (replied.deliver, replied.author.id) == (False, "anna")
    assert play.ticket().waiting_since is None
