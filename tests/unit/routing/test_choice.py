"""Rule 9, choice of agent: required skills always; then the chain, or one mode."""

from typing import Any

import pytest

from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def play_of(choice: str | None = None, **agents: Any) -> DeskDriver:
    queue = {"offer": {"auto_accept": True}, **({"choice": choice} if choice else {})}
    return DeskDriver(a_workspace(agents, {"general": queue}))


def chosen(driver: DeskDriver, ticket: str = "tkt_1", **message: Any) -> str | None:
    return driver.say(ticket, **message).agent


@pytest.mark.parametrize("choice", [None, "longest_idle", "least_loaded", "best_skilled", "round_robin"])
def test_a_required_skill_is_required_in_every_mode(choice: str | None) -> None:
    driver = play_of(choice, anna={"skills": {"billing": 2}}, boris={"skills": {"billing": 3}}, carla={})
    assert chosen(driver, requires={"billing": 3}) == "boris"
    assert chosen(driver, "tkt_2", requires={"billing": 4}) is None


def test_more_of_the_preferred_skills_go_first() -> None:
    driver = play_of(anna={"skills": {"a": 5}}, boris={"skills": {"a": 5, "b": 5}})
    assert chosen(driver, prefers={"a": 5, "b": 5}) == "boris"


def test_then_the_narrowest_adequate_skill_set() -> None:
    driver = play_of(anna={"skills": {"a": 5, "b": 5, "c": 5}}, boris={"skills": {"a": 5, "b": 5}})
    assert chosen(driver, requires={"a": 1}) == "boris"


def test_then_the_lowest_load_share() -> None:
    driver = play_of(anna={"capacity": 2}, boris={"capacity": 8})
    assert [chosen(driver, f"tkt_{number}") for number in range(4)] == ["anna", "boris", "boris", "boris"]


def test_then_who_is_idle_the_longest() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"], {"general": {"offer": {"auto_accept": True}}}), present=[])
    driver.available("boris")
    driver.advance(1)
    driver.available("anna")
    assert chosen(driver) == "boris"


def test_longest_idle_counts_from_the_last_release() -> None:
    driver = play_of("longest_idle", anna={}, boris={"capacity": 9})
    assert chosen(driver, "tkt_1") == "anna"
    driver.advance(1)
    driver.resolve("tkt_1")
    assert [chosen(driver, f"tkt_{number}") for number in range(2, 5)] == ["boris"] * 3


def test_least_loaded_ignores_preferences() -> None:
    driver = play_of("least_loaded", anna={"skills": {"a": 5}}, boris={})
    assert chosen(driver, "tkt_1", prefers={"a": 5}) == "anna"
    assert chosen(driver, "tkt_2", prefers={"a": 5}) == "boris"


def test_best_skilled_takes_the_highest_sum_of_levels() -> None:
    driver = play_of("best_skilled", anna={"skills": {"a": 5}}, boris={"skills": {"a": 4, "b": 9}})
    assert chosen(driver, requires={"a": 1}) == "boris"


def test_round_robin_goes_on_by_slug_and_begins_anew() -> None:
    driver = play_of("round_robin", anna={}, boris={"skills": {"a": 1}}, carla={})
    assert [chosen(driver, f"tkt_{number}") for number in range(5)] == ["anna", "boris", "carla", "anna", "boris"]


def test_round_robin_passes_over_who_is_full() -> None:
    driver = play_of("round_robin", anna={"capacity": 1}, boris={"capacity": 9}, carla={"capacity": 1})
    assert [chosen(driver, f"tkt_{number}") for number in range(5)] == ["anna", "boris", "carla", "boris", "boris"]


def test_a_bot_is_never_offered_a_ticket() -> None:
    driver = play_of(helper={"kind": "bot"})
    assert chosen(driver) is None


def test_a_returning_agent_is_not_flooded_for_having_served_little() -> None:
    """RocketChat#13134, chatwoot#11034: lifetime counts gave everything to who had been away."""
    driver = play_of("least_loaded", anna={"capacity": 9}, boris={"capacity": 9})
    driver.away("boris")
    for number in range(6):
        chosen(driver, f"early_{number}")
    for number in range(6):
        driver.resolve(f"early_{number}")
    driver.advance(60)
    driver.available("boris")
    shares = [chosen(driver, f"late_{number}") for number in range(6)]
    assert shares.count("boris") == 3
