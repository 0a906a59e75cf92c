"""When an amount of business time is used up over stretches that count, each in its own calendar."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pointsman_sla.calendar.compiled import Calendar, union

Pauses = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time that counts in a calendar from `start` until `end`; None while it goes on."""

    calendar: Calendar
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Deadline:
    """When time runs out: `due_at` is shown, `breach_at` fires (the boundary rule)."""

    due_at: int
    breach_at: int


def reach(stretches: Iterable[Stretch], amount: int) -> Deadline | None:
    """When `amount` ≥ 0 has elapsed over the stretches (in order), or None when they end before it has, or end exactly
    with it: nothing that counts comes after, so nothing is overrun."""
    due_at: int | None = None
    left = amount
    for stretch in stretches:
        if stretch.end is not None:
            worked = stretch.calendar.elapsed(stretch.start, stretch.end)
            if worked < left:
                left -= worked
                continue
        due, breach = stretch.calendar.fall_due(stretch.start, left)
        if due_at is None:
            due_at = due
        if stretch.end is None or breach < stretch.end:
            return Deadline(due_at, breach)
        left = 0
    return None


def due(calendar: Calendar, start: int, amount: int, pauses: Pauses = ()) -> Deadline:
    """When `amount` of business time has run since `start`, the pauses left out."""
    stretches, at = [], start
    for low, high in union(pauses):
        if high > at:
            stretches.append(Stretch(calendar, at, max(at, low)))
            at = high
    answer = reach([*stretches, Stretch(calendar, at, None)], amount)
    assert answer is not None  # the last stretch is open
    return answer


def subtract(calendar: Calendar, end: int, amount: int, pauses: Pauses = ()) -> int:
    """The latest instant from which `amount` of business time runs until `end`, the pauses left out. Raises
    `OutOfReach`."""
    at, left = end, amount
    for low, high in reversed(union(pauses)):
        if low >= at:
            continue
        worked = calendar.elapsed(high, at)
        if worked >= left > 0:
            break
        left, at = left - worked, low
    return calendar.subtract(at, left) if amount else end


def elapsed(calendar: Calendar, start: int, end: int, pauses: Pauses = ()) -> int:
    """Business time between the two, the pauses left out."""
    return calendar.elapsed(start, end) - calendar.overlap(start, end, pauses)
