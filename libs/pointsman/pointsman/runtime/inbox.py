"""What a lane has fetched and not yet decided, per topic, and up to which instant it has read.

*Inputs before timers.* A timer due at D may fire only when the lane has read up to D: its position has reached the
end offset that the broker reported at an instant ≥ D, and no fetched record with a time ≤ D is left undecided.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from pointsman.core.envelope import Arrived
from pointsman.core.instant import EPOCH, FOREVER, Instant

BUFFERED_RECORDS_MAX = 4_000
BUFFERED_BYTES_MAX = 16 * 1_048_576
"""A topic is not fetched further while its inbox has so much: what waits must not grow with the size of records."""
JUST_BEFORE = timedelta(microseconds=1)


@dataclass(slots=True)
class Waiting:
    """A fetched record and how much room it takes."""

    record: Arrived
    bytes: int


class TopicInbox:
    """One partition's records in order. `next_offset` is the first that is not kept yet, `known_offset` the first whose
    time is not known, `decided_offset` the first that is neither decided nor in a batch, `stored_offset` the lane's
    position in the database (where reading began, while none `is_stored`).

    The log is not in the order of its times. `_ahead` has the (time, offset) of each record that is earlier than all
    behind it, so that nobody looks through a backlog: the first is the earliest of all.

    A full inbox is not read on, unless it is `needed`: a timer waits until it is known what is there up to the end, and
    what is kept is later than the timer, so that a bound would hold both for good. Then the inbox looks ahead: of what
    has no room only the time is kept, and it is fetched again when there is room.
    """

    __slots__ = (
        "_ahead",
        "bytes",
        "decided_offset",
        "is_stored",
        "known_offset",
        "needed",
        "next_offset",
        "read_at",
        "read_offset",
        "records",
        "stored_offset",
        "topic",
    )

    def __init__(self, topic: str, next_offset: int) -> None:
        self.topic = topic
        self.records: deque[Waiting] = deque()
        self.bytes = 0
        self._ahead: deque[tuple[Instant, int]] = deque()
        self.is_stored = next_offset >= 0
        self.needed = False
        self.begin_at(next_offset)
        self.read_at: Instant = EPOCH
        self.read_offset = -1

    def begin_at(self, offset: int) -> None:
        """Reading begins here."""
        self.next_offset = self.known_offset = self.decided_offset = self.stored_offset = offset

    def stored(self, offset: int) -> None:
        """The position was committed."""
        self.stored_offset, self.is_stored = offset, True

    @property
    def full(self) -> bool:
        return len(self.records) >= BUFFERED_RECORDS_MAX or self.bytes >= BUFFERED_BYTES_MAX

    @property
    def looks_ahead(self) -> bool:
        """Whether records have no room, and their times are needed."""
        return self.full and self.needed

    @property
    def wanted_offset(self) -> int:
        """What is to be fetched next."""
        return self.known_offset if self.looks_ahead else self.next_offset

    def offer(self, records: Iterable[Arrived]) -> bool:
        """Takes fetched records; false when they do not begin where they should (nothing is taken then)."""
        taken = False
        for record in records:
            if record.offset < self.next_offset:
                continue
            if record.offset > self.wanted_offset:
                return taken
            keeps, at = not self.looks_ahead, time_of(record)
            if record.offset == self.known_offset:
                while self._ahead and self._ahead[-1][0] >= at:
                    self._ahead.pop()
                self._ahead.append((at, record.offset))
                self.known_offset = record.offset + 1
            if keeps:
                self._keep(record, self.records.append)
                self.next_offset = record.offset + 1
            taken = True
        return taken

    def reported_end(self, at: Instant, end_offset: int) -> None:
        """The broker said, asked at `at`, that the partition ends before `end_offset`."""
        if at > self.read_at:
            self.read_at, self.read_offset = at, end_offset

    def take(self, count_max: int, until: Instant | None) -> list[Arrived]:
        """The next records, at most `count_max`. With `until`, none after the last one whose time is not later."""
        available = min(count_max, len(self.records))
        if until is not None:
            available = min(available, self._count_until(until, available))
        waiting = [self.records.popleft() for _ in range(available)]
        self.bytes -= sum(each.bytes for each in waiting)
        taken = [each.record for each in waiting]
        if taken:
            self.decided_offset = taken[-1].offset + 1
            while self._ahead and self._ahead[0][1] < self.decided_offset:
                self._ahead.popleft()
        return taken

    def put_back(self, records: list[Arrived]) -> None:
        """Returns what was taken and not decided, in order."""
        for record in reversed(records):
            at = time_of(record)
            self._keep(record, self.records.appendleft)
            if at < self.earliest():
                self._ahead.appendleft((at, record.offset))
        if records:
            self.decided_offset = records[0].offset

    def read_up_to(self) -> Instant:
        """Every input with a time before or at the returned instant is decided."""
        if self.read_offset < 0 or self.known_offset < self.read_offset:
            return EPOCH
        return min(self.read_at, self.fetched_up_to())

    def fetched_up_to(self) -> Instant:
        """Of what is known, every input with a time before or at the returned instant is decided."""
        earliest = self.earliest()
        return earliest - JUST_BEFORE if earliest > EPOCH else EPOCH

    def earliest(self) -> Instant:
        """The earliest time of a record that is not decided yet; `FOREVER` when there is none."""
        return self._ahead[0][0] if self._ahead else FOREVER

    def _keep(self, record: Arrived, add: Callable[[Waiting], None]) -> None:
        waiting = Waiting(record, _bytes_of(record))
        self.bytes += waiting.bytes
        add(waiting)

    def _count_until(self, until: Instant, count_max: int) -> int:
        """How many records there are up to the last one whose time is not later, at most `count_max`."""
        first = self.records[0].record.offset if self.records else 0
        count = 0
        for at, offset in self._ahead:
            if at > until or count >= count_max:
                break
            count = offset - first + 1
        return count


def _bytes_of(record: Arrived) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.value or b"") + len(record.key or b"") + headers


def time_of(record: Arrived) -> Instant:
    """The time that the record's sender gave it, `EPOCH` when it cannot be read: it is decided at once."""
    try:
        return record.sent_at
    except ValueError:
        return EPOCH
