"""A ticket's clocks counted step by step from its raw events, with `zoneinfo` and the tables of the domain alone: slow,
and independent of segments, spans and prefix sums."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Label = tuple[str, str | None]
"""Why a step counts or not, and the date of the holiday or special day."""

COUNTED: Label = ("counted", None)
OUTSIDE: Label = ("outside hours", None)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORDS = {
    "queued": "waiting for an agent",
    "customer": "pending on the customer",
    "third_party": "pending on a third party",
    "snoozed": "snoozed",
}
STANDS_STILL = {
    "update": ("customer",),
    "requester_wait": ("customer",),
    "agent_work": ("queued", "customer", "third_party", "snoozed"),
}


def label_at(calendar: dict[str, Any], at: int) -> Label:
    """What the calendar says of an epoch second, by looking at the wall clock."""
    wall = datetime.fromtimestamp(at, ZoneInfo(calendar["tz"]))
    second = wall.hour * 3600 + wall.minute * 60 + wall.second
    today, yesterday = wall.date(), wall.date() - timedelta(days=1)
    if _inside(_hours(calendar, today), second) or _inside(_hours(calendar, yesterday), second + 86_400):
        return COUNTED
    if (why := _unusual(calendar, today)) is not None:
        return why, today.isoformat()
    if (why := _unusual(calendar, yesterday)) is not None and _inside(_week(calendar, yesterday), second + 86_400):
        return why, yesterday.isoformat()
    return OUTSIDE


def _inside(spans: list[list[str]], second: int) -> bool:
    for opens, closes in ((_second(a), _second(b)) for a, b in spans):
        if opens <= second < (closes if closes > opens else closes + 86_400):
            return True
    return False


def _second(time: str) -> int:
    return int(time[:2]) * 3600 + int(time[3:]) * 60


def _key(calendar: dict[str, Any], key: str, day: date) -> Any:
    """A key of the calendar as it stands on the day."""
    value = calendar.get(key)
    for first, change in sorted(calendar.get("from", {}).items()):
        if date.fromisoformat(first) <= day and key in change:
            value = change[key]
    return value or ()


def _unusual(calendar: dict[str, Any], day: date) -> str | None:
    if day.isoformat() in calendar.get("days", {}):
        return "special day"
    holidays = _key(calendar, "holidays", day)
    return "holiday" if day.isoformat() in holidays or day.isoformat()[5:] in holidays else None


def _hours(calendar: dict[str, Any], day: date) -> Any:
    unusual = _unusual(calendar, day)
    if unusual is None:
        return _week(calendar, day)
    return calendar["days"][day.isoformat()] if unusual == "special day" else []


def _week(calendar: dict[str, Any], day: date) -> Any:
    return (_key(calendar, "week", day) or {}).get(WEEKDAYS[day.weekday()], [])


@dataclass
class SlowClock:
    """One metric, one cycle: a label for every step since it started."""

    metric: str
    cycle: int
    calendar: str
    labels: list[Label] = field(default_factory=list)
    ended: int | None = None


class SlowDesk:
    """The seven clocks of one ticket; `happen` an event, then `tick` a step. Times are steps since it opened."""

    def __init__(self, calendars: dict[str, str], pause_on: dict[str, list[str]], goes_on: bool) -> None:
        self.calendars, self.pause_on, self.goes_on = calendars, pause_on, goes_on
        self.priority, self.phase = "normal", "queued"
        self.responded = self.resolved = False
        self.unanswered = True
        self.clocks: dict[str, list[SlowClock]] = {}

    def tick(self, says: dict[str, Label]) -> None:
        """A step passes, of which each calendar says this."""
        for cycles in self.clocks.values():
            clock = cycles[-1]
            if clock.ended is None:
                still = self.phase in (*STANDS_STILL.get(clock.metric, ()), *self.pause_on.get(clock.metric, ()))
                clock.labels.append((WORDS[self.phase], None) if still else says[clock.calendar])

    def happen(self, what: str, step: int) -> None:
        getattr(self, what)(step)

    def running(self, metric: str) -> SlowClock | None:
        cycles = self.clocks.get(metric)
        return cycles[-1] if cycles and cycles[-1].ended is None else None

    def start(self, metric: str) -> None:
        cycles = self.clocks.setdefault(metric, [])
        cycles.append(SlowClock(metric, len(cycles) + 1, self.calendars[self.priority]))

    def start_unless_running(self, metric: str) -> None:
        if self.running(metric) is None:
            self.start(metric)

    def end(self, metric: str, step: int) -> None:
        clock = self.running(metric)
        if clock is not None:
            clock.ended = step

    def opened(self, step: int) -> None:
        for metric in ("resolution", "requester_wait", "first_response", "assignment"):
            self.start(metric)

    def wrote(self, step: int) -> None:
        self.unanswered = True
        self.start_unless_running("next_response" if self.responded else "first_response")

    def answered(self, step: int) -> None:
        for metric in ("first_response", "next_response", "update"):
            self.end(metric, step)
        self.responded, self.unanswered = True, False
        self.start("update")

    def bot_answered(self, step: int) -> None:
        """Nothing: a bot is nobody."""

    def assigned(self, step: int) -> None:
        self.end("assignment", step)
        self.phase = "assigned"
        self.start_unless_running("agent_work")

    def queued(self, step: int) -> None:
        self.phase = "queued"
        self.start_unless_running("assignment")

    def _put_off(self, phase: str, step: int) -> None:
        self.end("assignment", step)
        self.phase = phase

    def pended(self, step: int) -> None:
        self._put_off("customer", step)

    def waits_on_others(self, step: int) -> None:
        self._put_off("third_party", step)

    def snoozed(self, step: int) -> None:
        self._put_off("snoozed", step)

    def _labelled(self, priority: str) -> None:
        self.priority = priority
        for metric in self.clocks:
            clock = self.running(metric)
            if clock is not None:
                clock.calendar = self.calendars[priority]

    def urgent(self, step: int) -> None:
        self._labelled("urgent")

    def normal(self, step: int) -> None:
        self._labelled("normal")

    def resolved_solved(self, step: int) -> None:
        for metric in self.clocks:
            self.end(metric, step)
        self.resolved = True

    resolved_spam = resolved_solved

    def reopened(self, step: int) -> None:
        self.resolved = False
        asked_again = ["update"] if self.responded else []
        if self.responded and self.unanswered:
            asked_again.append("next_response")
        for metric in ("resolution", "requester_wait", "agent_work", *asked_again):
            if self.goes_on and metric in self.clocks:
                clock = self.clocks[metric][-1]
                clock.labels += [("resolved", None)] * (step - (clock.ended or 0))
                clock.ended = None
            elif metric != "agent_work":
                self.start(metric)
        if not self.responded:
            self.start("first_response")
        self.queued(step)
