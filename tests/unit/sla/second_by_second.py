"""The seven clocks of a ticket counted second by second from what happened: the domain's tables, and nothing else.

A reference for tests, as slow and as plain as can be: no spans, no prefix sums, no timers. Seconds count from the
opening of the desk (Monday 09:00). What happens at a second happens before the second passes, and a reply that was
written elsewhere happens when it was written. What would come at the very end (`until`) has not come.
"""

from dataclasses import dataclass, field
from typing import Any

METRICS = ("first_response", "next_response", "update", "resolution", "requester_wait", "agent_work", "assignment")
OUTCOMES = ("solved", "no_reply_needed", "spam", "duplicate", "abandoned")
RESPONSES = ("first_response", "next_response")
WORDS = {
    "queued": "waiting for an agent",
    "customer": "pending on the customer",
    "third_party": "pending on a third party",
    "snoozed": "snoozed",
    "resolved": "resolved",
}
ALWAYS_STILL = {
    "update": ("customer",),
    "requester_wait": ("customer",),
    "agent_work": ("queued", "customer", "third_party", "snoozed"),
}


@dataclass
class Promise:
    """A policy: `warns` gives the amounts of a target at which to warn, by step."""

    name: str
    calendar: str
    targets: dict[str, dict[str, int]]
    shares: tuple[float, ...] = ()
    leads: tuple[int, ...] = ()
    pause_on: dict[str, tuple[str, ...]] = field(default_factory=dict)
    goes_on: bool = True

    def target(self, metric: str, priority: str) -> int | None:
        by_priority = self.targets.get(metric, {})
        return by_priority.get(priority, by_priority.get("default"))

    def warns(self, target: int) -> dict[str, int]:
        amounts = {f"share:{share:g}": round(share * target) for share in self.shares}
        amounts |= {f"lead:{lead}": target - lead for lead in self.leads}
        return {step: amount for step, amount in amounts.items() if 0 < amount < target}

    def still(self, metric: str, phase: str) -> str | None:
        if phase == "resolved" or phase in (*ALWAYS_STILL.get(metric, ()), *self.pause_on.get(metric, ())):
            return WORDS[phase]
        return None


@dataclass
class Counted:
    """One metric, one cycle. `reached[n]` is the second at which `n` seconds had been counted."""

    metric: str
    cycle: int
    promise: Promise
    target: int
    started: int
    counted: int = 0
    reached: list[int] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)
    warned: set[str] = field(default_factory=set)
    breached: int | None = None
    retargeted: bool = False
    ended: int | None = None
    how: str = "running"
    reason: str | None = None


