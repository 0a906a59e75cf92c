"""Rule 15 and who may do what: holders, versions, unseen messages, unknown things."""

from pointsman.core.instant import after
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace, as_agent


def test_only_the_holder_replies_pends_and_resolves() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]))
    holder = driver.assigned().agent
    other = as_agent("boris" if holder == "anna" else "anna")
    for act in (driver.reply, driver.pend, driver.resolve):
        act(actor=other)
        assert (driver.answer.status, driver.answer.code) == (403, "not-holder")
        assert driver.answer.extra["holder"] == holder
    driver.reply(public=False, actor=other)
    assert driver.types == ["ticket.noted"]


def test_supervisors_do_everything() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.reply(actor=BOSS)
    assert driver.types == ["ticket.replied"]
    driver.pend(actor=BOSS)
    driver.resolve(actor=BOSS)
    assert driver.ticket().state == "resolved"


def test_a_stale_version_is_refused_with_the_current_one() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    version = driver.assigned().version
    driver.pend(if_match=version)
    driver.resolve(if_match=version)
    assert (driver.answer.status, driver.answer.extra["version"]) == (412, version + 1)
    assert driver.ticket().state == "pending"


def test_what_the_customer_wrote_since_stops_resolving_unless_forced() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    seen = driver.assigned().last_message_id
    newer = driver.say().last_message_id
    driver.resolve(last_message_id=seen)
    assert (driver.answer.code, driver.answer.extra["newer"]) == ("unseen-message", [newer])
    driver.pend(last_message_id=seen)
    assert driver.answer.code == "unseen-message"
    driver.resolve(last_message_id=seen, force=True)
    assert driver.ticket().state == "resolved"


def test_ones_own_reply_is_not_unseen() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    seen = driver.assigned().last_message_id
    driver.reply()
    driver.resolve(last_message_id=seen)
    assert driver.ticket().state == "resolved"


def test_unknown_things_are_not_found() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.resolve("tkt_none", actor=BOSS)
    assert (driver.answer.status, driver.answer.code) == (404, "not-found")
    driver.available("nobody")
    assert driver.answer.status == 404


def test_a_note_that_was_seen_last_is_as_new_as_it_is() -> None:
    """A note's id counted as older than everything."""
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    driver.reply(public=False)
    note = driver.answer["id"]
    driver.pend(last_message_id=note)
    assert driver.ticket().state == "pending", driver.answer
    newer = driver.say().last_message_id
    driver.resolve(last_message_id=note)
    assert (driver.answer.code, driver.answer.extra["newer"]) == ("unseen-message", [newer])


def test_what_was_seen_long_ago_is_older_than_what_came_since_and_no_more() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    first = driver.assigned().last_message_id
    for _ in range(20):
        driver.reply()
    driver.reply(public=False)
    driver.resolve(last_message_id=first)
    assert driver.ticket().state == "resolved", driver.answer


def test_a_message_of_another_ticket_was_not_seen_on_this_one() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3}}))
    driver.assigned()
    other = driver.assigned("tkt_2").last_message_id
    for name in (other, "msg_none", ""):
        for act in (driver.pend, driver.resolve):
            act(last_message_id=name)
            assert (driver.answer.status, driver.answer.extra["errors"][0]["pointer"]) == (422, "/last_message_id")
    driver.snooze(until=after(driver.now, 60), last_message_id=other)
    assert driver.answer.status == 422
    driver.resolve(last_message_id=other, force=True)
    assert driver.ticket().state == "resolved"
