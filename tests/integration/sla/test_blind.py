"""With the broker out of reach a breach fires blind; a reply in time that it had is believed afterwards."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pointsman.local import Tansu, create_topics
from tests.integration.sla.conftest import Service, a_policy

pytestmark = pytest.mark.stack


async def _begin(service: Service, broker: Tansu, address_file: Path) -> None:
    settings = service.installation.settings
    await create_topics(broker.address, settings.partitions, settings.topic_prefix)
    await asyncio.to_thread(address_file.write_text, broker.address)
    await service.producer.stop()
    await service.speak_to(broker.address)


async def test_a_blind_breach_is_withdrawn_when_the_reply_in_time_is_read(service: Service, tmp_path: Path) -> None:
    address_file = tmp_path / "broker"
    changes = {"broker": f"file:{address_file}", "blind_after_seconds": 0.5, **Tansu.settings}
    settings = service.installation.settings.model_copy(update=changes)
    service.installation = replace(service.installation, settings=settings)
    async with Tansu(tmp_path / "first") as first:
        await _begin(service, first, address_file)
        async with service.worker():
            await service.configure(a_policy(4))
            await service.open("tkt_1")
            await service.row("SELECT 1 FROM timer")
            in_time = datetime.now(UTC)
            await first.stop()
            breach = await service.fact("clock.breached")
            assert breach["blind"]
            async with Tansu(tmp_path / "second") as second:
                await _begin(service, second, address_file)
                await service.reply("tkt_1", in_time)
                corrected = await service.fact("clock.corrected")
                await service.producer.stop()
            assert corrected["withdraws"] == "breach"
            assert await service.pool.fetchval("SELECT state FROM alert") == "resolved"
