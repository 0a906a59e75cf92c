"""Rules 5 to 8: what is served first, and what a ticket's age counts from."""

import pytest

from tests.unit.routing.desk_driver import DeskDriver, a_workspace
from tests.unit.routing.one_agent import one_busy_agent, served, waits


def test_fifo_serves_the_oldest_whatever_its_priority() -> None:
    driver = one_busy_agent()
    waits(driver, "old", "low")
    waits(driver, "young", "urgent")
    driver.resolve("busy")
    assert served(driver, 2) == ["old", "young"]


def test_a_priority_is_a_head_start_in_minutes() -> None:
    driver = one_busy_agent("priority", head_start_minutes={"high": 20})
    waits(driver, "normal", "normal", minutes_later=19)
    waits(driver, "high", "high")
    driver.resolve("busy")
    assert served(driver, 2) == ["high", "normal"]


def test_nothing_starves_behind_a_higher_priority() -> None:
    driver = one_busy_agent("priority", head_start_minutes={"high": 20})
    waits(driver, "normal", "normal", minutes_later=21)
    waits(driver, "high", "high")
    driver.resolve("busy")
    assert served(driver, 2) == ["normal", "high"]


def test_strict_classes_go_before_age() -> None:
    driver = one_busy_agent("strict")
    waits(driver, "normal", "normal", minutes_later=300)
    waits(driver, "urgent", "urgent")
    driver.resolve("busy")
    assert served(driver, 2) == ["urgent", "normal"]


def test_accumulating_urgency_lets_the_steeper_overtake_with_time() -> None:
    """Slope 3 against 1: who came 30 minutes later is more urgent from 15 minutes of its own waiting on."""
    slopes = {"high": 3, "normal": 1}
    for minutes, first in ((14, "normal"), (16, "high")):
        driver = one_busy_agent("accumulating", slopes=slopes)
        waits(driver, "normal", "normal", minutes_later=30)
        waits(driver, "high", "high", minutes_later=minutes)
        driver.resolve("busy")
        assert served(driver, 2)[0] == first, f"after {minutes} minutes"


def test_within_a_slope_the_older_goes_first() -> None:
    driver = one_busy_agent("accumulating", slopes={"high": 2, "normal": 1})
    for number in range(3):
        waits(driver, f"high {number}", "high")
    driver.resolve("busy")
    assert served(driver, 3) == ["high 0", "high 1", "high 2"]


def test_between_queues_the_lower_rank_goes_first_and_equal_ranks_by_slack() -> None:
    queues = {"billing": {"wait_target_seconds": 600}, "general": {"wait_target_seconds": 3600}, "vip": {}}
    agents = {"anna": {"capacity": 1, "queues": {"vip": 1, "billing": 2, "general": 2}}}
    driver = DeskDriver(a_workspace(agents, queues))
    driver.assigned("busy", queue="general")
    driver.say("general", queue="general")
    driver.advance(60)
    driver.say("billing", queue="billing")
    driver.say("vip", queue="vip")
    driver.resolve("busy")
    assert served(driver, 3) == ["vip", "billing", "general"]


@pytest.mark.parametrize("order", ["fifo", "priority", "strict", "urgency", "accumulating"])
def test_who_waits_equally_long_is_served_in_the_order_of_arrival(order: str) -> None:
    """Messages of one batch were served in the random order of their ids."""
    driver = one_busy_agent(order)
    arrived = ["tkt_7", "tkt_3", "tkt_9", "tkt_1", "tkt_5"]
    for ticket in arrived:
        driver.say(ticket)
    assert [entry[3].id for group in driver.desk.waiting.groups.values() for entry in group.entries()] == arrived
    driver.resolve("busy")
    assert served(driver, 5) == arrived
