"""Clocks against a reference that counts second by second, over random lives of a ticket."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman_sla.clocks.points import elapsed
from pointsman_sla.clocks.policy import part_of, read_book
from pointsman_sla.micros import MICROS, instant, micros
from tests.unit.sla.builders import (
    MONDAY,
    Story,
    a_document,
    a_policy,
    answered,
    assigned,
    opened,
    pended,
    queued,
    reopened,
    resolved,
    snoozed,
    woken,
    wrote,
)

MINUTES = 240
"""A life: four hours, in which the calendar opens and closes thrice."""

OPEN = [(0, 50), (70, 130), (131, 200)]
CALENDAR = {
    "tz": "UTC",
    "week": {"mon": [[f"{9 + a // 60:02}:{a % 60:02}", f"{9 + b // 60:02}:{b % 60:02}"] for a, b in OPEN],
             "tue": [["09:00", "17:00"]]},
}  # fmt: skip


def is_open(second: int) -> bool:
    return any(a * 60 <= second < b * 60 for a, b in OPEN) or second >= 24 * 3600


@dataclass
class Naive:
    """One clock counted by hand: whether it counts, how many seconds, when it broke."""

    target: int
    start: int
    counted: int = 0
    running: bool = True
    ended: str | None = None
    breached: int | None = None
    log: list[Any] = field(default_factory=list)

    def tick(self, second: int) -> None:
        """The second [second, second + 1) passes."""
        if self.ended is None and self.running and is_open(second):
            if self.counted >= self.target and self.breached is None:
                self.breached = second  # the first second that counts beyond the target
            self.counted += 1


class Reference:
    """first_response, next_response and resolution of one ticket, from the table in the domain's words."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Naive]] = []
        self.clocks: dict[str, Naive] = {}
        self.phase = "queued"
        self.responded = self.resolved = False
        self.unanswered = False

    def start(self, metric: str, second: int, target: int) -> None:
        self.clocks[metric] = Naive(target, second)

    def end(self, metric: str, how: str) -> None:
        clock = self.clocks.get(metric)
        if clock is not None and clock.ended is None:
            clock.ended = how
            self.done.append((metric, clock))

    def alive(self, metric: str) -> bool:
        clock = self.clocks.get(metric)
        return clock is not None and clock.ended is None

    def happen(self, what: str, second: int) -> None:
        if what == "opened":
            self.unanswered = True
            self.start("resolution", second, 3600)
            self.start("first_response", second, 1200)
        elif what == "wrote":
            self.unanswered = True
            self.await_response(second)
        elif what == "answered":
            self.end("next_response", "met")
            self.end("first_response", "met")
            self.responded, self.unanswered = True, False
        elif what in ("pended", "snoozed"):
            self.clocks["resolution"].running = False
        elif what in ("assigned", "queued"):
            self.clocks["resolution"].running = True
        elif what == "resolved":
            self.end("resolution", "met")
            self.end("first_response", "cancelled")
            self.end("next_response", "cancelled")
            self.resolved, self.unanswered = True, False
        elif what == "reopened":
            self.resolved = False
            clock = self.clocks["resolution"]
            clock.ended, clock.running = None, True
            self.done.remove(("resolution", clock))
            if not self.responded:
                self.await_response(second)

    def await_response(self, second: int) -> None:
        metric, target = ("next_response", 900) if self.responded else ("first_response", 1200)
        if not self.alive(metric):
            self.start(metric, second, target)


FACTS: dict[str, Any] = {
    "assigned": lambda at: [assigned()],
    "queued": lambda at: [queued()],
    "pended": lambda at: [pended()],
    "snoozed": lambda at: [snoozed()],
    "answered": lambda at: [answered(at)],
    "wrote": lambda at: [wrote(at)],
    "resolved": lambda at: [resolved()],
    "reopened": lambda at: [reopened(), queued()],
    "woken": lambda at: [woken(), queued()],
}


def possible(reference: Reference) -> list[str]:
    if reference.resolved:
        return ["reopened"]
    return ["assigned", "queued", "pended", "snoozed", "answered", "wrote", "resolved"]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_clocks_are_what_counting_every_second_gives(data: st.DataObject) -> None:
    policy = a_policy(
        targets={"first_response": {"default": 1200}, "next_response": {"default": 900},
                 "resolution": {"default": 3600}},
        warn={},
    )  # fmt: skip
    book = read_book(1, part_of(a_document(policy, calendars={"office": CALENDAR})))
    reference, story = Reference(), Story(book=book)
    seconds = sorted(data.draw(st.lists(st.integers(1, MINUTES * 60 - 1), max_size=12, unique=True)))
    begins = data.draw(st.integers(0, seconds[0] - 1 if seconds else 600))
    events = dict.fromkeys(seconds, "")
    for second in range(begins, MINUTES * 60):
        if second == begins:
            reference.happen("opened", second)
            story.tell(second / 60, *opened(second / 60))
        elif second in events:
            what = data.draw(st.sampled_from(possible(reference)))
            reference.happen(what, second)
            story.tell(second / 60, *FACTS[what](second / 60))
        for clock in reference.clocks.values():
            clock.tick(second)
    end = micros(MONDAY + timedelta(minutes=MINUTES))
    check(reference, story, end)


def check(reference: Reference, story: Story, end: int) -> None:
    assert story.ticket is not None
    assert story.course is not None
    calendars = story.course.calendars
    for metric, naive in reference.clocks.items():
        clock = story.ticket.clocks[metric]  # type: ignore[index]
        until = clock.ended_at if clock.ended_at is not None else end
        assert elapsed(clock, until, calendars)[0] == naive.counted * MICROS, metric
        assert (clock.state if clock.ended_at is not None else None) == naive.ended, metric
        overdue = clock.breached_at is not None or bool(clock.plan and clock.plan[-1][0] < end)
        assert overdue == (naive.breached is not None), metric
        if naive.breached is not None:
            assert instant(clock.breach_at) == MONDAY + timedelta(seconds=naive.breached), metric
    breaches = [fact for fact in story.facts if fact.type == "clock.breached"]
    assert len({fact.clock_id for fact in breaches}) == len(breaches), "a clock breaches once"
    met_late = {fact.clock_id for fact in story.facts if fact.type == "clock.met" and fact.breached_before}
    assert met_late <= {fact.clock_id for fact in breaches}
