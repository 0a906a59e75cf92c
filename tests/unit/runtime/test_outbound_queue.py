"""What is sent to others: how long a row waits that nobody took, and what an outage of the database means."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.runtime import outbound_queue
from pointsman.runtime.outbound_queue import PAUSE_SECONDS_MAX, pause_seconds, send_due
from pointsman.testing.waiting import until


def test_the_pause_doubles_and_a_receiver_may_ask_for_more() -> None:
    assert [pause_seconds(5.0, rounds) for rounds in (1, 2, 3)] == [5.0, 10.0, 20.0]
    assert pause_seconds(5.0, 1, 60.0) == 60.0
    assert pause_seconds(5.0, 3, 1.0) == 20.0


@given(st.floats(0.001, 1e6), st.integers(1, 10_000), st.none() | st.floats(0.0, 1e9))
def test_no_row_waits_for_more_than_an_hour(first: float, rounds: int, after: float | None) -> None:
    assert 0.0 < pause_seconds(first, rounds, after) <= PAUSE_SECONDS_MAX


@pytest.mark.parametrize("raised", [ConnectionResetError("away"), ValueError("a fault of ours")])
async def test_it_goes_on_after_a_claim_or_a_row_that_failed(raised: Exception) -> None:
    """What was on its way is tried again when its claim has lapsed: here at once."""
    claims: list[Any] = [ConnectionRefusedError("away"), [{"id": "one"}], [{"id": "one"}]]
    tries: list[Exception | None] = [raised, None]
    sent = []

    async def claim(_: int) -> list[dict[str, str]]:
        found = claims.pop(0) if claims else []
        if isinstance(found, Exception):
            raise found
        return list(found)

    async def send(row: dict[str, str]) -> None:
        if (error := tries.pop(0)) is not None:
            raise error
        sent.append(row["id"])

    def woken() -> bool:
        due.set()
        return bool(sent)

    due = asyncio.Event()
    running = asyncio.ensure_future(send_due(claim, send, due, 1))
    try:
        await until(woken)
    finally:
        running.cancel()
    assert sent == ["one"]


async def test_it_asks_less_often_while_nothing_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound_queue, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(outbound_queue, "IDLE_SECONDS_MAX", 1.6)
    loop = asyncio.get_running_loop()
    asked: list[float] = []

    async def claim(_: int) -> list[dict[str, str]]:
        asked.append(loop.time())
        return []

    async def send(_: dict[str, str]) -> None:
        raise AssertionError("nothing is due")

    due = asyncio.Event()
    running = asyncio.ensure_future(send_due(claim, send, due, 1))
    try:
        await until(lambda: len(asked) == 6)
        pauses = [later - earlier for earlier, later in pairwise(asked)]
        assert all(pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4, 0.8, 1.6), strict=True))
        due.set()
        await until(lambda: len(asked) == 8, within_seconds=1.5)  # as often as at first, once something may be due
    finally:
        running.cancel()
