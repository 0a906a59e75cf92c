"""The envelope: what surrounds the facts of one record, on the topic and in the `fact` table."""

from typing import Any, NamedTuple

from pointsman.core.ids import _PAIRS
from pointsman.core.instant import Instant


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


class Arrived(NamedTuple):
    """A record as it came from a topic, not decoded: what a dead letter keeps."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key == name:
                return value.decode("utf-8", "replace")
        return None


class Numbered(NamedTuple):
    """Where a record stands in its source's sequence."""

    source: str
    number: int


class Decoded(NamedTuple):
    """A record understood: its bodies that are known, and the types that are not (skipped alone, and noted)."""

    id: str
    workspace: str
    subject: str
    at: Instant
    numbered: Numbered | None
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
