"""What a batch of a lane is made of, and where it ends.

First the timers that may fire, each due before every undecided record that could stop it; then the topics in the order
of their priority, of the last a bounded number of records. The batch ends after about `batch_milliseconds` of
decisions. While a timer is due, the topics that can stop it give no record that is later than it. See `inbox` for when
a timer may fire.

A batch costs a transaction. So in a busy lane a record waits for company until a moment after the last batch
(`LaneLogic.linger`), unless a record of another topic or a timer makes a batch anyway; in a lane at rest it does not.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pointsman.core.cause import TimerCause
from pointsman.core.envelope import Arrived
from pointsman.core.instant import EPOCH, Instant
from pointsman.core.topic import Priority, Topic
from pointsman.runtime import own_commands
from pointsman.runtime.batch_size import BatchSize
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.dead_letter_timers import LaneTimers
from pointsman.runtime.deciding import Decider
from pointsman.runtime.inbox import TopicInbox, time_of
from pointsman.runtime.logic import LaneLogic

TIMERS_PER_BATCH_MAX = 500
LATE_SECONDS = 1.0
CATCHING_UP = timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True)
class DueTimers:
    """What fires now, up to which instant each gating topic may be read before that, and whether inputs are missing
    for some timer."""

    fires: list[TimerCause]
    holds: dict[str, Instant]
    unread: bool


class Batching:
    """One lane's inboxes, and what its next batch takes from them.

    `inboxes` are those of the cluster that the lane has entered, empty while it is in none. `single_steps` is how many
    batches from now on have one cause each, a timer or a record.
    """

    def __init__(self, reads: Sequence[Topic], logic: LaneLogic[Any], link: BrokerLink) -> None:
        self._logic, self._link, self._settings = logic, link, link.settings
        self._reads = frozenset(topic.name for topic in reads)
        self._in_order = sorted(reads, key=lambda topic: topic.priority)
        self._batch_size = BatchSize(self._settings.batch_milliseconds / 1000)
        self.inboxes: Mapping[str, TopicInbox] = {}
        self.single_steps = 0
        self._timers_turn = True
        self._taken_at = -math.inf

    # -- before the decisions ----------------------------------------------------------------------------------------

    def search(self, causes: int) -> None:
        """Something among so many causes of a batch is refused: they are decided one at a time until it is found."""
        self.single_steps, self._timers_turn = causes + 1, True

    def one(self, timers: DueTimers) -> tuple[list[Arrived], list[TimerCause]]:
        """One cause alone: timers and records by turns, timers first."""
        turn, self._timers_turn = self._timers_turn, not self._timers_turn
        if turn and timers.fires:
            return [], timers.fires[:1]
        records = self.take(timers.holds)
        return records, [] if records else timers.fires[:1]

    def due_timers(self, timers: LaneTimers, state: Any, now: Instant) -> DueTimers:
        fires: list[TimerCause] = []
        holds: dict[str, Instant] = {}
        unread = False
        unreachable = self._link.cluster is None or not self.inboxes
        blind = self._link.out_of_reach_seconds >= self._settings.blind_after_seconds
        for kind, due in timers.earliest(state).items():
            if due > now:
                continue
            gates = self._logic.gates[kind] & self._reads
            for topic in gates:
                holds[topic] = min(holds.get(topic, due), due)
            if gates and unreachable:
                if not (blind and kind in self._logic.blind_kinds):
                    continue
                fetched = (self.inboxes[topic].fetched_up_to() for topic in gates.intersection(self.inboxes))
                until = min((now, *fetched))
            else:
                until = min((now, *(self._read_up_to(topic) for topic in gates)))
            if until < due:
                unread = unread or not unreachable
                continue
            room = TIMERS_PER_BATCH_MAX - len(fires)
            for timer in timers.due(state, kind, until, room):
                late = (now - timer.due).total_seconds() > LATE_SECONDS
                fires.append(replace(timer, late=late, blind=bool(gates) and self._link.cluster is None))
        for topic, inbox in self.inboxes.items():
            inbox.needed = unread and topic in holds
        return DueTimers(fires, holds, unread)

    def has_read(self, holds: Mapping[str, Instant]) -> bool:
        """Whether some topic is read up to the instant at which it is held."""
        return any(self._read_up_to(topic) >= due for topic, due in holds.items())

    @property
    def has_records(self) -> bool:
        """Whether something was fetched and not taken."""
        return any(inbox.records for inbox in self.inboxes.values())

    def seconds_for_company(self) -> float:
        """How long what is there may wait for more; 0 when something should be decided now, infinite when nothing is
        there."""
        seconds = math.inf
        for topic, inbox in self.inboxes.items():
            if inbox.records:
                until = self._taken_at + self._logic.linger.get(topic, 0.0)
                seconds = min(seconds, until - time.monotonic())
                if len(inbox.records) >= self._batch_size.records_max:
                    return 0.0
        return 0.0 if self.single_steps and seconds < math.inf else max(0.0, seconds)

    def take(self, holds: Mapping[str, Instant]) -> list[Arrived]:
        taken: list[Arrived] = []
        if not holds and self.seconds_for_company() > 0:
            return taken
        self._taken_at = time.monotonic()
        count_max = 1 if self.single_steps else min(self._settings.batch_records_max, self._batch_size.records_max)
        for topic in self._in_order:
            inbox = self.inboxes.get(topic.name)
            if inbox is None or not inbox.records or len(taken) >= count_max:
                continue
            limit = count_max - len(taken)
            if topic.priority is Priority.LAST:
                limit = min(limit, self._settings.requests_per_batch_max)
            taken += inbox.take(limit, holds.get(topic.name))
        return taken

    def _read_up_to(self, topic: str) -> Instant:
        inbox = self.inboxes.get(topic)
        return EPOCH if inbox is None else inbox.read_up_to()

    # -- with the decisions ------------------------------------------------------------------------------------------

    def decide(
        self, decider: Decider, records: list[Arrived], fires: Sequence[TimerCause], now: Instant
    ) -> list[Arrived]:
        """Decides until the time of a batch is over; returns the records that are left for the next.

        The timers come first: each is due before every undecided record that could stop it.
        """
        self._batch_size.begin()
        for timer in fires:
            decider.timer(timer, now=now)
        catching_up = any(now - time_of(record) > CATCHING_UP for record in (records[:1] + records[-1:]))
        ahead = self._earliest_ahead(records) if catching_up else []
        for place, record in enumerate(records):
            if catching_up and self._is_past_a_timer(decider, record.topic, ahead[place], now):
                left = records[place:]
                break
            if own_commands.is_own(record):
                own_commands.carry_out(decider, record)
            else:
                decider.record(record, now=now)
            if self._batch_size.over():
                left = records[place + 1 :]
                break
        else:
            left = []
        self._batch_size.end(len(records) - len(left))
        return left

    def _earliest_ahead(self, records: Sequence[Arrived]) -> list[Instant]:
        """For each record the earliest time of its topic from it on: the log is not in the order of its times."""
        earliest = {topic: inbox.earliest() for topic, inbox in self.inboxes.items()}
        ahead = []
        for record in reversed(records):
            earliest[record.topic] = min(earliest[record.topic], time_of(record))
            ahead.append(earliest[record.topic])
        ahead.reverse()
        return ahead

    def _is_past_a_timer(self, decider: Decider, topic: str, earliest: Instant, now: Instant) -> bool:
        """Whether a timer that came due, perhaps one that this batch armed, must be decided before what is ahead."""
        return any(
            due <= now and due < earliest and topic in self._logic.gates[kind]
            for kind, due in decider.timers.earliest(decider.state).items()
        )

    def put_back(self, left: Sequence[Arrived]) -> None:
        """Returns what was taken and not decided, in order."""
        by_topic: dict[str, list[Arrived]] = {}
        for record in left:
            by_topic.setdefault(record.topic, []).append(record)
        for topic, records in by_topic.items():
            self.inboxes[topic].put_back(records)
