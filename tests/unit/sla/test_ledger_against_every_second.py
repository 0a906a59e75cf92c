"""Ledgers of random tickets against `every_second`, which recomputes them from the raw events.

`POINTSMAN_PROOFS` says how many tickets; `make proof` plays 10,000. A third of the lives are short and compared second
by second; in the others, of days, everything lies on whole minutes: they are compared minute by minute, within which no
second differs from another.
"""

import os
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, get_args

import pytest

from pointsman.contracts.shapes import Metric
from pointsman_sla.clocks.model import Clock
from pointsman_sla.clocks.points import elapsed
from pointsman_sla.clocks.policy import part_of, read_book
from pointsman_sla.ledger import Interval, ledger
from pointsman_sla.micros import MICROS, micros
from tests.unit.sla.builders import (
    MONDAY,
    Story,
    a_document,
    a_policy,
    answered,
    assigned,
    labelled,
    opened,
    pended,
    queued,
    reopened,
    resolved,
    snoozed,
    wrote,
)
from tests.unit.sla.every_second import Label, SlowClock, SlowDesk, label_at

PARTS = 4
TICKETS = int(os.environ.get("POINTSMAN_PROOFS", "40"))
DAYS_MAX = 10

ROUND = {day: [["08:30", "12:00"], ["13:00", "18:15"]] for day in ("mon", "tue", "wed", "thu", "fri")}
CALENDARS: dict[str, dict[str, Any]] = {
    "rome": {
        "tz": "Europe/Rome",
        "week": ROUND,
        "holidays": ["2026-12-08", "12-25", "12-26", "01-01", "2026-10-26"],
        "days": {"2026-12-24": [["08:30", "12:00"]], "2026-11-28": [["10:00", "14:00"]], "2026-12-31": []},
    },
    "nights": {
        "tz": "America/New_York",
        "week": {day: [["06:00", "10:00"], ["21:30", "05:00"]] for day in ("mon", "wed", "fri", "sat", "sun")},
        "holidays": ["2026-11-01", "11-26", "12-25"],
        "days": {"2026-03-07": [["20:00", "04:00"]], "2026-12-26": []},
    },
    "havana": {"tz": "America/Havana", "week": {"sat": [["12:00", "24:00"]], "sun": [["00:00", "06:00"]]},
               "holidays": ["2026-11-01"]},
    "lord-howe": {"tz": "Australia/Lord_Howe", "week": {day: [["00:00", "03:00"]] for day in ("sat", "sun", "mon")},
                  "holidays": ["2026-04-06"]},
    "always-but": {"tz": "Asia/Kathmandu", "week": {day: [["00:00", "24:00"]] for day in (*ROUND, "sat", "sun")},
                   "holidays": ["12-25", "2026-11-28", "2026-11-29"]},
    "moves": {"tz": "Europe/London", "week": ROUND, "holidays": ["12-25", "2026-12-01"],
              "from": {"2026-11-30": {"week": {"mon": [["22:00", "06:00"]], "tue": [["22:00", "06:00"]]}},
                       "2026-12-24": {"holidays": ["2026-12-28", "12-29"]}}},
    "all": {"tz": "UTC", "week": {day: [["00:00", "24:00"]] for day in (*ROUND, "sat", "sun")}},
}  # fmt: skip
ANCHORS = [
    datetime(*parts, tzinfo=UTC)
    for parts in ((2026, 3, 7), (2026, 3, 28), (2026, 4, 4), (2026, 10, 24), (2026, 10, 31), (2026, 11, 26),
                  (2026, 12, 5), (2026, 12, 23), (2026, 12, 30))
]  # fmt: skip
"""Before changes of the clock, holidays and special days."""

FACTS: dict[str, Any] = {
    "wrote": lambda at: [wrote(at)],
    "answered": lambda at: [answered(at)],
    "bot_answered": lambda at: [answered(at, kind="bot")],
    "assigned": lambda at: [assigned()],
    "queued": lambda at: [queued()],
    "pended": lambda at: [pended()],
    "waits_on_others": lambda at: [pended("third_party")],
    "snoozed": lambda at: [snoozed()],
    "urgent": lambda at: [labelled("urgent")],
    "normal": lambda at: [labelled("normal")],
    "resolved_solved": lambda at: [resolved()],
    "resolved_spam": lambda at: [resolved("spam")],
    "reopened": lambda at: [reopened(), queued()],
}


@cache
def minutes_of(calendar: str, anchor: datetime) -> list[Label]:
    """What the calendar says of each minute of the days after an anchor."""
    first = int(anchor.timestamp())
    return [label_at(CALENDARS[calendar], first + minute * 60) for minute in range(DAYS_MAX * 1440)]


