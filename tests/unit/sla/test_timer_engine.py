"""The timer engine as a state machine: whatever fires, is taken back, crashes and is read again, every clock that
should breach does so once and never early, and no other stays breached."""

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pointsman.contracts.workspace import ConfigApplied
from pointsman.core.cause import RecordCause, TimerCause
from pointsman.core.journal import Journal
from pointsman_sla.alerts.book import AlertBook
from pointsman_sla.alerts.model import Alert
from pointsman_sla.clocks.model import Ticket
from pointsman_sla.clocks.policy import part_of, read_book
from pointsman_sla.micros import micros
from pointsman_sla.near_timers import Near, NearTimer
from pointsman_sla.state import Placed, SlaState
from pointsman_sla.worker import SlaLane
from tests.unit.sla.builders import ANNA, a_document, a_policy, answered, minute, minutes_of, opened, pended, woken

NEAR_MINUTES = 5
TICKETS = 6
TARGETS = {"urgent": 630, "high": 1230, "normal": 3630, "low": 7230}
"""Seconds; half a minute beside every instant at which something is told, so that nothing is in time by a hair."""


class TimerEngine(RuleBasedStateMachine):
    """The tables are dictionaries that only a commit changes; memory is lost in a crash. Time is in minutes.

    The model: of each ticket how long its clock has run until when, and whether it was answered.
    """

    @initialize()
    def install(self) -> None:
        policy = a_policy(
            calendar=None,
            targets={"first_response": TARGETS},
            warn={"shares": [0.5]},
            pause_on={"first_response": ["customer"]},
        )
        self.logic = SlaLane()
        self.part = part_of(a_document(policy))
        self.tickets: dict[str, Ticket] = {}
        self.clocks: dict[str, Placed] = {}
        self.alerts: dict[str, tuple[Alert, int]] = {}
        self.facts: list[Any] = []
        self.now = 0.0
        self.number = 0
        self.model: dict[str, dict[str, Any]] = {}
        self.load()
        self.commit(self.record("config", ConfigApplied(config_version=1, document=a_document(policy), author=ANNA,
                                                        applied_at=minute(0))))  # fmt: skip

    # -- what the runtime and the tables do ----------------------------------------------------------------------------

    def load(self) -> None:
        """Takes the lane: memory is empty but for what the tables have."""
        journal = Journal()
        self.state = SlaState(journal, 0, minute(self.now), Near(journal, (0, "")), AlertBook(journal))
        self.state.books["acme", 1] = read_book(1, self.part)
        self.state.tickets.update(self.tickets)
        for alert, count in self.alerts.values():
            if alert.state != "resolved":
                self.state.alerts.load(alert, count)
        self.refresh()

    @rule()
    def refresh(self) -> None:
        near, horizon = self.state.near, (micros(minute(self.now + NEAR_MINUTES)), "\x7f")
        for placed in self.clocks.values():
            if placed.clock.next_point is not None:
                timer = NearTimer(placed.ticket_id, placed.workspace, None, placed.clock)
                if near.read_to < timer.place <= horizon:
                    near.load(timer)
        near.read_to = max(near.read_to, horizon)

    def record(self, subject: str, *bodies: Any) -> RecordCause:
        self.number += 1
        return RecordCause(f"evt_{self.number}", "desk", "acme", subject, minute(self.now), bodies)

    def decide(self, *causes: RecordCause | TimerCause) -> list[Any]:
        decisions = [self.logic.decide(self.state, cause, minute(self.now)) for cause in causes]
        return [fact for decision in decisions for emission in decision.emissions for fact in emission.facts]

    def commit(self, *causes: RecordCause | TimerCause) -> None:
        self.facts += self.decide(*causes)
        self.tickets.update(self.state.changed_tickets)
        self.clocks.update(self.state.changed_clocks)
        for id, clock in self.state.fired_clocks.items():
            self.clocks[id] = replace(self.clocks[id], clock=clock)
        for id, ticket in self.tickets.items():
            kept = {m: self.clocks[c.id].clock if c.id in self.clocks else c for m, c in ticket.clocks.items()}
            self.tickets[id] = replace(ticket, clocks=kept)
        for alert in self.state.alerts.changed.values():
            self.alerts[alert.id] = (alert, self.state.alerts.counts.get(alert.id, 0))
        self.logic.committed(self.state)
        self.state.journal.forget()

    def due(self) -> list[TimerCause]:
        causes: list[TimerCause] = []
        for kind in self.logic.earliest(self.state):
            causes += self.logic.due(self.state, kind, minute(self.now), 1000)
        return sorted(causes, key=lambda cause: cause.due)

    # -- what happens --------------------------------------------------------------------------------------------------

    @rule(minutes=st.integers(1, 45), refreshes=st.booleans())
    def time_passes(self, minutes: int, refreshes: bool) -> None:
        self.now += minutes
        if refreshes:
            self.refresh()
        while causes := self.due():
            self.commit(*causes[:3])

    @rule()
    def a_batch_is_rolled_back(self) -> None:
        self.decide(*self.due())
        self.state.journal.undo()

    @rule()
    def the_worker_is_killed(self) -> None:
        self.decide(*self.due())
        self.load()

    @rule(number=st.integers(0, TICKETS - 1), priority=st.sampled_from(sorted(TARGETS)))
    def a_ticket_opens(self, number: int, priority: str) -> None:
        id = f"tkt_{number}"
        if id not in self.model:
            self.model[id] = {"target": TARGETS[priority] / 60, "ran": 0.0, "since": self.now, "breached": None}
            self.about(id, *opened(self.now, ticket=id, priority=priority))

    @rule(number=st.integers(0, TICKETS - 1))
    def it_is_answered(self, number: int) -> None:
        if model := self.settled(number):
            model["answered"], model["since"] = True, None
            self.about(f"tkt_{number}", answered(self.now).model_copy(update={"ticket_id": f"tkt_{number}"}))

    @rule(number=st.integers(0, TICKETS - 1))
    def it_pends(self, number: int) -> None:
        if (model := self.settled(number)) and model["since"] is not None:
            model["since"] = None
            self.about(f"tkt_{number}", pended().model_copy(update={"ticket_id": f"tkt_{number}"}))

    @rule(number=st.integers(0, TICKETS - 1))
    def it_wakes(self, number: int) -> None:
        if (model := self.settled(number)) and model["since"] is None:
            model["since"] = self.now
            self.about(f"tkt_{number}", woken().model_copy(update={"ticket_id": f"tkt_{number}"}))

    def settled(self, number: int) -> dict[str, Any] | None:
        """The model of an unanswered ticket, up to now."""
        model = self.model.get(f"tkt_{number}")
        if model is None or model.get("answered"):
            return None
        self.run_model(model)
        if model["since"] is not None:
            model["ran"], model["since"] = model["ran"] + self.now - model["since"], self.now
        return model

    def run_model(self, model: dict[str, Any]) -> None:
        if model["since"] is not None and model["breached"] is None:
            at = model["since"] + model["target"] - model["ran"]
            if at < self.now:
                model["breached"] = at

    def about(self, id: str, *bodies: Any) -> None:
        """The record is read after every timer that comes before it, as the runtime sees to."""
        self.refresh()
        while causes := [cause for cause in self.due() if cause.due < minute(self.now)]:
            self.commit(*causes)
        self.commit(self.record(id, *bodies))

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def breaches_are_those_of_the_model_once_and_never_early(self) -> None:
        told: dict[str, Any] = {}
        for fact in self.facts:
            if fact.type == "clock.breached":
                assert fact.ticket_id not in told, "a clock breaches once"
                assert fact.fired_at >= fact.breach_at, "never early"
                told[fact.ticket_id] = minutes_of(micros(fact.breach_at))
            assert fact.type != "clock.corrected", "nothing came late here"
        for id, model in getattr(self, "model", {}).items():
            self.run_model(model)
            if model["breached"] is not None and id in told:
                assert told[id] == model["breached"]
            elif id in told:
                raise AssertionError(f"{id} should not have breached")

    @invariant()
    def what_is_due_and_was_read_on_has_fired(self) -> None:
        if not hasattr(self, "model"):
            return
        self.refresh()
        while causes := self.due():
            self.commit(*causes)
        told = {fact.ticket_id for fact in self.facts if fact.type == "clock.breached"}
        assert told >= {id for id, model in self.model.items() if model["breached"] is not None}


TimerEngine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestTimerEngine = TimerEngine.TestCase