class Reference:
    """See the module. `happen` what happens at a second, then `pass_second`."""

    def __init__(self, promises: list[Promise], opens: dict[str, list[bool]], until: int) -> None:
        self.promises, self.opens, self.until = promises, opens, until
        self.clocks: dict[str, list[Counted]] = {}
        self.priority, self.queue = "normal", "general"
        self.tags: tuple[str, ...] = ()
        self.opened_at = 0
        self.phase = "queued"
        self.history: list[str] = []
        self.since: list[tuple[int, str]] = []
        self.unanswered: list[int] = []
        self.shelved: list[int] = []
        self.customer_wrote = self.responded = False
        self.answered_at: int | None = None

    # -- one second --------------------------------------------------------------------------------------------------

    def pass_second(self, second: int) -> None:
        self.history.append(self.phase)
        for cycles in self.clocks.values():
            if cycles[-1].ended is None:
                self.count(cycles[-1], second, self.phase)

    def count(self, clock: Counted, second: int, phase: str, silent: bool = False) -> None:
        """[second, second + 1) passes in a phase. `silent`: it passed before the clock was looked at."""
        if clock.promise.still(clock.metric, phase) is not None:
            return
        opens = self.opens[clock.promise.calendar][second]
        over = clock.counted > clock.target or (clock.counted == clock.target and opens)
        if clock.breached is None and not silent and over:
            clock.breached = second
        if opens:
            clock.counted += 1
            clock.reached.append(second + 1)
            amounts = clock.promise.warns(clock.target)
            if clock.breached is None and not silent and second + 1 < self.until:
                clock.warned |= {step for step in clock.pending if amounts[step] == clock.counted}

    # -- clocks --------------------------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        return self.phase != "resolved"

    @property
    def promise(self) -> Promise | None:
        for promise in self.promises:
            if promise.name == "vip" and "vip" not in self.tags:
                continue
            if promise.name == "fast" and self.queue != "fast":
                continue
            return promise
        return None

    def alive(self, metric: str) -> Counted | None:
        cycles = self.clocks.get(metric)
        return cycles[-1] if cycles and cycles[-1].ended is None else None

    def start(self, metric: str, since: int, now: int, retargeted: bool = False, learned: bool = False) -> None:
        """`learned`: only now is it known to run since then, so that nothing can have come before."""
        promise = self.promise
        target = promise.target(metric, self.priority) if promise else None
        if promise is None or target is None:
            return
        cycles = self.clocks.setdefault(metric, [])
        clock = Counted(metric, len(cycles) + 1, promise, target, since, reached=[since])
        clock.retargeted = retargeted
        cycles.append(clock)
        clock.pending = set(promise.warns(target))
        silent = retargeted or learned or promise.still(metric, self.phase) is not None
        for second in range(since, now):
            phase = self.history[second - self.opened_at] if second >= self.opened_at else "queued"
            self.count(clock, second, phase, silent)
        if silent:
            self.look_again(clock, now)
        self.say_why(clock)

    def look_again(self, clock: Counted, now: int) -> None:
        """Which warnings are still to come at `now`: of those passed only the latest, if it was not given."""
        amounts = clock.promise.warns(clock.target)
        passed = [(clock.reached[amount], step) for step, amount in amounts.items()
                  if amount < len(clock.reached) and clock.reached[amount] < now]  # fmt: skip
        clock.pending = set(amounts) - {step for _, step in passed} - clock.warned
        if clock.breached is not None or clock.promise.still(clock.metric, self.phase) is not None:
            return
        if clock.counted <= clock.target:
            latest = max(passed, default=None)
            just = {step for step, amount in amounts.items() if amount < len(clock.reached)} & clock.pending
            clock.warned |= just | ({latest[1]} if latest else set())

    def say_why(self, clock: Counted) -> None:
        if clock.ended is None:
            clock.reason = clock.promise.still(clock.metric, self.phase)

    def end(self, metric: str, at: int, how: str, reason: str | None = None) -> None:
        clock = self.alive(metric)
        if clock is not None and clock.started <= at:
            clock.ended, clock.how, clock.reason = at, how, reason

    def enter(self, phase: str, now: int) -> None:
        before, self.phase = self.phase, phase
        if before != phase:
            self.since.append((now, phase))
        for metric in METRICS:
            clock = self.alive(metric)
            if clock is not None:
                was = clock.reason
                self.say_why(clock)
                if was is not None and clock.reason is None:
                    self.look_again(clock, now)

    def relabel(self, now: int) -> None:
        """A field on which policies match changed."""
        promise = self.promise
        if self.open:
            for metric in METRICS:
                clock = self.alive(metric)
                if clock is not None:
                    self.retarget(clock, promise, now)
            for metric in METRICS:
                since = self.would_run_since(metric)
                if since is not None:
                    self.start(metric, since, now, retargeted=since < now)

    def retarget(self, clock: Counted, promise: Promise | None, now: int) -> None:
        target = promise.target(clock.metric, self.priority) if promise else None
        if promise is None or target is None:
            self.end(clock.metric, now, "cancelled", "no_target")
        elif clock.breached is None and (promise.name, target) != (clock.promise.name, clock.target):
            clock.promise, clock.target, clock.retargeted = promise, target, True
            self.say_why(clock)
            self.look_again(clock, now)

    def would_run_since(self, metric: str) -> int | None:
        cycles = self.clocks.get(metric)
        if cycles and cycles[-1].reason != "no_target":
            return None
        if metric in RESPONSES:
            due = self.unanswered and self.responded == (metric == "next_response")
            return self.unanswered[0] if due else None
        if metric in ("resolution", "requester_wait"):
            return self.opened_at
        if metric == "update":
            return self.answered_at
        if metric == "agent_work":
            return next((since for since, phase in self.since if phase == "assigned"), None)
        return self.since[-1][0] if self.phase == "queued" else None

    # -- what happens --------------------------------------------------------------------------------------------------

    def happen(self, what: str, now: int, **more: Any) -> None:
        getattr(self, what)(now, **more)

    def opened(self, now: int, by: str | int = "customer") -> None:
        """`by` is who began it, or since when a message that was split off is unanswered."""
        self.opened_at = now
        self.since.append((now, "queued"))
        self.start("resolution", now, now)
        self.start("requester_wait", now, now)
        if by == "customer":
            self.wrote(now)
        elif isinstance(by, int):
            self.unanswered, self.customer_wrote = [by], True
            self.await_response(by, now, learned=True)
        self.start("assignment", now, now)

    def wrote(self, now: int) -> None:
        self.unanswered.append(now)
        self.shelved.clear()
        self.customer_wrote = True
        if self.open:
            self.await_response(now, now)

    def await_response(self, since: int, now: int, learned: bool = False) -> None:
        metric = "next_response" if self.responded else "first_response"
        if self.alive(metric) is None:
            self.start(metric, since, now, learned=learned)

    def bot_answered(self, now: int) -> None:
        """Nothing: a bot is nobody."""

    def answered(self, now: int) -> None:
        for metric in ("first_response", "next_response", "update"):
            self.end(metric, now, "met")
        self.unanswered.clear()
        self.responded = self.responded or self.customer_wrote
        self.answered_at = now
        if self.open and self.alive("update") is None:
            self.start("update", now, now)

    def assigned(self, now: int) -> None:
        self.end("assignment", now, "met")
        self.enter("assigned", now)
        cycles = self.clocks.get("agent_work")
        if not cycles or (cycles[-1].ended is not None and cycles[-1].reason != "no_target"):
            self.start("agent_work", now, now)

    def queued(self, now: int) -> None:
        self.enter("queued", now)
        if self.alive("assignment") is None:
            self.start("assignment", now, now)

    def to_queue(self, now: int, queue: str) -> None:
        changed, self.queue = self.queue != queue, queue
        if changed:
            self.relabel(now)
        self.queued(now)

    def put_off(self, now: int, phase: str) -> None:
        self.end("assignment", now, "cancelled", phase)
        self.enter(phase, now)

    def labelled(self, now: int, priority: str, tags: tuple[str, ...]) -> None:
        changed = (self.priority, self.tags) != (priority, tags)
        self.priority, self.tags = priority, tags
        if changed:
            self.relabel(now)

    def resolved(self, now: int, outcome: str) -> None:
        for metric in METRICS:
            kept = metric in ("requester_wait", "agent_work") or (metric == "resolution" and outcome == "solved")
            self.end(metric, now, "met" if kept else "cancelled", None if kept else outcome)
        self.enter("resolved", now)
        self.unanswered, self.shelved = [], self.unanswered

    def reopened(self, now: int) -> None:
        self.phase = "queued"
        self.since.append((now, "queued"))
        promise = self.promise
        for metric in ("resolution", "requester_wait", "agent_work"):
            cycles = self.clocks.get(metric)
            if cycles and cycles[-1].reason != "no_target" and (promise is None or promise.goes_on):
                self.resume(cycles[-1], now)
            elif metric != "agent_work":
                self.start(metric, now, now)
        if self.unanswered:
            self.await_response(self.unanswered[0], now)
        else:
            self.unanswered, self.shelved = self.shelved, []
            if not self.responded and self.customer_wrote:
                self.await_response(now, now)
            elif self.unanswered:
                self.ask_again("next_response", self.unanswered[0], now)
            if self.answered_at is not None:
                self.ask_again("update", self.answered_at, now)
        self.queued(now)

    def resume(self, clock: Counted, now: int) -> None:
        clock.ended, clock.how = None, "running"
        self.say_why(clock)
        self.look_again(clock, now)
        self.retarget(clock, self.promise, now)

    def ask_again(self, metric: str, since: int, now: int) -> None:
        """Without a new message what was due when it was resolved is due again."""
        cycles = self.clocks.get(metric)
        if cycles and (cycles[-1].ended is None or cycles[-1].reason not in OUTCOMES):
            return
        if self.promise is not None and not self.promise.goes_on:
            self.start(metric, now, now)
        elif cycles:
            self.resume(cycles[-1], now)
        else:
            self.start(metric, since, now, learned=True)

    def merged(self, now: int, since: int) -> None:
        self.unanswered = sorted([*self.unanswered, since])
        self.customer_wrote = True
        if self.open:
            self.respond_since(self.unanswered[0], now, "merged")

    def split(self, now: int, since: int | None) -> None:
        self.unanswered = [] if since is None else [one for one in self.unanswered if one >= since] or [since]
        clock = self.alive("next_response" if self.responded else "first_response")
        if clock is not None and (since is None or since > clock.started):
            self.respond_since(since, now, "split")

    def respond_since(self, since: int | None, now: int, reason: str) -> None:
        """In a merge a miss that happened goes over: the customer was failed once."""
        metric = "next_response" if self.responded else "first_response"
        clock = self.alive(metric)
        missed = None
        if clock is not None and clock.started != since:
            self.end(metric, now, "cancelled", reason)
            missed = clock if reason == "merged" and clock.breached is not None else None
            clock = None
        if clock is None and since is not None:
            self.start(metric, since, now, learned=True)
        after = self.alive(metric)
        if after is not None and missed is not None:
            after.breached, after.warned, after.pending = missed.breached, set(missed.warned), set()

    def closed(self, now: int, merged: bool) -> None:
        for metric in METRICS:
            self.end(metric, now, "cancelled", "merged" if merged else "closed")
        self.phase = "resolved"
