"""Random histories of a ticket: its seven clocks, with timers firing between, against a count of every second.

`POINTSMAN_CLOCK_HISTORIES` (150) is how many; `make histories` takes more.
"""

import os
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pointsman.contracts import desk
from pointsman_sla.clocks.model import Clock
from pointsman_sla.clocks.points import elapsed
from pointsman_sla.micros import MICROS, instant, micros
from tests.unit.sla import builders
from tests.unit.sla.a_lane import LaneOfTests
from tests.unit.sla.builders import ANNA, MONDAY, a_document
from tests.unit.sla.second_by_second import METRICS, Promise, Reference

HISTORIES = int(os.environ.get("POINTSMAN_CLOCK_HISTORIES", "150"))
LIFE_SECONDS = 840
BEFORE_SECONDS = 120
"""What was said on a ticket that is merged in, or split off, may be so much older."""

OFFICE, SHIFTS = [(0, 3), (5, 9), (10, 14)], [(1, 6), (7, 12)]
"""Open minutes of two calendars after Monday 09:00."""


def a_calendar(spans: list[tuple[int, int]]) -> dict[str, Any]:
    return {"tz": "UTC", "week": {"mon": [[f"09:{a:02}", f"09:{b:02}"] for a, b in spans], "tue": [["09:00", "17:00"]]}}


class Opens(list[bool]):
    """Whether a calendar is open in a second; also before the desk opened, when only `always` is."""

    def __init__(self, spans: list[tuple[int, int]] | None) -> None:
        self.always = spans is None
        super().__init__(
            self.always or any(a * 60 <= second < b * 60 for a, b in spans or ()) for second in range(LIFE_SECONDS)
        )

    def __getitem__(self, second: Any) -> Any:
        return self.always if second < 0 else super().__getitem__(second)


OPENS: dict[str, list[bool]] = {"office": Opens(OFFICE), "shifts": Opens(SHIFTS), "always": Opens(None)}
DOCUMENT_CALENDARS = {"office": a_calendar(OFFICE), "shifts": a_calendar(SHIFTS)}

seconds = st.integers(3, 40).map(lambda tens: tens * 10)
targets_of = st.fixed_dictionaries({"default": seconds}, optional={"urgent": seconds})
pauses = st.sets(st.sampled_from(["customer", "third_party", "snoozed"])).map(sorted).map(tuple)


@st.composite
def promises(draw: st.DrawFn) -> list[Promise]:
    """Three policies: of a tag, of a queue, of all; only the last measures everything."""
    made = []
    for name, calendar, left_out in (
        ("vip", "always", {"assignment", "agent_work"}),
        ("fast", "shifts", {"next_response"}),
        ("standard", "office", set()),
    ):
        made.append(
            Promise(
                name,
                calendar,
                {metric: draw(targets_of) for metric in METRICS if metric not in left_out},
                shares=draw(st.sampled_from([(), (0.5,), (0.3, 0.6, 0.9)])),
                leads=draw(st.sampled_from([(), (7,)])),
                pause_on={metric: draw(pauses) for metric in ("first_response", "next_response", "resolution")},
                goes_on=draw(st.booleans()),
            )
        )
    return made


def policy_of(promise: Promise) -> dict[str, Any]:
    match = {"vip": {"tags": ["vip"]}, "fast": {"queue": ["fast"]}, "standard": {}}[promise.name]
    return {
        "name": promise.name,
        "match": match,
        "calendar": promise.calendar,
        "targets": promise.targets,
        "warn": {"shares": list(promise.shares), "lead_seconds": list(promise.leads)},
        "pause_on": {metric: list(phases) for metric, phases in promise.pause_on.items()},
        "reopen": "continue" if promise.goes_on else "restart",
    }


OPEN_MOVES = (
    *("wrote", "bot_answered", "answered", "elsewhere", "assigned", "to_queue", "offered", "pended", "snoozed"),
    *("woken", "labelled", "resolved", "merged", "split", "merged_away"),
)
RESOLVED_MOVES = ("wrote", "labelled", "reopened", "wrote_again", "closed")


@dataclass
class Desk:
    """The desk as far as it decides what may happen next; `fence` is the last moment which a reply written elsewhere
    may not go behind."""

    open: bool = True
    over: bool = False
    queue: str = "general"
    fence: int = 0

    def may(self) -> tuple[str, ...]:
        return OPEN_MOVES if self.open else RESOLVED_MOVES


