"""Agents' time: one row per stretch of a presence state, folded from the desk's facts about an agent."""

from dataclasses import dataclass

from pointsman.contracts.workspace import PresenceChanged
from pointsman.core.instant import Instant


@dataclass(frozen=True, slots=True)
class Stretch:
    """The agent was in `state` (for `reason`) from `started_at`; `ended_at` absent while it goes on.

    `number` counts an agent's stretches from 1.
    """

    workspace: str
    agent: str
    number: int
    state: str
    set_by: str
    reason: str | None
    started_at: Instant
    ended_at: Instant | None = None


def change_presence(
    workspace: str, current: Stretch | None, fact: PresenceChanged, at: Instant
) -> tuple[Stretch | None, Stretch]:
    """The stretch that ends now (None for the first), and the one that begins."""
    number, ended = 1, None
    if current is not None:
        at = max(at, current.started_at)
        number = current.number + 1
        ended = Stretch(
            workspace, fact.agent, current.number, current.state, current.set_by, current.reason, current.started_at, at
        )
    return ended, Stretch(workspace, fact.agent, number, fact.state, fact.set_by, fact.reason, at)
