"""Lag tools see the lanes' positions under a group that nobody subscribes with."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from pointsman.core.ids import lane_of
from pointsman.runtime import lag
from tests.integration.runtime.conftest import Tally
from tests.integration.runtime.tally import REQUESTS, until


async def test_the_positions_are_committed_to_the_services_group(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "REPORT_SECONDS", 0.1)
    place = TopicPartition(REQUESTS.full_name(tally.settings.topic_prefix), lane_of("acme", tally.settings.partitions))
    tool = AIOKafkaConsumer(
        bootstrap_servers=tally.settings.broker,
        group_id=f"{tally.settings.topic_prefix}-tally",
        enable_auto_commit=False,
    )
    await tool.start()
    tool.assign([place])
    try:
        async with tally.worker():
            for _ in range(3):
                await tally.say("s", {"type": "added", "amount": 1})
            await until(lambda: _committed(tool, place, 3))
    finally:
        await tool.stop()


async def _committed(tool: Any, place: TopicPartition, expected: int) -> bool:
    async with asyncio.timeout(5):
        return bool(await tool.committed(place) == expected)
