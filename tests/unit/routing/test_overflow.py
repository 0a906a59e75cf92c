"""Rule 10, overflow, and rule 8, an agent's ranks: further queues' agents are asked too, the queue never
changes."""

from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def test_after_its_time_agents_of_the_other_queue_are_asked_too() -> None:
    queues = {"billing": {"overflow": [{"after_seconds": 600, "to": "general"}]}, "general": {}}
    driver = DeskDriver(a_workspace({"anna": {"queues": ["general"]}}, queues))
    driver.say(queue="billing")
    driver.stays(599)
    assert driver.offered_to() is None
    driver.stays(1)
    assert driver.offered_to() == "anna"
    assert driver.ticket().queue == "billing"


def test_an_overflown_ticket_goes_back_to_its_own_line() -> None:
    """The offer expires; the ticket still waits in its own queue, for its own agents and those of the other."""
    queues = {"billing": {"overflow": [{"after_seconds": 60, "to": "general"}]}, "general": {}}
    driver = DeskDriver(
        a_workspace({"anna": {"queues": ["general"]}, "boris": {"queues": ["billing"]}}, queues), present=["anna"]
    )
    driver.say(queue="billing")
    driver.stays(60)
    driver.reject()
    driver.available("boris")
    assert driver.offered_to() == "boris"


def test_the_lower_rank_goes_first_however_late_the_other_is() -> None:
    agents = {"anna": {"capacity": 1, "queues": {"billing": 1, "general": 2}}}
    driver = DeskDriver(a_workspace(agents, {"billing": {}, "general": {}}))
    driver.assigned("busy", queue="billing")
    driver.say("general", queue="general")
    driver.stays(600)
    driver.say("billing", queue="billing")
    driver.resolve("busy")
    assert driver.offered_to("billing") == "anna"


def test_at_equal_rank_the_least_slack_goes_first() -> None:
    agents = {"anna": {"capacity": 1, "queues": ["slow", "fast"]}}
    queues = {"slow": {"wait_target_seconds": 7200}, "fast": {"wait_target_seconds": 60}}
    driver = DeskDriver(a_workspace(agents, queues))
    driver.assigned("busy", queue="slow")
    driver.say("old", queue="slow")
    driver.stays(600)
    driver.say("late", queue="fast")
    driver.resolve("busy")
    assert driver.offered_to("late") == "anna"


def test_a_rank_opens_after_its_seconds_of_waiting() -> None:
    agents = {"anna": {"queues": {"general": {"rank": 2, "after_seconds": 120}}}}
    driver = DeskDriver(a_workspace(agents, {"general": {}}))
    driver.say()
    driver.stays(119)
    assert driver.offered_to() is None
    driver.stays(1)
    assert driver.offered_to() == "anna"


def test_overflow_meets_ranks_that_open_later() -> None:
    """Both times count from the same waiting."""
    queues = {"billing": {"overflow": [{"after_seconds": 60, "to": "general"}]}, "general": {}}
    driver = DeskDriver(a_workspace({"anna": {"queues": {"general": {"rank": 1, "after_seconds": 90}}}}, queues))
    driver.say(queue="billing")
    driver.stays(89)
    assert driver.offered_to() is None
    driver.stays(1)
    assert driver.offered_to() == "anna"


def test_an_overflown_ticket_has_the_rank_of_the_queue_that_it_came_through() -> None:
    queues = {"billing": {"overflow": [{"after_seconds": 10, "to": "general"}]}, "general": {}, "own": {}}
    agents = {"anna": {"capacity": 1, "queues": {"own": 1, "general": 2}}}
    driver = DeskDriver(a_workspace(agents, queues))
    driver.assigned("busy", queue="own")
    driver.say("overflown", queue="billing")
    driver.stays(20)
    driver.say("mine", queue="own")
    driver.resolve("busy")
    assert driver.offered_to("mine") == "anna"


def test_a_queue_chooses_its_own_way_among_agents_of_the_other() -> None:
    """The other queue's agents are ordered by the choice of the ticket's queue."""
    queues = {"billing": {"overflow": [{"after_seconds": 10, "to": "general"}], "choice": "round_robin"}, "general": {}}
    everybody = {slug: {"queues": ["general"]} for slug in ("anna", "boris", "carla")}
    driver = DeskDriver(a_workspace(everybody, queues))
    given = []
    for number in range(4):
        driver.say(f"tkt_{number}", queue="billing")
        driver.stays(10)
        given.append(driver.offered_to(f"tkt_{number}"))
        driver.accept(f"tkt_{number}")
    assert given == ["anna", "boris", "carla", "anna"]
