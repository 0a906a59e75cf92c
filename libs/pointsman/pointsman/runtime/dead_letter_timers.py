"""A lane's timers without those that were set aside.

A timer that cannot be gathered for, decided or written becomes a dead letter like a record. But it has no position that
would pass it: the logic hands it out until it is decided. So the lane passes it over, also after it was loaded anew,
until the dead letter is replayed; the timers behind it go on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pointsman.core.cause import TimerCause
from pointsman.core.envelope import Arrived
from pointsman.core.instant import FOREVER, Instant, parse_rfc3339, rfc3339
from pointsman.runtime.logic import LaneLogic

TIMERS = "timers"
"""What stands for the topic in the dead letter of a timer."""
NO_OFFSET = -1

SET_ASIDE = "SELECT value FROM dead_letter WHERE lane = $1 AND topic = 'timers' AND state <> 'replayed'"


class LaneTimers:
    """`earliest` and `due` of a lane's logic, without what is in `aside` (id → kind)."""

    def __init__(self, logic: LaneLogic[Any]) -> None:
        self._logic = logic
        self.aside: dict[str, str] = {}

    async def load(self, db: Any, lane: int) -> None:
        """Those that were set aside and not replayed."""
        for row in await db.fetch(SET_ASIDE, lane):
            timer = timer_of(row["value"])
            self.aside[timer.id] = timer.kind

    def earliest(self, state: Any) -> Mapping[str, Instant]:
        """Kind → the earliest due instant; kinds without a timer are absent."""
        found = self._logic.earliest(state)
        if not self.aside:
            return found
        earliest = dict(found)
        for kind in set(self.aside.values()).intersection(found):
            first = self.due(state, kind, FOREVER, 1)
            if first:
                earliest[kind] = first[0].due
            else:
                del earliest[kind]
        return earliest

    def due(self, state: Any, kind: str, until: Instant, count_max: int) -> Sequence[TimerCause]:
        """The timers of a kind due at or before `until`, earliest first."""
        if not self.aside:
            return self._logic.due(state, kind, until, count_max)
        passed_over = Counter(self.aside.values())[kind]
        timers = self._logic.due(state, kind, until, count_max + passed_over)
        return [timer for timer in timers if timer.id not in self.aside][:count_max]

    def stands(self, state: Any, timer: TimerCause) -> bool:
        """Whether the logic still has the timer, aside or not: what was decided since may have moved or ended it."""
        count_max = 1 + len(self.aside)
        while True:
            timers = self._logic.due(state, timer.kind, timer.due, count_max)
            if any(each.id == timer.id for each in timers):
                return True
            if len(timers) < count_max:
                return False
            count_max *= 2


def letter_of(timer: TimerCause, lane: int) -> Arrived:
    """The timer as a record, for its dead letter."""
    value = {
        "id": timer.id,
        "kind": timer.kind,
        "workspace": timer.workspace,
        "subject": timer.subject,
        "due": rfc3339(timer.due),
        "generation": timer.generation,
    }
    headers = {
        "ce_id": timer.id,
        "ce_type": f"timer.{timer.kind}",
        "ce_workspace": timer.workspace,
        "ce_subject": timer.subject,
        "ce_time": rfc3339(timer.due),
    }
    return Arrived(
        TIMERS,
        lane,
        NO_OFFSET,
        int(timer.due.timestamp() * 1000),
        timer.workspace.encode(),
        orjson.dumps(value),
        tuple((name, text.encode()) for name, text in headers.items()),
    )


def timer_of(value: bytes | None) -> TimerCause:
    """The timer whose dead letter has this value. It is late by now."""
    said = orjson.loads(value or b"{}")
    due = parse_rfc3339(said["due"])
    return TimerCause(said["id"], said["kind"], said["workspace"], said["subject"], due, said["generation"], late=True)
