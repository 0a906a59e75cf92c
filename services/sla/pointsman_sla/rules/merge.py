"""A ticket that ends in another takes its unanswered question along: the response clock goes on in that ticket's.

Both tickets are told of the merge, the one that ends first. In that decision the other ticket's clock starts, with the
breach, the alerts and the acknowledgement of the one that ends: one miss counts and pages once, and nobody who had
taken care of it hears of it anew. What the other ticket is told then finds it done.
"""

from dataclasses import replace

from pointsman.contracts.desk import TicketMerged
from pointsman.core.cause import RecordCause
from pointsman.core.decision import Emission
from pointsman.core.instant import Instant
from pointsman_sla.clocks.course import Course
from pointsman_sla.clocks.model import Ticket
from pointsman_sla.clocks.responses import RESPONSES, take_over
from pointsman_sla.micros import micros
from pointsman_sla.rules.apply import conclude
from pointsman_sla.state import SlaState


def go_on(
    state: SlaState, cause: RecordCause, source: Ticket | None, course: Course, now: Instant
) -> tuple[Emission, ...]:
    """What the merge of `source` (its record's course is given) means for the ticket in which it goes on; nothing when
    that is not known here, or when the record tells of no merge into another."""
    merged = next((body for body in cause.bodies if isinstance(body, TicketMerged) and body.into is not None), None)
    target = None if merged is None else state.tickets.get(merged.into or "")
    if source is None or merged is None or target is None:
        return ()
    # Of a question that was unanswered at an earlier end the desk does not tell.
    asked = source.unanswered[0] if source.unanswered else None
    since = asked if merged.unanswered_since is None else micros(merged.unanswered_since)
    if since is None:
        return ()
    if target.workspace != cause.workspace:
        raise ValueError(f"{target.id} is a ticket of another workspace")
    active = next((clock for metric, clock in source.clocks.items() if metric in RESPONSES and clock.active), None)
    into = Course(target, max(micros(cause.at), target.last_at), lambda version: state.book(cause.workspace, version))
    origin = None
    if active is not None:
        origin = replace(course.clocks[active.metric], alerts=active.alerts)
        into.fired = [fired for fired in course.fired if fired[0] == active.id]
    take_over(into, since, origin)
    for id, carried in into.carried.items():
        course.gone_on(carried.id, id)
    into.fired = [fired for fired in into.fired if active is None or fired[0] != active.id]
    return conclude(state, into, target, cause.at, now)
