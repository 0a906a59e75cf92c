"""Rule 16: the desk says why."""

from datetime import timedelta
from typing import Any

from pointsman.contracts.commands import QueueDepths
from pointsman_routing.desk.state.past import look_back
from tests.unit.routing.desk_driver import BOSS, DeskDriver, a_workspace
from tests.unit.routing.snapshot import snapshot

AGENTS: dict[str, Any] = {
    "anna": {"name": "Anna", "capacity": 1, "skills": {"billing": 5}},
    "boris": {"name": "Boris", "skills": {"billing": 2}},
    "carla": {"name": "Carla", "skills": {"billing": 4}},
}


def test_why_it_still_waits() -> None:
    driver = DeskDriver(a_workspace(AGENTS), present=["anna", "boris"])
    driver.assigned(requires={"billing": 3})
    driver.say("tkt_2", requires={"billing": 3})
    answer = driver.explain("tkt_2")
    assert answer["refused"] == {"no_room": 1, "lacks_skill": 1, "not_available": 1}
    assert "billing at level 3" in answer["sentence"]
    assert answer["sentence"].endswith("It would be offered as soon as Carla is available.")
    assert answer["able_now"] == []


def test_why_not_that_agent() -> None:
    driver = DeskDriver(a_workspace(AGENTS), present=["anna", "boris"])
    driver.say(requires={"billing": 3})
    assert driver.explain(agent="boris")["agent"]["sentence"] == (
        "The ticket requires billing at level 3; Boris has level 2."
    )
    assert driver.explain(agent="carla")["agent"]["failing"] == "not_available"
    assert driver.explain(agent="anna")["agent"]["sentence"] == "Anna has it."
    driver.command(QueueDepths(actor=BOSS))
    driver.reject()
    assert driver.explain(agent="anna")["agent"]["failing"] == "declined"


def changes(driver: DeskDriver, ticket: str = "tkt_1") -> dict[str, dict[str, Any]]:
    """What would free the ticket, by kind of change: the smallest of each."""
    found: dict[str, dict[str, Any]] = {}
    for change in driver.explain(ticket)["frees"]:
        found.setdefault(change["change"], change)
    return found


def test_one_more_unit_of_room_would_free_it() -> None:
    driver = DeskDriver(a_workspace({"anna": {"name": "Anna", "capacity": 1}}))
    driver.assigned("busy")
    driver.say()
    change = changes(driver)["capacity"]
    assert (change["agent"], change["units"], change["tried"]) == ("anna", 1, True)
    assert change["sentence"] == "1 more unit of room with Anna would free it."


def test_those_who_go_before_are_counted() -> None:
    driver = DeskDriver(a_workspace({"anna": {"name": "Anna", "capacity": 1}}))
    driver.assigned("busy")
    driver.say("first")
    driver.advance(1)
    driver.say("second")
    change = changes(driver, "second")["capacity"]
    assert (change["units"], change["ahead"], change["tried"]) == (2, 1, True)


def test_whose_presence_would_free_it_is_tried_and_taken_back() -> None:
    driver = DeskDriver(a_workspace(AGENTS), present=["anna", "boris"])
    driver.assigned(requires={"billing": 3})
    driver.say("tkt_2", requires={"billing": 3})
    before = snapshot(driver.desk)
    change = changes(driver, "tkt_2")["presence"]
    assert (change["agent"], change["tried"]) == ("carla", True)
    assert snapshot(driver.desk) == before


def test_which_level_would_do() -> None:
    driver = DeskDriver(a_workspace(AGENTS), present=["boris"])
    driver.say(requires={"billing": 3})
    change = changes(driver)["skill"]
    assert (change["agent"], change["skill"], change["level"]) == ("boris", "billing", 3)
    assert change["sentence"] == "Boris would do with billing at level 3 (now 2)."


def test_when_relaxation_will_free_it() -> None:
    queues = {"general": {"relax": [{"after_seconds": 60, "lower": {"billing": 1}}]}}
    driver = DeskDriver(a_workspace(AGENTS, queues), present=["boris"])
    since = driver.say(requires={"billing": 3}).waiting_since
    assert since is not None
    change = changes(driver)["waiting"]
    assert (change["agent"], change["at"]) == ("boris", since + timedelta(seconds=60))
    driver.advance((change["at"] - driver.now).total_seconds())
    assert driver.offered_to() == "boris"