class History:
    """Tells the lane what happens, and notes it for the reference with the second at which it counts."""

    def __init__(self, draw: Any, lane: LaneOfTests, without: tuple[str, ...] = ()) -> None:
        self.draw, self.lane, self.desk, self.without = draw, lane, Desk(), without
        self.noted: list[tuple[int, str, dict[str, Any]]] = []
        self.told: list[tuple[int, tuple[Any, ...]]] = []

    def note(self, second: int, what: str, **more: Any) -> None:
        self.noted.append((second, what, more))

    def tell(self, second: int, *facts: Any) -> None:
        self.told.append((second, facts))
        self.lane.tell(second / 60, *facts)

    def begin(self, second: int) -> None:
        by = self.draw(st.sampled_from(["customer", "customer", "agent", "automatic", "split"]))
        changes: dict[str, Any] = {"agent": {"started_by": "agent"}, "automatic": {"automatic": "list"}}.get(by, {})
        if by == "split":
            by = second - self.draw(st.integers(0, BEFORE_SECONDS))
            changes = {"split_from": "tkt_0", "unanswered_since": at(by)}
        self.desk.fence = second
        self.note(second, "opened", by=by)
        self.tell(second, *builders.opened(second / 60, **changes))

    def step(self, second: int) -> None:
        what = self.draw(st.sampled_from([move for move in self.desk.may() if move not in self.without]))
        getattr(self, what)(second)

    def wrote(self, second: int) -> None:
        self.note(second, "wrote")
        self.tell(second, builders.wrote(second / 60))

    def bot_answered(self, second: int) -> None:
        self.note(second, "bot_answered")
        self.tell(second, builders.answered(second / 60, kind="bot"))

    def answered(self, second: int) -> None:
        self.desk.fence = second
        self.note(second, "answered")
        self.tell(second, builders.answered(second / 60))

    def elsewhere(self, second: int) -> None:
        """An answer in the provider's own app, heard of later."""
        wrote_at = self.draw(st.integers(self.desk.fence + 1, second))
        self.desk.fence = second
        self.note(wrote_at, "answered")
        self.tell(second, builders.elsewhere(wrote_at / 60))

    def assigned(self, second: int) -> None:
        self.note(second, "assigned")
        self.tell(second, builders.assigned(queue=self.desk.queue))

    def offered(self, second: int) -> None:
        offer = {"offer_id": "off_1", "agent": "anna", "weight": 1, "expires_at": at(second + 30), "reason": "idle"}
        self.tell(second, desk.OfferMade(ticket_id="tkt_1", queue=self.desk.queue, **offer))

    def to_queue(self, second: int) -> None:
        queue = self.draw(st.sampled_from(["general", "fast"]))
        self.desk.queue, self.desk.fence = queue, second
        self.note(second, "to_queue", queue=queue)
        moved = desk.TicketTransferred(ticket_id="tkt_1", to_queue=queue, reason="theirs", by=ANNA)
        self.tell(second, moved, builders.queued(queue, "transferred"))

    def pended(self, second: int) -> None:
        phase = self.draw(st.sampled_from(["customer", "third_party"]))
        self.note(second, "put_off", phase=phase)
        self.tell(second, builders.pended(phase))

    def snoozed(self, second: int) -> None:
        self.note(second, "put_off", phase="snoozed")
        self.tell(second, builders.snoozed())

    def woken(self, second: int) -> None:
        self.note(second, "queued")
        self.tell(second, builders.woken(), builders.queued(self.desk.queue))

    def labelled(self, second: int) -> None:
        priority = self.draw(st.sampled_from(["normal", "urgent"]))
        tags = self.draw(st.sampled_from([(), ("vip",)]))
        self.desk.fence = second
        self.note(second, "labelled", priority=priority, tags=tags)
        self.tell(second, builders.labelled(priority, tags=tags))

    def resolved(self, second: int) -> None:
        outcome = self.draw(st.sampled_from(["solved", "no_reply_needed", "spam", "duplicate", "abandoned"]))
        self.desk.open, self.desk.fence = False, second
        self.note(second, "resolved", outcome=outcome)
        self.tell(second, builders.resolved(outcome))

    def reopened(self, second: int, *before: Any) -> None:
        self.desk.open, self.desk.fence = True, second
        self.note(second, "reopened")
        self.tell(second, *before, builders.reopened(), builders.queued(self.desk.queue, "reopened"))

    def wrote_again(self, second: int) -> None:
        """The customer writes, and that reopens it."""
        self.note(second, "wrote")
        self.reopened(second, builders.wrote(second / 60))

    def merged(self, second: int) -> None:
        since = self.draw(st.integers(max(-BEFORE_SECONDS, second - 400), second))
        self.desk.fence = second
        self.note(second, "merged", since=since)
        self.tell(second, builders.merged(since / 60))

    def split(self, second: int) -> None:
        since = self.draw(st.none() | st.integers(self.noted[0][0], second))
        self.desk.fence = second
        self.note(second, "split", since=since)
        self.tell(second, builders.split(None if since is None else since / 60))

    def merged_away(self, second: int) -> None:
        self.desk.over = True
        self.note(second, "closed", merged=True)
        self.tell(second, builders.closed("tkt_2"))

    def closed(self, second: int) -> None:
        self.desk.over = True
        self.note(second, "closed", merged=False)
        self.tell(second, builders.closed())


def at(second: float) -> Any:
    return MONDAY + timedelta(seconds=second)


