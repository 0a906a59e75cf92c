"""Escalation ladders: what a policy does when a clock of it warns or breaches, step after step.

A step `on` a warning or a breach begins a branch; the `after_seconds` steps below it, up to the next `on`, follow it in
calendar seconds. Each step is carried out once per clock and cycle, as the ladder stood when the clock started.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pointsman.contracts.shapes import Metric, Severity

Relax = Literal["all", "language"]

LAST_WAIT_SECONDS = 300
"""How long a ladder whose last step is an `on` step waits for an acknowledgement before it has ended without one."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. `notify` is told during the calendar `during`, outside it `otherwise` is (or `notify` at the
    next opening)."""

    boost: int = 0
    relax: Relax | None = None
    overflow: str | None = None
    notify: str | None = None
    during: str | None = None
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`on` or `after_seconds`; `at` is the share of a warning, None the clock's first. Empty `metrics` are all."""

    on: Severity | None
    at: float | None
    after_seconds: int
    metrics: frozenset[str]
    unless_acknowledged: bool
    actions: tuple[Action, ...]
    every_seconds: int | None
    times_max: int

    def concerns(self, metric: Metric) -> bool:
        """Whether it is carried out for clocks of this metric."""
        return not self.metrics or metric in self.metrics


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps in their order."""

    name: str
    steps: tuple[Step, ...]

    def begun_by(self, metric: Metric, severity: Severity, point: str, first: bool) -> Iterator[int]:
        """The places of the steps that this point of a clock begins; `first` tells that it is its first warning."""
        for place, step in enumerate(self.steps):
            if step.on != severity or not step.concerns(metric):
                continue
            if severity == "breach" or (first if step.at is None else point == share_step(step.at)):
                yield place

    def followed_by(self, place: int, metric: Metric) -> Iterator[int]:
        """The places of the steps that follow an `on` step."""
        for later in range(place + 1, len(self.steps)):
            step = self.steps[later]
            if step.on is not None:
                return
            if step.concerns(metric):
                yield later

    def last(self, metric: Metric) -> int | None:
        """The place of the step with which the ladder ends for this metric, if somebody is ever notified on the way."""
        places: list[int] = []
        for begins, step in enumerate(self.steps):
            if step.on is not None and step.concerns(metric):
                places += (begins, *self.followed_by(begins, metric))
        notifies = any(action.notify for place in places for action in self.steps[place].actions)
        return places[-1] if notifies else None

    def wait_seconds(self, place: int) -> int:
        """How long the last step waits for an acknowledgement: until it would be repeated once more, else as long as it
        waited itself."""
        step, above = self.steps[place], self.steps[place - 1]
        if step.every_seconds is not None:
            return step.every_seconds
        if step.on is not None:
            return LAST_WAIT_SECONDS
        return max(1, step.after_seconds - (above.after_seconds if above.on is None else 0))

    def shares(self) -> Iterator[tuple[float, frozenset[str]]]:
        """The shares of the target at which a step begins, with its metrics: points of the clock."""
        for step in self.steps:
            if step.at is not None:
                yield step.at, step.metrics


def share_step(share: float) -> str:
    """The name of the point at a share of the target."""
    return f"share:{share:g}"


def read_ladder(name: str, raw: Sequence[Mapping[str, Any]]) -> Ladder:
    """The ladder of a workspace document that the desk has validated."""
    return Ladder(name, tuple(_read_step(each) for each in raw))


def _read_step(raw: Mapping[str, Any]) -> Step:
    on, at = raw.get("on"), raw.get("at")
    if at is not None and at >= 1:
        on, at = "breach", None  # the whole target is the breach
    metrics = raw.get("metrics") or ()
    repeat = raw.get("repeat") or {}
    return Step(
        on=on,
        at=at,
        after_seconds=int(raw.get("after_seconds") or 0),
        metrics=frozenset((metrics,) if isinstance(metrics, str) else metrics),
        unless_acknowledged=raw.get("unless") == "acknowledged",
        actions=tuple(
            Action(**{key: value for key, value in each.items() if value is not None}) for each in raw.get("do") or ()
        ),
        every_seconds=repeat.get("every_seconds"),
        times_max=int(repeat.get("times_max") or 4) if repeat else 0,
    )
