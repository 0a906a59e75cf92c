"""`bench calendar`: microseconds per `due` and per `elapsed` over ten years of a calendar with holidays, beside the
libraries for business hours that are installed (`make bench-libraries`), with the same questions in one run.

Each library gets the same week, zone and holidays and a due time ten working days ahead; `elapsed` asks back. Between
our figures and theirs stands that ours are on integers of microseconds, as everything inside sla is, and theirs on
`datetime`. `business-duration` knows one span a day and no due time: it has 09:00–18:00. What a question of ten years
costs is `elapsed_ten_years_us`.
"""

import importlib
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from datetime import time as clock_time
from types import ModuleType
from typing import Any

from pointsman.cli.bench.servers import Bench
from pointsman.cli.output import say
from pointsman.contracts.document.public_holidays import public_holidays
from pointsman.core.zones import zone_of
from pointsman_sla.calendar import Calendar, compile_calendar
from pointsman_sla.micros import MICROS

ZONE = "Europe/Rome"
FIRST_YEAR, LAST_YEAR = 2021, 2030
CALENDAR = {
    "tz": ZONE,
    "week": {day: [["09:00", "13:00"], ["14:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": ["01-01", "01-06", "04-25", "05-01", "06-02", "08-15", "11-01", "12-08", "12-25", "12-26"],
}
AMOUNT_SECONDS = 80 * 3600
QUESTIONS = 20_000
"""To us; a library gets as many of the first of them as take it a second or so."""

Figures = dict[str, list[float]]
Question = tuple[datetime, datetime]
"""The start, and when `AMOUNT_SECONDS` of business time from it on have elapsed."""


async def calendar(bench: Bench) -> Figures:
    """The figures of our calendars, then those of each library that is installed."""
    holidays = public_holidays("IT", None, range(FIRST_YEAR, LAST_YEAR + 1))
    ours = compile_calendar({**CALENDAR, "holidays": holidays})
    chance = random.Random(bench.seed)
    first, last = _at(FIRST_YEAR), _at(LAST_YEAR)
    starts = [chance.randrange(first, last) for _ in range(QUESTIONS)]
    samples = _measured(_own(ours, starts, last), bench.runs)
    zone = zone_of(ZONE)
    asked = [
        (datetime.fromtimestamp(at / MICROS, zone), datetime.fromtimestamp(ours.due(at, _AMOUNT) / MICROS, zone))
        for at in starts[:1_000]
    ]
    days = [date.fromisoformat(day) for day in holidays]
    for name, (module, ask) in LIBRARIES.items():
        try:
            found = importlib.import_module(module)
        except ImportError:
            say(f"{name} is not installed: `make bench-libraries` installs what we are compared with.")
            continue
        samples |= _measured(ask(found, days, asked), bench.runs)
    return samples


_AMOUNT = AMOUNT_SECONDS * MICROS


def _at(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * MICROS


Asked = dict[str, tuple[Callable[..., Any], Sequence[tuple[Any, ...]]]]
"""Figure → what is called, and with what each time."""


def _own(ours: Calendar, starts: list[int], last: int) -> Asked:
    ours.elapsed(_at(FIRST_YEAR), last)
    return {
        "due_us": (ours.fall_due, [(at, _AMOUNT) for at in starts]),
        "elapsed_us": (ours.elapsed, [(at, ours.due(at, _AMOUNT)) for at in starts]),
        "elapsed_ten_years_us": (ours.elapsed, [(_at(FIRST_YEAR) + step, last - step) for step in range(QUESTIONS)]),
    }


def _workclock(found: ModuleType, days: list[date], asked: list[Question]) -> Asked:
    spans = ((clock_time(9), clock_time(13)), (clock_time(14), clock_time(18)))
    rules = [*(found.WorkDay(*span) for span in spans), found.Holidays(days)]
    schedule = found.Schedule(rules, time_zone=ZONE)
    return {
        "workclock_due_us": (
            lambda start: schedule.add(start, seconds=AMOUNT_SECONDS),
            [(start,) for start, _ in asked],
        ),
        "workclock_elapsed_us": (schedule.between, asked),
    }


def _businesstimedelta(found: ModuleType, days: list[date], asked: list[Question]) -> Asked:
    zone = importlib.import_module("pytz").timezone(ZONE)
    open_ = found.WorkDayRule(start_time=clock_time(9), end_time=clock_time(18), tz=zone)
    lunch = found.LunchTimeRule(start_time=clock_time(13), end_time=clock_time(14), tz=zone)
    rules = found.Rules([open_, lunch, found.HolidayRule(days, tz=zone)])
    amount = found.BusinessTimeDelta(rules, seconds=AMOUNT_SECONDS)
    few = asked[:100]
    return {
        "businesstimedelta_due_us": (lambda start: start + amount, [(start,) for start, _ in few]),
        "businesstimedelta_elapsed_us": (rules.difference, few),
    }


def _business_duration(found: ModuleType, days: list[date], asked: list[Question]) -> Asked:
    def between(start: datetime, end: datetime) -> Any:
        return found.businessDuration(start, end, clock_time(9), clock_time(18), holidaylist=days, unit="sec")

    walls = [(start.replace(tzinfo=None), end.replace(tzinfo=None)) for start, end in asked[:500]]
    return {"business_duration_elapsed_us": (between, walls)}


LIBRARIES: dict[str, tuple[str, Callable[[ModuleType, list[date], list[Question]], Asked]]] = {
    "workclock": ("workclock", _workclock),
    "businesstimedelta": ("businesstimedelta", _businesstimedelta),
    "business-duration": ("business_duration", _business_duration),
}


def _measured(asked: Asked, runs: int) -> Figures:
    """Microseconds per call, a sample a run; the first run is the warm-up."""
    return {name: [_once(*question) for _ in range(runs + 1)][1:] for name, question in asked.items()}


def _once(ask: Callable[..., Any], questions: Sequence[tuple[Any, ...]]) -> float:
    began = time.perf_counter()
    for question in questions:
        ask(*question)
    return (time.perf_counter() - began) / len(questions) * 1e6