def test_when_decliners_are_asked_again() -> None:
    driver = DeskDriver(a_workspace({"anna": {}}, {"general": {"offer": {"retry_seconds": 30, "offers_max": 9}}}))
    driver.say()
    driver.reject()
    assert changes(driver)["retry"]["at"] == driver.now + timedelta(seconds=30)


def test_a_cap_is_named_as_what_it_is() -> None:
    driver = DeskDriver(a_workspace({"anna": {"name": "Anna", "capacity": 4, "caps": {"chat": 1}}}))
    driver.assigned("busy", channel="chat")
    driver.say(channel="chat")
    change = changes(driver)["cap"]
    assert (change["agent"], change["tried"]) == ("anna", True)
    assert change["sentence"] == "Anna has no room: 1 chat at once is the most (caps); one more would free it."


def test_who_only_declined_is_no_change_to_make() -> None:
    """Time alone ends that: whoever else is eligible and full comes first."""
    driver = DeskDriver(a_workspace({"anna": {}, "boris": {"capacity": 1}}), present=["boris"])
    driver.assigned("busy")
    driver.available("anna")
    driver.say()
    driver.reject()
    assert set(changes(driver)) == {"capacity"}


def test_presence_alone_is_not_promised_when_others_go_before() -> None:
    driver = DeskDriver(a_workspace({"anna": {"name": "Anna", "capacity": 1}}), present=[])
    driver.say("first")
    driver.advance(1)
    driver.say("second")
    change = changes(driver, "second")["presence"]
    assert (change["ahead"], change["tried"]) == (1, False)
    assert change["sentence"].endswith("and through with what goes before it.")


def test_a_place_in_the_queue_would_do() -> None:
    agents = {"anna": {"name": "Anna", "queues": ["other"]}}
    driver = DeskDriver(a_workspace(agents, {"general": {}, "other": {}}))
    driver.say(queue="general")
    assert changes(driver)["queue"]["sentence"] == "Anna would do, if they served the queue general."


def test_several_lacks_are_no_single_change() -> None:
    driver = DeskDriver(a_workspace({"anna": {"skills": {"billing": 1, "returns": 1}}}), present=[])
    driver.say(requires={"billing": 2, "returns": 2})
    answer = driver.explain()
    assert answer["frees"] == []
    assert answer["sentence"].endswith("No single change would free it.")
    refusals = driver.explain(agent="anna")["agent"]["refusals"]
    assert [each["code"] for each in refusals] == ["lacks_skill", "lacks_skill", "not_available"]


def test_why_not_that_agent_is_answered_from_then() -> None:
    """Boris was full when Anna got the ticket; he has room by now, and that is not why."""
    driver = DeskDriver(a_workspace({"anna": {"name": "Anna"}, "boris": {"name": "Boris", "capacity": 1}}))
    profile = driver.agent("boris").profile
    then: dict[str, Any] = {"state": "available", "set_by": "agent", "reason": None, "channels": None}
    then |= {"load": 1, "in_hand": {"email": 1}, "units": {"email": 1}}
    search = {"lines": ["general"], "waited_us": 0, "requires": [], "channel": "email", "weight": 1}
    driver.assigned()
    driver.desk.past["tkt_1", "boris"] = look_back(driver.now, profile, then, search, declined=False)
    answer = driver.explain(agent="boris")["agent"]
    assert (answer["failing"], answer["load"]) == ("no_room", 1)


def test_an_answer_changes_nothing() -> None:
    driver = DeskDriver(a_workspace(AGENTS))
    driver.say()
    change = driver.desk.change
    driver.explain()
    assert driver.desk.change == change


def test_depths_of_the_queues() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}, {"general": {}, "other": {}}))
    driver.say("tkt_1", queue="general")
    since = driver.say("tkt_2", queue="general").waiting_since
    driver.command(QueueDepths(actor=BOSS))
    general, other = driver.answer["items"]
    assert (general["waiting"], general["offered"], general["oldest_waiting_since"]) == (1, 1, since)
    assert (other["waiting"], other["oldest_waiting_since"], other["eligible_now"]) == (0, None, 1)
    driver.command(QueueDepths(actor=BOSS, queue="none"))
    assert driver.answer.status == 404
