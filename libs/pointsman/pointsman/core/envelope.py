"""The envelope: what surrounds the facts of one record, on the topic and in the `fact` table."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pointsman.core.ids import _PAIRS
from pointsman.core.instant import Instant, parse_rfc3339


class Envelope(NamedTuple):
    """One numbered record. `source` is `<service>@<incarnation>` or `<service>/<slot>@<incarnation>`; `number` is
    contiguous from 1 per (source, topic, partition). `body` is the JSON value (`{"facts": […]}`), encoded."""

    id: str
    source: str
    topic: str
    partition: int
    number: int
    cause: str
    workspace: str
    subject: str
    at: Instant
    types: tuple[str, ...]
    agents: tuple[str, ...]
    body: bytes
    traceparent: str | None = None


@dataclass(slots=True)
class Arrived:
    """A record as it came from a topic, not decoded: what a dead letter keeps. Never changed.

    Its headers are looked at several times on its way (may it fire a timer, is it the next, does it concern us), so
    they are laid out by name once, and its time is read once. Of two headers with one name the first counts.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    by_name: dict[str, bytes] = field(init=False, repr=False, compare=False)
    _sent_at: Instant | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.by_name = dict(reversed(self.headers))

    def header(self, name: str) -> str | None:
        value = self.by_name.get(name)
        return None if value is None else value.decode("utf-8", "replace")

    @property
    def sent_at(self) -> Instant:
        """The time that its sender gave it. Raises `ValueError` when it has none that can be read."""
        if self._sent_at is None:
            self._sent_at = parse_rfc3339(self.header("ce_time") or "")
        return self._sent_at


class Decoded(NamedTuple):
    """A record understood: its bodies that are known, and the types that are not (skipped alone, and noted)."""

    id: str
    workspace: str
    subject: str
    at: Instant
    bodies: tuple[Any, ...]
    unknown_types: tuple[str, ...]
    traceparent: str | None


def record_id(at: Instant, source_digest: int, partition: int, number: int) -> str:
    """The id of a record: sortable by time, and telling its place (`record_place`), so that it needs no index."""
    value = (int(at.timestamp() * 1000) << 80) | ((source_digest & 0xFFFFF) << 60) | (partition << 50) | number
    digits = []
    for _ in range(13):
        digits.append(_PAIRS[value & 1023])
        value >>= 10
    digits.reverse()
    return "evt_" + "".join(digits)


def record_place(record: str) -> tuple[int, int]:
    """(partition, number) of a record's id. Raises `ValueError` when it is no such id."""
    if not record.startswith("evt_") or len(record) != 30:
        raise ValueError(f"{record!r} is not the id of an event")
    value = 0
    for digit in record[4:]:
        value = (value << 5) | "0123456789abcdefghjkmnpqrstvwxyz".index(digit)
    return (value >> 50) & 1023, value & ((1 << 50) - 1)