@given(st.data())
@settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink a history takes longer than to read it
)
def test_the_seven_clocks_are_what_counting_every_second_gives(data: st.DataObject) -> None:
    made = data.draw(promises())
    lane = LaneOfTests(document=document_of(made))
    history = a_history(data, lane)
    reference = Reference(made, OPENS, LIFE_SECONDS)
    play(reference, history)
    compare(reference, lane)


@given(st.data())
@settings(
    max_examples=HISTORIES // 5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
def test_whatever_is_told_twice_is_as_told_once(data: st.DataObject) -> None:
    document = document_of(data.draw(promises()))
    once, twice = LaneOfTests(document=document), LaneOfTests(document=document)
    for second, facts in a_history(data, once).told:
        twice.tell(second / 60, *facts)
        twice.tell(second / 60, *facts)
    twice.run_to((LIFE_SECONDS - 0.5) / 60)
    assert {id: replace(clock, generation=0, alerts=()) for id, clock in twice.rows.items()} == {
        id: replace(clock, generation=0, alerts=()) for id, clock in once.rows.items()
    }
    assert [fact.type for fact in twice.facts] == [fact.type for fact in once.facts]


def document_of(made: list[Promise]) -> dict[str, Any]:
    return a_document(*map(policy_of, made), calendars=DOCUMENT_CALENDARS)


def a_history(data: st.DataObject, lane: LaneOfTests, without: tuple[str, ...] = ()) -> History:
    """A history told to the lane, to the end of its life, in which some moves do not happen."""
    history = History(data.draw, lane, without)
    begins = data.draw(st.integers(0, 60))
    history.begin(begins)
    for second in sorted(data.draw(st.lists(st.integers(begins + 1, LIFE_SECONDS - 1), max_size=16, unique=True))):
        if not history.desk.over:
            history.step(second)
    lane.run_to((LIFE_SECONDS - 0.5) / 60)
    return history


def play(reference: Reference, history: History) -> None:
    happens = sorted(history.noted, key=lambda one: one[0])
    for second in range(happens[0][0], LIFE_SECONDS):
        while happens and happens[0][0] == second:
            _, what, more = happens.pop(0)
            reference.happen(what, second, **more)
        reference.pass_second(second)


def compare(reference: Reference, lane: LaneOfTests) -> None:
    rows: dict[tuple[str, int], Clock] = {(clock.metric, clock.cycle): clock for clock in lane.rows.values()}
    counted = {(clock.metric, clock.cycle): clock for cycles in reference.clocks.values() for clock in cycles}
    assert set(rows) == set(counted)

    def calendars(name: str, version: int) -> Any:
        return lane.state.book("acme", version).calendar(name)

    for key, naive in counted.items():
        clock = rows[key]
        assert instant(clock.started_at) == at(naive.started), key
        until = clock.ended_at if clock.ended_at is not None else micros(at(LIFE_SECONDS))
        assert elapsed(clock, until, calendars)[0] == naive.counted * MICROS, key
        assert (None if clock.ended_at is None else instant(clock.ended_at)) == (
            None if naive.ended is None else at(naive.ended)
        ), key
        how = "paused" if naive.how == "running" and naive.reason else naive.how
        assert (clock.state, clock.reason) == (how, naive.reason), key
        assert (clock.policy, clock.target_seconds) == (naive.promise.name, naive.target), key
        assert (clock.breached_at is not None) == (naive.breached is not None), key
        if naive.breached is not None:
            assert instant(clock.breach_at) == at(naive.breached), key
        assert {step for step, _ in clock.warned} == naive.warned, key
    check_facts(lane, {clock.id: clock for clock in rows.values()})


def check_facts(lane: LaneOfTests, rows: dict[str, Any]) -> None:
    """What others heard leads to the same: each breach once, withdrawn ones withdrawn, each end told."""
    standing: Counter[str] = Counter()
    ended: dict[str, str] = {}
    for fact in lane.facts:
        if fact.type == "clock.breached":
            standing[fact.clock_id] += 1
            assert fact.fired_at >= fact.breach_at, "never early"
            assert fact.retargeted <= rows[fact.clock_id].retargeted
        elif fact.type == "clock.started" and fact.breached_at is not None:
            assert standing[fact.carried_from], "only a miss that was told goes on"
            standing[fact.clock_id] += 1
        elif fact.type == "clock.corrected" and fact.withdraws == "breach":
            standing[fact.clock_id] -= 1
        elif fact.type in ("clock.met", "clock.cancelled"):
            ended[fact.clock_id] = fact.type.removeprefix("clock.")
        elif fact.type in ("clock.resumed", "clock.paused"):
            ended.pop(fact.clock_id, None)
    for id, clock in rows.items():
        assert standing[id] == (clock.breached_at is not None)
        assert ended.get(id) == (clock.state if clock.ended_at is not None else None)
    for alert in lane.state.alerts.open.values():
        inside = [id for id, clock in rows.items() if any(each.alert == alert.id for each in clock.alerts)]
        assert len(inside) == lane.state.alerts.counts[alert.id] > 0
