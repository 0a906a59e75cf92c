"""From a clock that runs out to the receiver: a lane, its ladder, and the sender beside it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pointsman.testing.waiting import until
from pointsman_sla.notify.sender import NotificationSender
from pointsman_sla.settings import SlaSettings
from pointsman_sla.worker import SlaLane
from tests.integration.sla.conftest import Service, a_policy
from tests.integration.sla.notify.telling import QUICK, a_receiver

pytestmark = pytest.mark.stack

PATIENCE_SECONDS = 10
"""What a machine that is busy with other things may add; alone it takes some 0.1 s."""


async def test_a_breach_reaches_the_target_of_its_ladders_step(service: Service, tmp_path: Path) -> None:
    settings = service.installation.settings.model_copy(update={"secrets_folder": tmp_path})
    (tmp_path / "acme").mkdir()
    logic = SlaLane()
    async with a_receiver() as receiver, service.worker(logic) as worker:
        (tmp_path / "acme" / "pager-url").write_text(receiver.address)
        await service.configure(
            sla={
                "policies": [a_policy(2, ladder="page")],
                "ladders": {"page": [{"on": "breach", "do": [{"notify": "pager"}]}]},
                "notify": {"pager": {"url_from": "pager-url"}},
            },
            timezone="Europe/Rome",
        )
        given = SlaSettings(**settings.model_dump() | QUICK)
        async with NotificationSender(given, worker.lanes.keys, logic.told):
            await service.open("tkt_1")
            await until(lambda: bool(receiver.got))
            arrived = datetime.now(UTC)
        breach = await service.fact("clock.breached")
    assert receiver.got[0][1]["title"] == "1 breach in general (standard)"
    assert "tkt_1 (normal): breach of first_response" in receiver.bodies[0]
    assert timedelta() < arrived - datetime.fromisoformat(breach["breach_at"]) < timedelta(seconds=PATIENCE_SECONDS)
