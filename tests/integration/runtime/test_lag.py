"""Lag tools see the lanes' positions under a group that nobody subscribes with."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from pointsman.core.ids import lane_of
from pointsman.runtime import lag
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums
from tests.integration.runtime.sums import REQUESTS


async def test_the_positions_are_committed_to_the_services_group(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "REPORT_SECONDS", 0.1)
    place = TopicPartition(REQUESTS.full_name(sums.settings.topic_prefix), lane_of("acme", sums.settings.partitions))
    tool = AIOKafkaConsumer(
        bootstrap_servers=sums.settings.broker,
        group_id=f"{sums.settings.topic_prefix}-sums",
        enable_auto_commit=False,
    )
    await tool.start()
    tool.assign([place])
    try:
        async with sums.worker():
            for _ in range(3):
                await sums.say("s", {"type": "added", "amount": 1})
            await until(lambda: _committed(tool, place, 3))
    finally:
        await tool.stop()


async def test_what_only_commits_fetches_nothing_between_two_reports(
    sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    async def start(*given: Any) -> Any:
        made.append(await started(*given))
        return made[-1]

    started = lag._start
    monkeypatch.setattr(lag, "REPORT_SECONDS", 0.1)
    monkeypatch.setattr(lag, "_start", start)
    async with sums.worker():
        await sums.say("s", {"type": "added", "amount": 1})
        await until(lambda: made and made[0]._coordinator.coordinator_id is not None)
        await until(lambda: not made[0].assignment() and not made[0]._fetcher._pending_tasks)
        await sums.say("s", {"type": "added", "amount": 1})
        await until(lambda: not made[0].assignment())
        assert not made[0]._fetcher._records
    assert len(made) == 1


async def _committed(tool: Any, place: TopicPartition, expected: int) -> bool:
    async with asyncio.timeout(5):
        return bool(await tool.committed(place) == expected)
