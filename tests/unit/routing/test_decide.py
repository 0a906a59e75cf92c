"""Rule 15 and who may do what: holders, versions, unseen messages, unknown things."""

from pointsman.core.instant import after
from tests.unit.routing.playing import BOSS, Play, a_workspace, as_agent


def test_only_the_holder_replies_pends_and_resolves() -> None:
    play = Play(a_workspace(["anna", "boris"]))
    holder = play.assigned().agent
    other = as_agent("boris" if holder == "anna" else "anna")
    for act in (play.reply, play.pend, play.resolve):
        act(actor=other)
        assert (play.answer.status, play.answer.code) == (403, "not-holder")
        assert play.answer.extra["holder"] == holder
    play.reply(public=False, actor=other)
    assert play.types == ["ticket.noted"]


def test_supervisors_do_everything() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.reply(actor=BOSS)
    assert play.types == ["ticket.replied"]
    play.pend(actor=BOSS)
    play.resolve(actor=BOSS)
    assert play.ticket().state == "resolved"


def test_a_stale_version_is_refused_with_the_current_one() -> None:
    play = Play(a_workspace(["anna"]))
    version = play.assigned().version
    play.pend(if_match=version)
    play.resolve(if_match=version)
    assert (play.answer.status, play.answer.extra["version"]) == (412, version + 1)
    assert play.ticket().state == "pending"


def test_what_the_customer_wrote_since_stops_resolving_unless_forced() -> None:
    play = Play(a_workspace(["anna"]))
    seen = play.assigned().last_message_id
    newer = play.say().last_message_id
    play.resolve(last_message_id=seen)
    assert (play.answer.code, play.answer.extra["newer"]) == ("unseen-message", [newer])
    play.pend(last_message_id=seen)
    assert play.answer.code == "unseen-message"
    play.resolve(last_message_id=seen, force=True)
    assert play.ticket().state == "resolved"


def test_ones_own_reply_is_not_unseen() -> None:
    play = Play(a_workspace(["anna"]))
    seen = play.assigned().last_message_id
    play.reply()
    play.resolve(last_message_id=seen)
    assert play.ticket().state == "resolved"


def test_unknown_things_are_not_found() -> None:
    play = Play(a_workspace(["anna"]))
    play.resolve("tkt_none", actor=BOSS)
    assert (play.answer.status, play.answer.code) == (404, "not-found")
    play.available("nobody")
    assert play.answer.status == 404


def test_a_note_that_was_seen_last_is_as_new_as_it_is() -> None:
    """A note's id counted as older than everything."""
    play = Play(a_workspace(["anna"]))
    play.assigned()
    play.reply(public=False)
    note = play.answer["id"]
    play.pend(last_message_id=note)
    assert play.ticket().state == "pending", play.answer
    newer = play.say().last_message_id
    play.resolve(last_message_id=note)
    assert (play.answer.code, play.answer.extra["newer"]) == ("unseen-message", [newer])


def test_what_was_seen_long_ago_is_older_than_what_came_since_and_no_more() -> None:
    play = Play(a_workspace(["anna"]))
    first = play.assigned().last_message_id
    for _ in range(20):
        play.reply()
    play.reply(public=False)
    play.resolve(last_message_id=first)
    assert play.ticket().state == "resolved", play.answer


def test_a_message_of_another_ticket_was_not_seen_on_this_one() -> None:
    play = Play(a_workspace({"anna": {"capacity": 3}}))
    play.assigned()
    other = play.assigned("tkt_2").last_message_id
    for name in (other, "msg_none", ""):
        for act in (play.pend, play.resolve):
            act(last_message_id=name)
            assert (play.answer.status, play.answer.extra["errors"][0]["pointer"]) == (422, "/last_message_id")
    play.snooze(until=after(play.now, 60), last_message_id=other)
    assert play.answer.status == 422
    play.resolve(last_message_id=other, force=True)
    assert play.ticket().state == "resolved"
