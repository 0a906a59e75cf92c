"""Silences: whom somebody has told to be quiet, until when and why. Alerts that match notify nobody meanwhile."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pointsman.contracts.alerting import SilenceMatch
from pointsman.contracts.shapes import Actor
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman_sla.alerts.model import Key

SILENCE_SECONDS_MAX = 3_660 * 86_400
SILENCES_MAX = 1_000
"""How many a workspace has at once."""


@dataclass(frozen=True, slots=True)
class Silence:
    """`ended_at` is when it was over, by itself or because somebody ended it (`ended_by`)."""

    id: str
    workspace: str
    match: SilenceMatch
    until: Instant
    reason: str
    by: Actor
    created_at: Instant
    ended_at: Instant | None = None
    ended_by: str | None = None

    def covers(self, key: Key) -> bool:
        """Whether the alert of this key matches."""
        workspace, *named = key
        if workspace != self.workspace:
            return False
        wanted = (self.match.severity, self.match.policy, self.match.queue)
        return all(not values or value in values for value, values in zip(named, wanted, strict=True))


@dataclass(slots=True)
class SilenceBook:
    """The silences of a lane that are not over, and what the batch changes of them. Changes go through the journal."""

    journal: Journal
    active: dict[str, Silence] = field(default_factory=dict)
    changed: dict[str, Silence] = field(default_factory=dict)

    def load(self, silences: Iterable[Silence]) -> None:
        """Takes the active ones from their rows."""
        self.active.update((silence.id, silence) for silence in silences)

    def of(self, workspace: str) -> Iterator[Silence]:
        """Those of a workspace."""
        return (silence for silence in self.active.values() if silence.workspace == workspace)

    def covering(self, key: Key) -> Silence | None:
        """The silence of an alert; of several the one that lasts longest."""
        return max((each for each in self.of(key[0]) if each.covers(key)), key=lambda each: each.until, default=None)

    def add(self, silence: Silence) -> None:
        """It holds from now on."""
        self.journal.put(self.active, silence.id, silence)
        self.journal.put(self.changed, silence.id, silence)

    def end(self, silence: Silence, by: str | None, now: Instant) -> Silence:
        """It is over."""
        silence = replace(silence, ended_at=now, ended_by=by)
        self.journal.pop(self.active, silence.id)
        self.journal.put(self.changed, silence.id, silence)
        return silence


def silence_shape(silence: Silence) -> dict[str, Any]:
    """The silence as the API shows it."""
    match = {key: list(values) for key, values in silence.match if values}
    return {
        "id": silence.id,
        "match": match,
        "until": silence.until,
        "reason": silence.reason,
        "by": silence.by.id,
        "created_at": silence.created_at,
        "ended_at": silence.ended_at,
        "ended_by": silence.ended_by,
    }
