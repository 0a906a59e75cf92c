"""What proved itself is accepted or goes to the quarantine. A fault of ours is never an error of the sender's.

Mail and webhooks come from parties that cannot mend what we fail at, and that stop when they are answered errors. So
whatever is raised while they are read, mapped and written becomes `NotUnderstood` here, in one place, and a row of the
quarantine with the bytes. What remains an error is what a repetition may heal: a database that is away, too much at
once.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from pointsman.core.instant import Instant
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.logic import Database
from pointsman_intake.model import Raw
from pointsman_intake.parsed import NotUnderstood
from pointsman_intake.quarantine import put_in_quarantine

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class InQuarantine:
    """It is in the quarantine, under this id, and why."""

    quarantine_id: str
    reason: str


async def understood(work: Awaitable[T]) -> T:
    """What the work gives. Raises `NotUnderstood` whatever else it raises, refusals and what a repetition may heal
    excepted."""
    try:
        return await work
    except (NotUnderstood, Problem, ConnectionError, *INFRASTRUCTURE_ERRORS):
        raise
    except Exception as error:
        log.exception("a fault of ours: it is kept in the quarantine")
        raise NotUnderstood("fault", f"taking it raised {error!r}"[:500]) from error


async def accepted_or_quarantined(
    db: Database, workspace: str, connector: str, source: str, raw: Raw, at: Instant, work: Awaitable[T]
) -> T | InQuarantine:
    """What the work gives; when it is not understood, where its bytes are kept. `source` is `email` or `hook`."""
    try:
        return await understood(work)
    except NotUnderstood as why:
        id = await put_in_quarantine(db, workspace, connector, source, raw, why, at)
        return InQuarantine(id, why.reason)
