"""A process that dies again and again is told of, by itself and by the others of its service."""

import socket

import pytest

from pointsman.runtime.restarts import RESTARTS, note_end, note_start, too_many
from pointsman.runtime.telemetry import ALARMS
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums

pytestmark = pytest.mark.stack


async def _restart(sums: Sums, name: str, times: int) -> None:
    """Starts that no orderly end came before, after a first one."""
    named = sums.settings.model_copy(update={"process_name": name})
    await sums.db.execute("SET search_path = sums")
    for _ in range(times + 1):
        await note_start(sums.db, named)


async def test_three_restarts_within_a_minute_are_shown_measured_and_an_alarm(sums: Sums) -> None:
    alarms = ALARMS.labels("sums", "process-restarts")._value
    before = alarms.get()
    sums.settings = sums.settings.model_copy(update={"process_name": "watching"})
    async with sums.worker() as watching:
        await _restart(sums, "flapping", 2)
        await until(lambda: RESTARTS.labels("sums")._value.get() == 2)
        assert watching.database.restarting == []
        await _restart(sums, "flapping", 0)
        await until(lambda: watching.database.restarting == ["flapping was restarted 3 times within a minute"])
        assert watching.why_not_ready() is None, "another process's restarts are not its own"
        assert alarms.get() == before + 1
        assert RESTARTS.labels("sums")._value.get() == 3


async def test_a_process_that_restarts_too_often_is_not_ready_itself(sums: Sums) -> None:
    await _restart(sums, "flapping", 2)
    sums.settings = sums.settings.model_copy(update={"process_name": "flapping"})
    async with sums.worker() as worker:
        await until(lambda: worker.why_not_ready() == "flapping was restarted 3 times within a minute")


async def test_an_orderly_end_and_a_long_life_are_no_restarts(sums: Sums) -> None:
    sums.settings = sums.settings.model_copy(update={"process_name": "orderly"})
    for _ in range(4):
        async with sums.worker() as worker:
            await until(lambda worker=worker: len(worker.lanes) == 4)  # type: ignore[misc]
            await until(lambda worker=worker: all(lane.inboxes for lane in worker.lanes.values()))  # type: ignore[misc]
    await sums.db.execute("SET search_path = sums")
    assert await sums.db.fetchval("SELECT restarts FROM process") == []
    await _restart(sums, "old", 5)
    await sums.db.execute(
        "UPDATE process SET restarts = ARRAY(SELECT at - interval '1 minute' FROM unnest(restarts) at)"
    )
    await note_end(sums.db, sums.settings)
    async with sums.worker() as worker:
        await until(lambda: worker.database.incarnation != "")
        assert worker.database.restarting == []


def test_the_line_names_the_process_without_its_host() -> None:
    counted = {f"routing@{socket.gethostname()}": 4, "sla@elsewhere": 2}
    assert too_many(counted) == ["routing was restarted 4 times within a minute"]