def play(dice: random.Random) -> tuple[SlowDesk, dict[tuple[str, int], Clock], Story, int, int]:
    """A random life: as counted slowly, and as the service keeps it; the last instant, and the seconds of a step."""
    step = 1 if dice.random() < 1 / 3 else 60
    anchor = dice.choice(ANCHORS)
    begin = dice.randrange(2 * 1440) * 60 // step
    steps = dice.randrange(1, 3 * 3600 if step == 1 else (DAYS_MAX - 2) * 1440)
    usual, hurried = dice.choice(list(CALENDARS)), dice.choice(list(CALENDARS))
    reasons = ("customer", "third_party", "snoozed")
    pause_on = {
        metric: dice.sample(reasons, dice.randrange(4))
        for metric in ("resolution", "first_response", "next_response", "requester_wait")
    }
    goes_on = dice.random() < 0.7
    targets = {"default": 2_000_000, "urgent": {"seconds": 1_900_000, "calendar": hurried}}
    policy = a_policy(
        calendar=usual,
        targets=dict.fromkeys(get_args(Metric), targets),
        pause_on=pause_on,
        warn={},
        reopen="continue" if goes_on else "restart",
    )
    story = Story(book=read_book(1, part_of(a_document(policy, calendars=CALENDARS))))
    desk = SlowDesk({"normal": usual, "urgent": hurried}, pause_on, goes_on)
    kept: dict[tuple[str, int], Clock] = {}

    def tell(what: str, at: int, facts: Any) -> None:
        minute = ((anchor - MONDAY).total_seconds() + (begin + at) * step) / 60
        desk.happen(what, at)
        story.tell(minute, *facts(minute))
        assert story.course is not None
        kept.update({(clock.metric, clock.cycle): clock for clock in story.course.changed.values()})

    says = {name: minutes_of(name, anchor) for name in {usual, hurried}}
    events = set(dice.sample(range(1, steps), min(steps - 1, dice.randrange(20))))
    tell("opened", 0, opened)
    for at in range(steps):
        if at in events:
            what = dice.choice([fact for fact in FACTS if fact != "reopened"]) if not desk.resolved else "reopened"
            tell(what, at, FACTS[what])
        minute_of_life = (begin + at) * step // 60
        desk.tick({name: labels[minute_of_life] for name, labels in says.items()})
    until = micros(anchor + timedelta(seconds=(begin + steps) * step))
    return desk, kept, story, until, step


def compare(slow: SlowClock, clock: Clock, story: Story, until: int, step: int) -> None:
    """Every step of the clock has the same reason and the same sums in both."""
    assert story.course is not None
    lines = ledger(clock, until, story.course.calendars, lambda *_: None)
    for before, after in pairwise(lines):
        assert before.end == after.start, "without a gap"
    business = plain = place = 0
    for line in lines:
        assert line.start == clock.started_at + place * step * MICROS
        for in_line in range(1, (line.end - line.start) // (step * MICROS) + 1):
            reason, day = slow.labels[place]
            assert (line.reason, line.day) == (reason, day), f"{clock.metric} {clock.cycle} at step {place}"
            business += step if reason == "counted" else 0
            plain += step if reason in ("counted", "outside hours", "holiday", "special day") else 0
            assert sums_after(line, in_line * step * MICROS) == (business * MICROS, plain * MICROS)
            place += 1
    assert place == len(slow.labels), "to its end"
    last = (lines[-1].business_sum, lines[-1].plain_sum) if lines else (0, 0)
    assert last == elapsed(clock, until if clock.ended_at is None else clock.ended_at, story.course.calendars)


def sums_after(line: Interval, passed: int) -> tuple[int, int]:
    """The running sums when so much of the line has passed."""
    return (
        line.business_sum - line.business + (passed if line.business else 0),
        line.plain_sum - line.plain + (passed if line.plain else 0),
    )


@pytest.mark.parametrize("part", range(PARTS))
def test_a_ledger_is_what_every_second_of_the_raw_events_says(part: int) -> None:
    for seed in range(part, TICKETS, PARTS):
        try:
            desk, kept, story, until, step = play(random.Random(seed))
            slow = {(clock.metric, clock.cycle): clock for cycles in desk.clocks.values() for clock in cycles}
            assert set(slow) == set(kept)
            for key, clock in kept.items():
                compare(slow[key], clock, story, until, step)
        except AssertionError as error:
            raise AssertionError(f"ticket {seed}: {error}") from error
