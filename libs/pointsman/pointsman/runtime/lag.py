"""Positions told to the broker, for lag tools and autoscaling only.

The lanes' rows are the truth. The same positions are committed to a group that nobody subscribes with, so that tools
which know groups can show lag (scalers must name the topics). What fails here harms nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from pointsman.runtime.broker import BROKER_ERRORS, REQUEST_TIMEOUT_MS, BrokerLink, end_clients, start_client
from pointsman.runtime.broker_access import access_of

log = structlog.get_logger(__name__)

REPORT_SECONDS = 5.0

Positions = Callable[[], Mapping[tuple[str, int], int]]
"""(topic's full name, partition) → the next offset to be decided, of every lane that this process runs."""


async def report_positions(link: BrokerLink, group: str, positions: Positions) -> None:
    """Commits the positions every few seconds until cancelled."""
    consumer: Any = None
    generation = -1
    told: dict[tuple[str, int], int] = {}
    try:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            fresh = {place: offset for place, offset in positions().items() if told.get(place) != offset}
            if link.cluster is None or not fresh:
                continue
            try:
                if consumer is None or generation != link.generation:
                    await _stop(consumer)
                    consumer, generation, told = await _start(link, group), link.generation, {}
                places = {TopicPartition(*place): offset for place, offset in fresh.items()}
                consumer.assign(list(places))
                try:
                    async with asyncio.timeout(REQUEST_TIMEOUT_MS / 1000):
                        await consumer.commit(places)
                finally:
                    consumer.unsubscribe()  # it would fetch what nobody reads
                told.update(fresh)
            except BROKER_ERRORS as error:
                log.debug("positions not reported", group=group, error=repr(error))
                await _stop(consumer)
                consumer = None
    finally:
        await _stop(consumer)


async def _start(link: BrokerLink, group: str) -> Any:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=link.address,
        group_id=group,
        enable_auto_commit=False,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        **access_of(link.settings),
    )
    await start_client(consumer, partial(end_clients, consumer))
    return consumer


async def _stop(consumer: Any) -> None:
    if consumer is not None:
        await end_clients(consumer)
