"""What one process admits: rates, places, and how much it works on at once."""

import asyncio

import pytest

from pointsman.runtime.http.admission import Admission, Places, Rates
from pointsman.runtime.http.load import AT_ONCE_LEAST, AT_ONCE_MOST, WINDOW_SECONDS, Load, aside
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.tasks import awaited
from pointsman.testing.waiting import until


def test_a_rate_admits_a_seconds_calls_at_once_and_says_when_the_next_may_come() -> None:
    now = [0.0]
    rates = Rates(2, now=lambda: now[0])
    assert [rates.charge("a") for _ in range(3)] == [0.0, 0.0, 0.5]
    assert rates.charge("b") == 0.0
    assert rates.wait_seconds("a") == 0.5
    now[0] = 0.5
    assert (rates.wait_seconds("a"), rates.charge("a"), rates.charge("a")) == (0.0, 0.0, 0.5)


def test_a_place_is_given_back_once() -> None:
    places = Places(1, "polls")
    give_back = places.take("a")
    with pytest.raises(Problem, match="429 too-many-at-once"):
        places.take("a")
    with places.taken("b"):
        give_back()
        give_back()
        again = places.take("a")
        assert places.count("a") == 1
        again()
    assert (places.count("a"), places.count("b")) == (0, 0)


def test_a_call_is_charged_once_to_its_token_and_to_its_address_while_the_token_is_unknown() -> None:
    admission = Admission(RuntimeSettings(calls_per_second_max=2, strangers_calls_per_second_max=1))
    with admission.call(b"Bearer t", "192.0.2.1"):
        admission.proved("Bearer t", "tok_1")
        admission.charge_token("tok_1")
    with admission.call(b"Bearer t", "192.0.2.1"):
        admission.charge_token("tok_1")  # as the route's own check does
    refused = admission.refusal("tok_1", "192.0.2.1")
    assert refused is not None
    assert (refused.status, refused.code) == (429, "too-many-calls")
    with pytest.raises(Problem, match="429"), admission.call(b"Bearer t", "192.0.2.1"):
        pass
    with pytest.raises(Problem, match="429"), admission.call(b"Bearer guessed", "192.0.2.1"):
        pass
    with admission.call(None, "192.0.2.2"):
        pass


def _watched() -> Load:
    load = Load()
    load._watched = True
    return load


def test_a_burst_is_taken_and_a_flood_makes_the_process_work_on_fewer_at_once() -> None:
    load = _watched()
    load.working = int(AT_ONCE_MOST) - 1
    assert not load.full()
    load.look(share=1.0, late_seconds=1.0)
    assert load.at_once_max == AT_ONCE_MOST  # busy, and nobody was refused
    load.working = int(AT_ONCE_MOST)
    for _ in range(10):
        assert load.full()
        load.look(share=1.0, late_seconds=0.0)
    assert load.at_once_max == AT_ONCE_LEAST
    load.working = 0
    for _ in range(100):
        load.look(share=0.1, late_seconds=0.0)
    assert load.at_once_max == AT_ONCE_MOST


def test_a_process_that_gets_no_processor_refuses_nobody_while_little_is_asked() -> None:
    load = _watched()
    for _ in range(100):
        load.working = int(AT_ONCE_LEAST)
        assert not load.full()
        load.look(share=0.05, late_seconds=2.0)


def test_a_call_that_waits_is_not_worked_on() -> None:
    load = Load()
    with load.worked_on():
        assert load.working == 1
        with aside():
            assert load.working == 0
            with aside():
                assert load.working == 0
        assert load.working == 1
    assert load.working == 0
    with aside():
        assert load.working == 0


async def test_a_process_at_rest_looks_at_itself_with_the_first_call() -> None:
    load = Load()
    looks: list[float] = []
    load.look = lambda share, late_seconds: looks.append(share)  # type: ignore[method-assign]
    watching = awaited(load.watch())
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3 * WINDOW_SECONDS):
                await until(lambda: bool(looks))
        with load.worked_on():
            await until(lambda: len(looks) == 2)
        await until(lambda: not load._begun.is_set())
    finally:
        watching.cancel()
