"""One replication: the production desk on a virtual clock, customers who come, wait and leave, agents who work.

`decide` is the one that production calls, with records as intake and the APIs write them; the desk's own timers fire
when they are due. What the simulation adds is people: a customer writes once; an agent accepts (at once where the
queue auto-accepts) and resolves after the service time; a customer whose patience ends while waiting leaves, and one
who balks leaves when nobody takes the ticket at once. Apps renew their leases without fail, so those timers are taken
off, and a ticket leaves memory when it charges nobody any more and not days later, when it closes.

Statistics are of the customers who arrive in [warm-up, horizon). Arrivals go on after the horizon until all of these
are served or gone, at most for as long again; then nobody new comes and the queue drains.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from heapq import heappop, heappush
from typing import Any

from pointsman.contracts.base import made
from pointsman.contracts.commands import Command, OfferAccept, PresenceSet, TicketReply, TicketResolve
from pointsman.contracts.desk import (
    OfferExpired,
    OfferMade,
    OfferRescinded,
    TicketAssigned,
    TicketQueued,
    TicketResolved,
    WrapUpFinished,
)
from pointsman.contracts.document import Document
from pointsman.contracts.shapes import Actor
from pointsman.contracts.workspace import PresenceChanged
from pointsman.core.cause import Cause, RecordCause
from pointsman.core.decision import Emission
from pointsman.core.journal import Journal
from pointsman_routing.desk.decide import decide
from pointsman_routing.desk.rules import configure
from pointsman_routing.desk.rules.choice import IndexedMatcher
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.desk import Desk, Matcher
from pointsman_routing.desk.state.timers import Timers
from pointsman_routing.simulation import records
from pointsman_routing.simulation.customers import Customer
from pointsman_routing.simulation.people import DrawnPeople, KnownLabels, People, Visit
from pointsman_routing.simulation.plan import Plan
from pointsman_routing.simulation.policy import by_connector, policy_of
from pointsman_routing.simulation.watch import Watch

WORKSPACE = "simulation"
END_US = 5_000 * 365 * 86_400_000_000
"""What would happen later than that never happens."""

COMMIT_EVERY = 256
LEASE_SECONDS = 3600

SERVED, PRESENCE, ACCEPTED, ARRIVED, LOST = range(5)
"""What happens at one instant, in this order: who is released can take who comes, and takes who would just leave."""


class RefusedBySimulatedDesk(RuntimeError):
    """The desk refused or could not route what the simulation put in: a mistake of the simulation or of the desk."""


class ContactCentre:
    """A desk, its agents and its customers. `told` hears of each counted visit once, when its waiting ends. With
    `heard`, which is given everything that the desk says, agents answer when the work is done, and then resolve."""

    def __init__(
        self,
        plan: Plan,
        streams: Sequence[Iterator[Customer]],
        told: Callable[[Visit], None],
        *,
        people: People | None = None,
        matcher: Matcher | None = None,
        heard: Callable[[Emission], None] | None = None,
    ) -> None:
        self.plan = plan
        self.decisions = 0
        self.tickets = 0
        self.busy_us = 0
        self.capacity_us = 0
        self.waiting_us = 0
        document = Document.model_validate(plan.document)
        self.watch = Watch(document, plan.kinds)
        self._streams, self._told, self._people = streams, told, people or DrawnPeople(plan)
        self._heard = heard
        self._last_agents: dict[str, str] = {}
        self._journal = Journal()
        self._timers = Timers(self._journal)
        said = {
            each.slug: KnownLabels(each.queue, each.priority, each.requires, each.prefers, each.weight, each.language)
            for each in plan.kinds
        }
        self._desk = Desk(
            WORKSPACE, self._journal, self._timers, lambda _: by_connector(said), matcher or IndexedMatcher()
        )
        self._queues = list(document.queues)
        self._events: list[tuple[int, int, int, Any]] = []
        self._serial = 0
        self._visits: dict[str, Visit] = {}
        self._counted_waiting = 0
        self._now_us, self._now = 0, plan.start
        self._due_us = END_US
        self._causes = 0
        self._actors = {slug: made(Actor, kind="agent", id=slug) for slug in document.agents}
        self._stop_us = plan.horizon_us
        if not plan.ends_at_horizon:
            self._stop_us += plan.horizon_us - plan.warmup_us
        self._hears: dict[type, Callable[[Any], None]] = {
            TicketAssigned: self._assigned,
            TicketResolved: self._resolved,
            TicketQueued: self._queued,
            WrapUpFinished: self._wrapped_up,
            PresenceChanged: self._presence,
        }
        if not all(queue.offer.auto_accept for queue in document.queues.values()):
            self._hears[OfferMade] = self._offered
            self._hears[OfferRescinded] = self._hears[OfferExpired] = self._offer_ended
        self._open_for_work(document)

    def play(self) -> None:
        """Plays until every counted customer is served or gone, or nothing happens any more."""
        events, horizon_us = self._events, self.plan.horizon_us
        for kind in range(len(self.plan.kinds)):
            self._next_customer(kind)
        while events:
            at_us = events[0][0]
            if at_us >= horizon_us and (self.plan.ends_at_horizon or not self._counted_waiting):
                break
            if self._due_us <= at_us:
                self._fire()
                continue
            _, what, _, subject = heappop(events)
            self._pass(at_us)
            if what == SERVED:
                self._serve(subject)
            elif what == ARRIVED:
                self._arrive(subject)
            elif what == LOST:
                self._lose(subject)
            elif what == ACCEPTED:
                self._accept(subject)
            else:
                self._set_presence(*subject)
        while self._counted_waiting and self._due_us < self._stop_us:
            self._fire()
        self._pass(max(self._now_us, horizon_us))
        self.watch.ended(self._now_us)

    def still_waiting(self) -> Iterator[Visit]:
        """Counted customers who were neither served nor gone when the simulation ended."""
        for visit in self._visits.values():
            if visit.counted and visit.fate == "waiting":
                visit.waited_us = self._now_us - visit.customer.at_us
                yield visit

    # -- what happens ------------------------------------------------------------------------------------------------

    def _arrive(self, arrival: tuple[int, Customer]) -> None:
        kind, customer = arrival
        at_us = customer.at_us
        self.tickets += 1
        self._next_customer(kind)
        one = self.plan.kinds[kind]
        id = f"{one.slug}-{customer.number}"
        counted = self.plan.warmup_us <= at_us < self.plan.horizon_us
        visit = self._visits[id] = Visit(id, kind, customer, counted, customer.service_us)
        self._counted_waiting += counted
        self.watch.arrived(id, kind, at_us)
        now, who = self._now, customer.who or id
        if customer.who in self._last_agents:
            self._desk.last_agents[who] = self._last_agents[who]
        self._decide(records.message(WORKSPACE, one, id, who, now))
        if visit.fate != "waiting":
            return
        ticket = self._desk.tickets.get(id)
        if ticket is not None and ticket.marked is not None:
            raise RefusedBySimulatedDesk(f"{id}: {ticket.marked}")
        if one.balk:
            visit.balks = True
            self._lose(visit)
            return
        if customer.patience_us is not None:
            self._schedule(at_us + customer.patience_us, LOST, visit)
        late_us = self._people.late_us(visit)
        if late_us is not None:
            late_at = self.plan.start + timedelta(microseconds=late_us)
            self._decide(records.first_response_clock(WORKSPACE, id, now, late_at))

    def _lose(self, visit: Visit) -> None:
        """The customer leaves, if nobody has taken the ticket."""
        if visit.fate == "waiting" and visit.id in self._visits:
            slug = self.plan.kinds[visit.kind].slug
            self._decide(records.left(WORKSPACE, slug, visit.id, self._now))

    def _serve(self, end: tuple[Visit, int]) -> None:
        """The agent is done, unless the ticket went to somebody else meanwhile."""
        visit, turn = end
        if visit.turn == turn and visit.agent is not None:
            actor = self._actors[visit.agent]
            if self._heard is not None:
                said = made(TicketReply, ticket_id=visit.id, text="An answer.", public=True, actor=actor)
                self._command(said, visit.id)
            self._command(made(TicketResolve, ticket_id=visit.id, outcome="solved", actor=actor), visit.id)

    def _set_presence(self, slug: str, state: Any) -> None:
        actor = self._actors[slug]
        command = made(PresenceSet, agent=slug, session="app", lease_seconds=LEASE_SECONDS, state=state, actor=actor)
        self._command(command, f"agent:{slug}", kinds.LEASE, slug)

    # -- what the desk says ------------------------------------------------------------------------------------------

    def _offered(self, fact: OfferMade) -> None:
        """The ticket charges the agent from now on; they take it after a look at it."""
        visit = self._visits[fact.ticket_id]
        self.watch.assigned(visit.id, fact.agent, visit.kind, self._now_us)
        visit.offer, visit.shown, visit.shown_us = fact.offer_id, fact.agent, self._now_us
        look_us = self._people.accept_us(visit, fact.agent)
        timeout_us = (fact.expires_at - self._now) // _US
        if timeout_us:
            # An offer is always taken in time: nobody who lets it expire comes back to a simulated floor.
            self._schedule(self._now_us + min(look_us, timeout_us - 1), ACCEPTED, (visit, fact.offer_id))

    def _accept(self, offer: tuple[Visit, str]) -> None:
        visit, offer_id = offer
        if visit.offer == offer_id and visit.shown is not None:
            self._command(made(OfferAccept, offer_id=offer_id, actor=self._actors[visit.shown]), visit.id)

    def _offer_ended(self, fact: OfferRescinded | OfferExpired) -> None:
        """Nobody has it: it waits, unless what follows says that it does not."""
        visit = self._visits[fact.ticket_id]
        visit.offer = visit.shown = None
        self.watch.freed(visit.id, visit.kind)
        self.watch.arrived(visit.id, visit.kind, self._now_us)

    def _assigned(self, fact: TicketAssigned) -> None:
        visit = self._visits[fact.ticket_id]
        began_us = self._now_us
        if visit.shown is None:
            self.watch.assigned(visit.id, fact.agent, visit.kind, began_us)
        else:
            began_us, visit.offer, visit.shown = visit.shown_us, None, None
        visit.agent = fact.agent
        visit.turn += 1
        if visit.customer.who is not None:
            self._last_agents[visit.customer.who] = fact.agent
        if visit.turn == 1:
            visit.waited_us = began_us - visit.customer.at_us
            visit.service_us = self._people.service_us(visit, fact.agent)
            self._waited(visit, "served")
        visit.ends_us = began_us + visit.service_us
        self._schedule(max(self._now_us, visit.ends_us), SERVED, (visit, visit.turn))

    def _queued(self, fact: TicketQueued) -> None:
        """A ticket that somebody was working on waits again: the rest of the work is left to do."""
        visit = self._visits[fact.ticket_id]
        if visit.agent is not None:
            visit.service_us = max(0, visit.ends_us - self._now_us)
            visit.agent = None
            self.watch.freed(visit.id, visit.kind)
            self.watch.arrived(visit.id, visit.kind, self._now_us)

    def _resolved(self, fact: TicketResolved) -> None:
        visit = self._visits[fact.ticket_id]
        if visit.agent is None:
            self.watch.left(visit.id, self._now_us)
            if visit.fate == "waiting":
                visit.waited_us = self._now_us - visit.customer.at_us
                left = fact.outcome == "abandoned" and not visit.balks
                self._waited(visit, "abandoned" if left else "blocked")
            self._forget(visit)
        elif fact.wrap_up_until is None:
            self.watch.freed(visit.id, visit.kind)
            self._forget(visit)

    def _wrapped_up(self, fact: WrapUpFinished) -> None:
        visit = self._visits[fact.ticket_id]
        self.watch.freed(visit.id, visit.kind)
        self._forget(visit)

    def _presence(self, fact: PresenceChanged) -> None:
        self.watch.present(fact.agent, fact.state == "available")

    def _waited(self, visit: Visit, fate: str) -> None:
        visit.fate = fate
        if visit.counted:
            self._counted_waiting -= 1
            self._told(visit)

    def _forget(self, visit: Visit) -> None:
        """The ticket charges nobody any more; that it closes days later changes nothing here."""
        del self._visits[visit.id]
        self._desk.arm(kinds.CLOSE, visit.id, None)
        self._desk.tickets.pop(visit.id, None)

    # -- the clock ---------------------------------------------------------------------------------------------------

    def _schedule(self, at_us: int, what: int, subject: Any) -> None:
        if at_us < END_US:
            self._serial += 1
            heappush(self._events, (at_us, what, self._serial, subject))

    def _next_customer(self, kind: int) -> None:
        customer = next(self._streams[kind], None)
        if customer is not None and customer.at_us < self._stop_us:
            self._schedule(customer.at_us, ARRIVED, (kind, customer))

    def _pass(self, at_us: int) -> None:
        """Time goes on to here; what was busy until now has been so."""
        before_us, watch = self._now_us, self.watch
        watch.passed(at_us)
        start_us, end_us = max(before_us, self.plan.warmup_us), min(at_us, self.plan.horizon_us)
        if end_us > start_us:
            span_us = end_us - start_us
            self.busy_us += watch.load * span_us
            self.capacity_us += watch.capacity * span_us
            self.waiting_us += watch.told * span_us
        self._now_us, self._now = at_us, self.plan.start + timedelta(microseconds=at_us)

    def _fire(self) -> None:
        """The desk's earliest timer."""
        self._pass(max(self._now_us, self._due_us))
        earliest = self._timers.earliest()
        kind = min(earliest, key=lambda each: (earliest[each], each))
        (cause,) = self._timers.due(kind, self._now, 1)
        self._decide(cause)

    # -- decisions ---------------------------------------------------------------------------------------------------

    def _command(self, command: Command, subject: str, disarms: str | None = None, of: str = "") -> None:
        self._causes += 1
        self._decide(RecordCause(f"c-{self._causes}", "commands", WORKSPACE, subject, self._now, (command,)))
        if disarms is not None:
            self._desk.arm(disarms, of, None)

    def _decide(self, cause: Cause) -> None:
        desk, hears = self._desk, self._hears
        decision = decide(desk, cause, self._now)
        if decision.refusal is not None:
            raise RefusedBySimulatedDesk(f"{cause.id}: {decision.refusal.detail}")
        self.decisions += 1
        for emission in decision.emissions:
            if self._heard is not None:
                self._heard(emission)
            for fact in emission.facts:
                hear = hears.get(type(fact))
                if hear is not None:
                    hear(fact)
        self._journal.forget()
        if not self.decisions % COMMIT_EVERY:
            desk.committed()
        depth = desk.waiting.depth
        waiting = sum([depth(queue) for queue in self._queues])
        if desk.held:
            waiting += sum(len(tickets) for tickets in desk.held.values())
        self.watch.settled(waiting, self._now_us)
        earliest = self._timers.earliest()
        self._due_us = (min(earliest.values()) - self.plan.start) // _US if earliest else END_US

    def _open_for_work(self, document: Document) -> None:
        """The first configuration, and everybody who is there at the beginning."""
        desk, plan = self._desk, self.plan
        desk.begin("config", "config", plan.start, plan.start)
        configure.apply(desk, policy_of(document, plan))
        desk.committed()
        self._journal.forget()
        for slug, agent in document.agents.items():
            if agent.kind != "human":
                continue
            hours = plan.hours.get(slug, ((0, END_US),))
            for start_us, end_us in hours:
                if start_us == 0:
                    self._set_presence(slug, "available")
                else:
                    self._schedule(start_us, PRESENCE, (slug, "available"))
                self._schedule(end_us, PRESENCE, (slug, "away"))


_US = timedelta(microseconds=1)
