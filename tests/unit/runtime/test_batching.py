"""What a lane's next batch is made of: it is empty only when there is something to wait for."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.envelope import Arrived
from pointsman.core.topic import Priority, Topic
from pointsman.runtime.batching import Batching, DueTimers
from pointsman.runtime.inbox import TopicInbox

READS = [
    Topic("commands", (), (), False, 0, priority=Priority.FIRST),
    Topic("desk", (), (), True, 0),
    Topic("requests", (), (), True, 0, priority=Priority.LAST),
]
NAMES = [topic.name for topic in READS]
NO_TIMERS = DueTimers([], {}, False)

LOGIC: Any = SimpleNamespace(linger={"requests": 0.002}, gates={}, blind_kinds=frozenset())
LINK: Any = SimpleNamespace(
    cluster="c",
    out_of_reach_seconds=0.0,
    settings=SimpleNamespace(
        batch_milliseconds=20, batch_records_max=4, requests_per_batch_max=2, blind_after_seconds=9
    ),
)


def a_batching(waiting: dict[str, int]) -> Batching:
    batching = Batching(READS, LOGIC, LINK)
    batching.inboxes = {topic: TopicInbox(topic, 0) for topic in NAMES}
    for topic, count in waiting.items():
        at = (("ce_time", b"2026-11-30T10:00:00.000Z"),)
        batching.inboxes[topic].offer([Arrived(topic, 0, offset, 0, b"k", b"{}", at) for offset in range(count)])
    return batching


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 6)), st.integers(0, 9))
def test_a_lane_that_searches_for_a_fault_takes_all_that_is_there_and_then_rests(
    waiting: dict[str, int], causes: int
) -> None:
    """A search that outlasted what was there never rested: the lane kept the whole process to itself."""
    batching = a_batching(waiting)
    if causes:
        batching.search(causes)
    taken: list[Arrived] = []
    while batching.seconds_for_company() <= 0:
        if batching.single_steps:
            records, _ = batching.one(NO_TIMERS)
            assert len(records) == 1
            batching.single_steps -= 1
        else:
            records = batching.take({})
        assert records, "nothing to wait for, and nothing taken"
        taken += records
    left = sum(len(inbox.records) for inbox in batching.inboxes.values())
    assert len(taken) + left == sum(waiting.values())
    assert not left or batching.seconds_for_company() < 1, "what is there waits for a moment only"
