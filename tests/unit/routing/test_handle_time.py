"""How long an agent's tickets take, lately."""

import pytest

from tests.unit.routing.playing import Play, a_workspace


def handled(play: Play, ticket: str, seconds: float) -> None:
    play.available("anna")
    play.assigned(ticket)
    play.advance(seconds)
    play.resolve(ticket)


def test_it_is_the_time_from_assignment_to_resolution() -> None:
    play = Play(a_workspace(["anna"]))
    play.say()
    play.advance(20)
    play.accept()
    play.advance(300)
    play.resolve(wrap_up_seconds=60)
    assert play.agent("anna").handle_seconds == 300


def test_what_is_set_aside_or_let_go_counts_so_far() -> None:
    play = Play(a_workspace(["anna", "boris"]), present=["anna"])
    play.assigned()
    play.advance(100)
    play.pend()
    assert play.agent("anna").handle_seconds == 100
    play.advance(5000)
    play.resolve()
    assert play.agent("anna").handle_seconds == 100


def test_older_ones_fade() -> None:
    play = Play(a_workspace(["anna"]))
    handled(play, "tkt_0", 3000)
    for number in range(1, 31):
        handled(play, f"tkt_{number}", 100)
    assert play.agent("anna").handle_seconds == pytest.approx(100, rel=0.1)


def test_nobody_has_one_before_the_first() -> None:
    play = Play(a_workspace(["anna"]))
    play.assigned()
    assert play.agent("anna").handle_seconds is None
