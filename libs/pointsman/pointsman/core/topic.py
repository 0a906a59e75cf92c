"""A topic, by what the runtime needs to know of it."""

from dataclasses import dataclass
from enum import IntEnum


class Priority(IntEnum):
    """In which order a batch takes the records of several topics. Of `LAST` it takes a bounded number."""

    FIRST = 0
    SOON = 1
    USUAL = 2
    LAST = 3


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic by its short name. `numbered`: its records carry the contiguous numbers of their source."""

    name: str
    producers: tuple[str, ...]
    readers: tuple[str, ...]
    numbered: bool
    retention_seconds: int
    record_bytes_max: int = 1_048_576
    priority: Priority = Priority.USUAL

    def full_name(self, prefix: str = "pointsman") -> str:
        """The topic's name on the broker; an installation may have its own prefix."""
        return f"{prefix}.{self.name}.v1"
