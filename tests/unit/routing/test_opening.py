"""What cannot be classified or routed opens in `otherwise`, marked, however it begins."""

from typing import Any

import pytest

from pointsman.testing.customers import a_message
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace
from tests.unit.routing.invariants import assert_sound
from tests.unit.routing.snapshot import snapshot

SPLIT = "msg_tkt_1_2"


class Broken:
    """A matcher that raises so often, and then finds nobody."""

    def __init__(self, times: int) -> None:
        self.left = times

    def agent_for(self, desk: Any, ticket: Any) -> None:
        self._raise()

    def ticket_for(self, desk: Any, agent: Any) -> None:
        self._raise()

    def sides_for(self, desk: Any, agent: Any, ticket: Any) -> tuple[frozenset[str], frozenset[str]]:
        self._raise()
        return frozenset(), frozenset()

    def _raise(self) -> None:
        if self.left:
            self.left -= 1
            raise RuntimeError("the roster is in flames")


def a_play() -> DeskDriver:
    """Of two messages on tkt_1 the second cannot be classified; anna is there."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 9}}, {"general": {}, "billing": {}}, classify=OTHERWISE))
    driver.say(queue="billing")
    driver.accept()
    driver.say(text="raise")
    return driver


OTHERWISE: dict[str, Any] = {"language_skill": None, "otherwise": {"queue": "general"}}


def begin(driver: DeskDriver, way: str) -> str:
    """Begins a ticket; its id."""
    if way == "arrival":
        driver.say("tkt_9", text="raise", queue="billing")
        return "tkt_9"
    if way == "started":
        driver.start("anna", text="raise")
    else:
        driver.split("tkt_1", SPLIT, actor=BOSS)
    assert isinstance(driver.answer, dict), driver.answer
    return str(driver.answer["id"])


WAYS = ["arrival", "started", "split"]


@pytest.mark.parametrize("way", WAYS)
def test_what_cannot_be_classified_opens_in_otherwise_marked(way: str) -> None:
    driver = a_play()
    ticket = driver.ticket(begin(driver, way))
    assert ticket.marked == "ValueError: this text cannot be classified"
    assert (ticket.queue, ticket.labels.category) == ("general", "other")
    (said,) = [fact for fact in driver.facts if fact.type == "ticket.classified"]
    assert (said.marked, said.band) == (ticket.marked, "human")
    assert ticket.state == ("assigned" if way == "started" else "offered")
    assert_sound(driver.desk)


def test_what_was_split_off_so_is_gone_from_the_first_ticket() -> None:
    driver = a_play()
    new = begin(driver, "split")
    assert driver.fact("ticket.split").into == new
    assert [each.id for each in driver.written_on(new)] == [SPLIT]
    assert driver.ticket("tkt_1").recent == ("msg_tkt_1_1",)
    assert driver.ticket(new).unanswered_since is not None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("times", [1, 2])
def test_what_cannot_be_routed_opens_too(way: str, times: int) -> None:
    driver = a_play()
    driver.say(text="a question")
    driver.desk.matcher = Broken(times)
    if way == "arrival":
        driver.say("tkt_9", queue="billing")
        id = "tkt_9"
    elif way == "started":
        driver.start("anna")
        id = driver.answer["id"]
    else:
        driver.split("tkt_1", "msg_tkt_1_3", actor=BOSS)
        id = driver.answer["id"]
    ticket = driver.ticket(id)
    if way == "started":
        assert ticket.agent == "anna"
        return
    assert (ticket.queue, ticket.state) == ("general", "queued")
    assert ticket.marked is not None
    assert ticket.marked.count("in flames") == times
    assert [fact.type for fact in driver.facts].count("ticket.opened") == 1


def test_what_raises_before_it_opens_leaves_what_was_decided_before() -> None:
    """Two messages of one cause: what the first led to stands."""
    driver = DeskDriver(a_workspace(["anna"], {"general": {}, "billing": {}}))
    driver.assigned("tkt_1")
    driver.pend("tkt_1")
    said = driver.ticket("tkt_1")
    driver.hear(
        a_message("tkt_1", number=2, at=driver.now),
        a_message("tkt_2", at=driver.now, text="raise"),
    )
    assert (said.state, driver.ticket("tkt_2").marked is not None) == ("assigned", True)
    assert {"ticket.woken", "ticket.assigned", "ticket.opened"} <= set(driver.types)
    assert_sound(driver.desk)


def test_a_refused_start_leaves_nothing() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.assigned()
    before = snapshot(driver.desk)
    driver.start("anna", text="raise")
    assert driver.answer.code == "no-room"
    assert snapshot(driver.desk) == before
