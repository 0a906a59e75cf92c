"""What a course over one ticket leaves in the lane's state, and what others hear of it."""

from collections.abc import Mapping

from pointsman.core.decision import Emission
from pointsman.core.instant import Instant
from pointsman_sla.clocks.course import Course
from pointsman_sla.clocks.model import Clock, Ticket
from pointsman_sla.near_timers import NearTimer
from pointsman_sla.rules import alerting
from pointsman_sla.rules.ladder_run import Climb
from pointsman_sla.state import Placed, SlaState


def conclude(state: SlaState, course: Course, before: Ticket | None, at: Instant, now: Instant) -> tuple[Emission, ...]:
    """Keeps the ticket and its changed clocks, arms their timers, moves them between alerts. The emissions: the
    course's facts, of `at`, then those of alerts. Nothing when the course changed nothing."""
    alert_facts = alerting.move(state, course, before, now)
    alert_facts += _begin_ladders(state, course, now)
    ticket = course.finished()
    if ticket is before:
        return ()
    state.keep_ticket(ticket)
    for clock in course.changed.values():
        state.keep_clock(Placed(ticket.id, ticket.workspace, clock))
        state.near.arm(near_timer(ticket, clock))
    if before is not None and before.agent != ticket.agent:
        _tell_near_agent(state, ticket, course.changed)
    if not course.facts:
        return tuple(alert_facts)
    agents = (ticket.agent,) if ticket.agent else ()
    return (Emission(ticket.workspace, ticket.id, at, tuple(course.facts), agents), *alert_facts)


def _begin_ladders(state: SlaState, course: Course, now: Instant) -> list[Emission]:
    """Points that the lane came to only now, of clocks that go on, begin what they would have begun in time."""
    emissions: list[Emission] = []
    for clock_id in dict.fromkeys(clock_id for clock_id, _, _ in course.fired):
        clock = course.changed[clock_id]
        if clock.active:
            climb = Climb(state, near_timer(course.ticket, clock), now)
            course.amend(climb.begin([(at, point) for each, at, point in course.fired if each == clock_id]))
            course.facts += climb.facts
            emissions += climb.emissions
    return emissions


def _tell_near_agent(state: SlaState, ticket: Ticket, changed: Mapping[str, Clock]) -> None:
    """Near timers name the ticket's agent in their facts."""
    for clock in ticket.clocks.values():
        if clock.id not in changed and clock.id in state.near.timers:
            state.near.arm(near_timer(ticket, clock))


def near_timer(ticket: Ticket, clock: Clock) -> NearTimer:
    """The clock's next point, with what its facts say of the ticket."""
    return NearTimer(ticket.id, ticket.workspace, ticket.agent, clock)
