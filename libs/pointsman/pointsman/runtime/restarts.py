"""How often each process of a service was started again: one that dies and comes back all day looks as if it ran.

Who keeps a process names it (`POINTSMAN_PROCESS_NAME`, the same at every start). A start that no orderly end came
before is a restart, and the last ones are in the table `process`, so that the others can tell of one that never lives
long enough to tell by itself. `RESTARTS_MAX` within `WITHIN_SECONDS` are too many: shown by `/readyz`, by the metric,
by the alarm `process-restarts`.
"""

import socket
from typing import Any

from prometheus_client import Gauge

from pointsman.runtime.settings import RuntimeSettings

RESTARTS_MAX = 3
WITHIN_SECONDS = 60

RESTARTS = Gauge(
    "pointsman_process_restarts",
    "Restarts of the service's most restarted process within the last minute.",
    ["service"],
)

START = """
    INSERT INTO process AS p (name, started_at) VALUES ($1, clock_timestamp())
    ON CONFLICT (name) DO UPDATE
    SET started_at = clock_timestamp(), ended_at = NULL,
        restarts = CASE WHEN p.ended_at IS NULL THEN (clock_timestamp() || p.restarts)[1:10] ELSE '{}' END
"""
END = "UPDATE process SET ended_at = clock_timestamp() WHERE name = $1"
COUNTED = f"""
    SELECT coalesce(json_object_agg(name, n), '{{}}') FROM (
        SELECT name, (SELECT count(*) FROM unnest(restarts) AS at
                      WHERE at > clock_timestamp() - interval '{WITHIN_SECONDS} seconds') AS n
        FROM process WHERE started_at > clock_timestamp() - interval '{WITHIN_SECONDS} seconds'
    ) AS counted WHERE n > 0
"""
"""Name → how often it was restarted within the last minute, as JSON."""


def name_of(settings: RuntimeSettings) -> str | None:
    """What this process is called on this host; None when nobody named it, and then its starts are not counted."""
    return None if settings.process_name is None else f"{settings.process_name}@{socket.gethostname()}"


async def note_start(db: Any, settings: RuntimeSettings) -> None:
    """This process begins."""
    if (name := name_of(settings)) is not None:
        await db.execute(START, name)


async def note_end(db: Any, settings: RuntimeSettings) -> None:
    """This process ends in order: its next start is no restart."""
    if (name := name_of(settings)) is not None:
        await db.execute(END, name)


def too_many(counted: dict[str, int]) -> list[str]:
    """Which processes are restarted too often, a line each."""
    return [
        f"{name.partition('@')[0]} was restarted {count} times within a minute"
        for name, count in sorted(counted.items())
        if count >= RESTARTS_MAX
    ]
