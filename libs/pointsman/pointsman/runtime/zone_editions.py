"""Whether all processes of the installation read the same edition of the time zone database.

Services never ask one another; but each process says its edition in the name of its database sessions, and all are
sessions of one server. Workers look, and raise the alarm `zone-editions-differ`: two services that read different
editions may tell a deadline and a report that contradict each other.
"""

import asyncio
from typing import Any

import structlog
from prometheus_client import Gauge

from pointsman.core import zones
from pointsman.runtime import telemetry
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.session_names import read_session_name

log = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
SESSIONS = """
SELECT application_name, count(*) AS sessions FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'pointsman-%' GROUP BY 1 ORDER BY 1
"""
ZONE_DATA = Gauge(
    "pointsman_zone_data_info", "1; the edition of the time zone database that this process reads.", ["edition"]
)


def say_edition() -> None:
    """Sets the gauge of this process. Raises `ZonesTooOld`."""
    ZONE_DATA.labels(zones.in_use().edition).set(1)


async def editions(db: Any) -> dict[str, list[str]]:
    """Edition → what reads it, as `sla-worker`; sessions that do not say theirs are left out."""
    found: dict[str, list[str]] = {}
    for row in await db.fetch(SESSIONS):
        said = read_session_name(row["application_name"])
        if said is not None and said.edition is not None:
            found.setdefault(said.edition, []).append(said.who)
    return found


async def keep_comparing(pool: Any, service: str, every_seconds: float = LOOK_SECONDS) -> None:
    """Looks until cancelled. Editions that differ at two looks in a row are an alarm: an upgrade takes a moment."""
    differed = False
    while True:
        try:
            async with pool.acquire() as db:
                found = await editions(db)
        except INFRASTRUCTURE_ERRORS as error:
            log.warning("zone editions not compared", error=repr(error))
        else:
            if len(found) > 1 and differed:
                telemetry.alarm(service, "zone-editions-differ", editions=found, ours=str(zones.ZONES))
            differed = len(found) > 1
        await asyncio.sleep(every_seconds)
