"""How long an agent's tickets take, lately."""

import pytest

from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def handled(driver: DeskDriver, ticket: str, seconds: float) -> None:
    driver.available("anna")
    driver.assigned(ticket)
    driver.advance(seconds)
    driver.resolve(ticket)


def test_it_is_the_time_from_assignment_to_resolution() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.say()
    driver.advance(20)
    driver.accept()
    driver.advance(300)
    driver.resolve(wrap_up_seconds=60)
    assert driver.agent("anna").handle_seconds == 300


def test_what_is_set_aside_or_let_go_counts_so_far() -> None:
    driver = DeskDriver(a_workspace(["anna", "boris"]), present=["anna"])
    driver.assigned()
    driver.advance(100)
    driver.pend()
    assert driver.agent("anna").handle_seconds == 100
    driver.advance(5000)
    driver.resolve()
    assert driver.agent("anna").handle_seconds == 100


def test_older_ones_fade() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    handled(driver, "tkt_0", 3000)
    for number in range(1, 31):
        handled(driver, f"tkt_{number}", 100)
    assert driver.agent("anna").handle_seconds == pytest.approx(100, rel=0.1)


def test_nobody_has_one_before_the_first() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    assert driver.agent("anna").handle_seconds is None
