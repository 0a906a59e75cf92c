"""What the callers know for certain: the answers they got. The verification believes nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum


class Fate(Enum):
    """What the caller may believe of a command.

    ACKNOWLEDGED: 2xx. REFUSED: 4xx, or 503 `not-applied`: never applied. UNKNOWN: no answer that says.
    """

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A 202: the message is durable, on this ticket."""

    workspace: str
    connector: str
    external_id: str
    thread: str
    ticket_id: str
    message_id: str


@dataclass(slots=True)
class Asked:
    """One command of an agent, with all attempts under one Idempotency-Key (or the single one without).

    `what` identifies its effect: the unique text of a reply, the offer's id, the ticket's id.
    """

    workspace: str
    agent: str
    kind: str
    ticket_id: str
    what: str
    attempts: int = 0
    fate: Fate = Fate.UNKNOWN


@dataclass
class Ledger:
    """Filled by the load while it runs."""

    posted: dict[tuple[str, str, str], AcceptedMessage] = field(default_factory=dict)
    answers_differ: list[tuple[AcceptedMessage, AcceptedMessage]] = field(default_factory=list)
    first_pairs: list[tuple[AcceptedMessage, AcceptedMessage]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    server_errors: list[str] = field(default_factory=list)
    posts: int = 0

    def note(self, posted: AcceptedMessage) -> None:
        """A 202. Every 202 of one external id must name the same ticket and message."""
        key = (posted.workspace, posted.connector, posted.external_id)
        known = self.posted.setdefault(key, posted)
        if known != posted:
            self.answers_differ.append((known, posted))

    def of_kind(self, *kinds: str) -> Iterator[Asked]:
        return (asked for asked in self.asked if asked.kind in kinds)
