"""Causes: the records and timers that make facts."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from pointsman.core.instant import Instant


class RecordCause(NamedTuple):
    """One record of a topic, decoded: one or more bodies of one workspace, in order.

    `id` is the record's id (a command's id for commands), `subject` the thing it is about, `at` the time that the
    sender gave it, `bodies` the known facts, or the one command. `topic` is the topic's short name (`requests`).
    `again`: it was set aside as a dead letter, and others may have come between.
    """

    id: str
    topic: str
    workspace: str
    subject: str
    at: Instant
    bodies: tuple[Any, ...]
    traceparent: str | None = None
    again: bool = False

    @property
    def is_command(self) -> bool:
        return self.topic == "commands"


@dataclass(frozen=True, slots=True)
class TimerCause:
    """A timer that came due: `id` is unique per firing and the same again when the batch is decided twice.

    `late` tells that it was overdue when the lane was taken or was held back; `blind` that it fired while the broker
    was out of reach, so that an input in time may be on its way.
    """

    id: str
    kind: str
    workspace: str
    subject: str
    due: Instant
    generation: int = 0
    late: bool = False
    blind: bool = False


Cause = RecordCause | TimerCause
