"""An inbox: its records in order, up to which time it has read, and how much it holds."""

import random
from datetime import timedelta

import pytest

from pointsman.core.envelope import Arrived
from pointsman.core.instant import EPOCH, FOREVER, Instant, rfc3339
from pointsman.runtime.inbox import BUFFERED_BYTES_MAX, BUFFERED_RECORDS_MAX, TopicInbox, time_of


def a_record(offset: int, at: Instant | str, value: bytes = b"") -> Arrived:
    time = at if isinstance(at, str) else rfc3339(at)
    return Arrived("requests", 0, offset, 0, None, value, (("ce_time", time.encode()),))


def at_second(second: int) -> Instant:
    return EPOCH + timedelta(days=1, seconds=second)


class LookingThrough:
    """The same questions, answered by looking through all that waits."""

    def __init__(self) -> None:
        self.waiting: list[Arrived] = []

    def earliest(self) -> Instant:
        return min((time_of(record) for record in self.waiting), default=FOREVER)

    def take(self, count_max: int, until: Instant | None) -> list[Arrived]:
        last = 0
        for place, record in enumerate(self.waiting, start=1):
            if until is None or time_of(record) <= until:
                last = place
        count = min(count_max, last)
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken


@pytest.mark.parametrize("seed", range(200))
def test_an_inbox_answers_as_one_that_looks_through_its_backlog(seed: int) -> None:
    source = random.Random(seed)
    inbox, reference = TopicInbox("requests", 0), LookingThrough()
    offset = 0
    for _ in range(120):
        act = source.random()
        if act < 0.5:
            fetched = [
                a_record(offset + place, at_second(source.randrange(20))) for place in range(source.randrange(5))
            ]
            offset += len(fetched)
            inbox.offer(fetched)
            reference.waiting += fetched
        else:
            until = at_second(source.randrange(20)) if act < 0.8 else None
            count_max = source.randrange(8)
            taken = inbox.take(count_max, until)
            assert taken == reference.take(count_max, until)
            keep = source.randrange(len(taken) + 1)
            inbox.put_back(taken[keep:])
            reference.waiting = taken[keep:] + reference.waiting
        assert inbox.earliest() == reference.earliest()
        assert [waiting.record for waiting in inbox.records] == reference.waiting


@pytest.mark.parametrize("seed", range(200))
def test_a_full_inbox_that_is_needed_knows_all_times_and_keeps_no_more(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read past its bound it would keep any backlog; not read on, a timer and what is kept block each other."""
    monkeypatch.setattr("pointsman.runtime.inbox.BUFFERED_RECORDS_MAX", 5)
    source = random.Random(seed)
    log = [a_record(offset, at_second(source.randrange(20))) for offset in range(100)]
    inbox, reference = TopicInbox("requests", 0), LookingThrough()
    known = 0
    while inbox.decided_offset < len(log):
        inbox.needed = source.random() < 0.7
        act = source.random()
        if act < 0.6 and (inbox.needed or not inbox.full):
            begin, room = inbox.wanted_offset, source.randrange(1, 4)
            inbox.offer(log[begin : begin + room])
            reference.waiting += log[known : inbox.known_offset]
            known = max(known, inbox.known_offset)
        elif act > 0.6:
            until = at_second(source.randrange(20)) if act < 0.9 else None
            taken = inbox.take(source.randrange(8), until)
            assert taken == reference.take(len(taken), until)
            keep = source.randrange(len(taken) + 1)
            inbox.put_back(taken[keep:])
            reference.waiting = taken[keep:] + reference.waiting
        assert inbox.earliest() == reference.earliest()
        kept = [waiting.record for waiting in inbox.records]
        assert kept == reference.waiting[: len(kept)]
        assert len(kept) <= 5 + 2, "the bound, and what came with the record that reached it"
    assert known == len(log)


def test_an_inbox_that_looks_ahead_has_read_up_to_the_end() -> None:
    inbox = TopicInbox("requests", 0)
    inbox.offer([a_record(offset, at_second(10)) for offset in range(BUFFERED_RECORDS_MAX)])
    inbox.reported_end(at_second(9), BUFFERED_RECORDS_MAX + 2)
    assert inbox.read_up_to() == EPOCH
    inbox.needed = True
    inbox.offer([a_record(BUFFERED_RECORDS_MAX, at_second(10)), a_record(BUFFERED_RECORDS_MAX + 1, at_second(12))])
    assert inbox.read_up_to() == at_second(9)
    assert (len(inbox.records), inbox.full) == (BUFFERED_RECORDS_MAX, True)
    inbox.take(1, None)
    assert inbox.wanted_offset == BUFFERED_RECORDS_MAX, "what had no room is fetched again"


def test_an_inbox_is_full_by_bytes_before_it_is_by_records() -> None:
    inbox = TopicInbox("commands", 0)
    large = b"x" * (BUFFERED_BYTES_MAX // 4)
    was_full = []
    for offset in range(4):
        inbox.offer([a_record(offset, at_second(0), large)])
        was_full.append(inbox.full)
    taken = inbox.take(2, None)
    was_full.append(inbox.full)
    inbox.put_back(taken)
    was_full.append(inbox.full)
    assert was_full == [False, False, False, True, False, True]
    assert len(inbox.records) < BUFFERED_RECORDS_MAX


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "yesterday", "", "12"])
def test_a_time_that_cannot_be_read_is_decided_at_once(text: str) -> None:
    assert time_of(a_record(0, text)) == EPOCH
