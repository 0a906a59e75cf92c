"""Rule 10, overflow, and rule 8, an agent's ranks: further queues' agents are asked too, the queue never
changes."""

from tests.unit.routing.playing import Play, a_workspace


def test_after_its_time_agents_of_the_other_queue_are_asked_too() -> None:
    queues = {"billing": {"overflow": [{"after_seconds": 600, "to": "general"}]}, "general": {}}
    play = Play(a_workspace({"anna": {"queues": ["general"]}}, queues))
    play.say(queue="billing")
    play.stays(599)
    assert play.offered_to() is None
    play.stays(1)
    assert play.offered_to() == "anna"
    assert play.ticket().queue == "billing"


def test_an_overflown_ticket_goes_back_to_its_own_line() -> None:
    """The offer expires; the ticket still waits in its own queue, for its own agents and those of the other."""
    queues = {"billing": {"overflow": [{"after_seconds": 60, "to": "general"}]}, "general": {}}
    play = Play(
        a_workspace({"anna": {"queues": ["general"]}, "boris": {"queues": ["billing"]}}, queues), present=["anna"]
    )
    play.say(queue="billing")
    play.stays(60)
    play.reject()
    play.available("boris")
    assert play.offered_to() == "boris"


def test_the_lower_rank_goes_first_however_late_the_other_is() -> None:
    agents = {"anna": {"capacity": 1, "queues": {"billing": 1, "general": 2}}}
    play = Play(a_workspace(agents, {"billing": {}, "general": {}}))
    play.assigned("busy", queue="billing")
    play.say("general", queue="general")
    play.stays(600)
    play.say("billing", queue="billing")
    play.resolve("busy")
    assert play.offered_to("billing") == "anna"


def test_at_equal_rank_the_least_slack_goes_first() -> None:
    agents = {"anna": {"capacity": 1, "queues": ["slow", "fast"]}}
    queues = {"slow": {"wait_target_seconds": 7200}, "fast": {"wait_target_seconds": 60}}
    play = Play(a_workspace(agents, queues))
    play.assigned("busy", queue="slow")
    play.say("old", queue="slow")
    play.stays(600)
    play.say("late", queue="fast")
    play.resolve("busy")
    assert play.offered_to("late") == "anna"


def test_a_rank_opens_after_its_seconds_of_waiting() -> None:
    agents = {"anna": {"queues": {"general": {"rank": 2, "after_seconds": 120}}}}
    play = Play(a_workspace(agents, {"general": {}}))
    play.say()
    play.stays(119)
    assert play.offered_to() is None
    play.stays(1)
    assert play.offered_to() == "anna"


def test_overflow_meets_ranks_that_open_later() -> None:
    """Both times count from the same waiting."""
    queues = {"billing": {"overflow": [{"after_seconds": 60, "to": "general"}]}, "general": {}}
    play = Play(a_workspace({"anna": {"queues": {"general": {"rank": 1, "after_seconds": 90}}}}, queues))
    play.say(queue="billing")
    play.stays(89)
    assert play.offered_to() is None
    play.stays(1)
    assert play.offered_to() == "anna"


def test_an_overflown_ticket_has_the_rank_of_the_queue_that_it_came_through() -> None:
    queues = {"billing": {"overflow": [{"after_seconds": 10, "to": "general"}]}, "general": {}, "own": {}}
    agents = {"anna": {"capacity": 1, "queues": {"own": 1, "general": 2}}}
    play = Play(a_workspace(agents, queues))
    play.assigned("busy", queue="own")
    play.say("overflown", queue="billing")
    play.stays(20)
    play.say("mine", queue="own")
    play.resolve("busy")
    assert play.offered_to("mine") == "anna"


def test_a_queue_chooses_its_own_way_among_agents_of_the_other() -> None:
    """The other queue's agents are ordered by the choice of the ticket's queue."""
    queues = {"billing": {"overflow": [{"after_seconds": 10, "to": "general"}], "choice": "round_robin"}, "general": {}}
    everybody = {slug: {"queues": ["general"]} for slug in ("anna", "boris", "carla")}
    play = Play(a_workspace(everybody, queues))
    given = []
    for number in range(4):
        play.say(f"tkt_{number}", queue="billing")
        play.stays(10)
        given.append(play.offered_to(f"tkt_{number}"))
        play.accept(f"tkt_{number}")
    assert given == ["anna", "boris", "carla", "anna"]
