"""A day of one workspace, as far as it has come: what the figures of now are asked about."""

from typing import Any

from pointsman.contracts.workspace import PresenceChanged
from tests.integration.metrics.folding import fold, of_ticket
from tests.integration.metrics.test_reports import a_life, config
from tests.unit.metrics.desk_facts import opened, queued, record
from tests.unit.metrics.test_clocks import BREACHED, started


def presence(agent: str, state: str) -> PresenceChanged:
    return PresenceChanged.model_validate({"agent": agent, "state": state, "set_by": "agent"})


async def a_day(pool: Any) -> None:
    """One ticket in hand, one waits, one agent is available, one clock is breached."""
    await fold(
        pool,
        [
            record(0, config()),
            *a_life("tkt_1", 20, None),
            record(5, opened("tkt_2"), of_ticket(queued(), "tkt_2")),
            record(6, presence("anna", "available")),
            record(6, presence("boris", "available")),
            record(7, presence("boris", "away")),
            record(0, started(), topic="sla"),
            record(60, BREACHED.model_copy(update={"ticket_id": "tkt_2"}), topic="sla"),
        ],
    )
