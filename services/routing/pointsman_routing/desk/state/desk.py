"""The resident state of one workspace's desk, and how a decision edits it and says what happened."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TypeVar

from pointsman.contracts.base import Contract, made
from pointsman.contracts.desk import TicketMoved, TicketQueued
from pointsman.contracts.document import Document
from pointsman.core.decision import Decision, Emission
from pointsman.core.ids import ordered_id
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman_routing.desk.state.draft import Changes, Classify, Draft, state_of
from pointsman_routing.desk.state.model import (
    AGENT_FIELDS,
    TICKET_EDITED,
    Agent,
    Closing,
    Job,
    Labels,
    Move,
    Offer,
    Ticket,
    TicketMessage,
    Token,
    restore,
)
from pointsman_routing.desk.state.order import micros, since_us
from pointsman_routing.desk.state.past import Past
from pointsman_routing.desk.state.policy import Needs, Policy, QueuePolicy
from pointsman_routing.desk.state.roster import Eligible, Pool, Roster
from pointsman_routing.desk.state.shelves import Entry
from pointsman_routing.desk.state.timers import Timers
from pointsman_routing.desk.state.waiting import Waiting

_ticket_values = attrgetter(*TICKET_EDITED)
_agent_values = attrgetter(*AGENT_FIELDS)

T = TypeVar("T")


class Choice(NamedTuple):
    """Who gets a ticket, the standing score of those compared, and the few who were compared (rule 16). `by` says what
    decided: the `choice` of the queue, `affinity`, or the `line`: the agent was asked what waits, not the ticket who is
    best."""

    agent: Agent
    score: tuple[int, ...] | None = None
    visited: tuple[Entry, ...] = ()
    by: str = "line"


class Matcher(Protocol):
    """How agents and tickets find one another. The desk has the indexed one; its tests compare a plain scan."""

    def agent_for(self, desk: Desk, ticket: Ticket) -> Choice | None:
        """The best agent with room for a waiting ticket, or None."""

    def ticket_for(self, desk: Desk, agent: Agent) -> Ticket | None:
        """The first waiting ticket that an agent may take now, or None."""

    def sides_for(self, desk: Desk, agent: Agent, ticket: Ticket) -> tuple[frozenset[str], frozenset[str]]:
        """The queues of which the agent could be offered a ticket now, at the rank at which they serve this one: one
        that is in time (or whose queue sets nobody apart), and one that is overdue."""


class Desk:
    """One workspace's queues, agents and tickets. Closed tickets are not resident.

    `ended` maps an ended offer to its ticket, so that a late accept can be told who holds it; the worker keeps it
    small and reads older ones from their rows, as it reads into `stored_why` what was stored with a ticket's last
    offer, into `past` how an agent stood then, and into `last_agents` who dealt last with the customers that a
    batch is about; `messages_of` has the messages of tickets, `messages_by_id` single ones with the ticket whose they
    are (see ticket_messages). `reserved` maps an agent to the tickets that wait for them alone, `moves` are the queues
    that were renamed or deleted, the oldest first. `late_credits` is what the overdue of a queue have of the next offer
    (`rules.saving`). `unexplained` are tickets whose version changed without a fact,
    which must not be: the auditor tells. `policy` is there once `configured`, by the workspace's first version.
    """

    def __init__(
        self,
        workspace: str,
        journal: Journal,
        timers: Timers,
        classifier: Callable[[Document], Classify],
        matcher: Matcher,
    ) -> None:
        self.workspace = workspace
        self.journal = journal
        self.timers = timers
        self.classifier = classifier
        self.matcher = matcher
        self.configured = False
        self.policy: Policy
        self.classify: Classify
        self.change = 0
        self.tickets: dict[str, Ticket] = {}
        self.agents: dict[str, Agent] = {}
        self.offers: dict[str, Offer] = {}
        self.ended: dict[str, str] = {}
        self.tokens: dict[str, Token] = {}
        self.round_robin: dict[str, str] = {}
        self.late_credits: dict[str, int] = {}
        self.closings: dict[str, Closing] = {}
        self.held: dict[str, dict[str, Ticket]] = {}
        self.reserved: dict[str, tuple[str, ...]] = {}
        self.jobs: dict[str, Job] = {}
        self.moves: tuple[Move, ...] = ()
        self.unexplained: list[tuple[str, int, Instant]] = []
        self.waiting = Waiting(None, journal)
        self.roster: Roster
        self.changes = Changes()
        self.stored_why: dict[str, Any] = {}
        self.past: dict[tuple[str, str], Past] = {}
        self.last_agents: dict[str, str] = {}
        self.messages_of: dict[str, tuple[TicketMessage, ...]] = {}
        self.messages_by_id: dict[str, tuple[str, TicketMessage]] = {}
        self.draft: Draft
        self._labels: dict[Labels, Labels] = {}

    def adopt(self, policy: Policy, roster: Roster, waiting: Waiting, classify: Classify) -> None:
        """Replaces the configuration and the indexes made for it (see `configure`)."""
        for name, value in (("policy", policy), ("roster", roster), ("waiting", waiting), ("classify", classify)):
            if hasattr(self, name):
                self.journal.set(self, name, value)
            else:
                self.journal.note(delattr, self, name)
                setattr(self, name, value)
        self.journal.set(self, "configured", True)

    def begin(self, cause: str, subject: str, at: Instant, now: Instant) -> Draft:
        """Starts a decision: its changes carry the next count."""
        self.journal.note(setattr, self, "change", self.change)
        self.change += 1
        self.draft = Draft(cause, subject, min(at, now), now)
        return self.draft

    def begin_part(self) -> None:
        """Starts a part of the decision that may be taken back alone: what it edits is saved anew."""
        self.journal.note(setattr, self, "change", self.change)
        self.change += 1

    def new_id(self, kind: str, *parts: str | int) -> str:
        """The id of something that this decision makes. Ids ascend in the order in which a batch makes its things."""
        self.draft.made += 1
        order = (self.change & 0xFFFFF) << 15 | min(self.draft.made, 0x7FFF)
        return ordered_id(kind, self.draft.now, order, self.workspace, self.draft.cause, *parts)

    def queue_of(self, ticket: Ticket) -> QueuePolicy:
        return self.policy.queues[ticket.queue]

    def shared(self, labels: Labels) -> Labels:
        """The same labels as one object, so that alike tickets share them."""
        if len(self._labels) > LABELS_KEPT_MAX:
            self._labels.clear()
        return self._labels.setdefault(labels, labels)

    # -- edits -------------------------------------------------------------------------------------------------------

    def edit(self, ticket: Ticket) -> Instant:
        """Allows assigning the ticket's attributes in this decision; when the decision happens to it: the cause's
        time, clamped to the ticket's last. It is in a queue that exists from here on (`moved_queues`)."""
        draft = self.draft
        if ticket.change != self.change:
            queue = self.queue_now(ticket)
            self.journal.note(restore, ticket, TICKET_EDITED, _ticket_values(ticket))
            ticket.change = self.change
            at = draft.at if ticket.id == draft.subject else draft.now
            if at > ticket.at:
                ticket.at = at
            if ticket.id not in self.changes.tickets:
                self.journal.put(self.changes.tickets, ticket.id, ticket)
            if queue != ticket.queue:
                self._move(ticket, queue)
        return ticket.at

    def queue_now(self, ticket: Ticket) -> str:
        """The queue that the ticket is in by what was moved since it was last touched."""
        queue = ticket.queue
        if self.moves and ticket.change < self.moves[-1].change:
            for move in self.moves:
                if move.change > ticket.change and move.queue == queue:
                    queue = move.to
        return self.policy.queue_or_otherwise(queue)

    def _move(self, ticket: Ticket, to: str) -> None:
        """The ticket is in another queue, and nothing else of it changes. The caller has edited it."""
        before, ticket.queue = ticket.queue, to
        self.renew(ticket)
        if ticket.state == "queued":
            fact = made(
                TicketQueued,
                ticket_id=ticket.id,
                queue=to,
                reason="moved",
                waiting_since=ticket.waiting_since or ticket.at,
                held=ticket.held,
            )
            self.say(ticket, fact)
            return
        said = made(
            TicketMoved, ticket_id=ticket.id, from_queue=before, queue=to, reason=f"the queue {before} is no more"
        )
        self.say(ticket, said, ticket.offer.agent if ticket.offer else ticket.agent)

    def open(self, ticket: Ticket) -> None:
        """Makes a new ticket resident. It may be assigned to in this decision; undone, it was never there, nor are its
        entries in the index."""
        self.journal.note(setattr, ticket, "place", None)
        self.journal.put(self.tickets, ticket.id, ticket)
        self.journal.put(self.changes.tickets, ticket.id, ticket)
        ticket.change = ticket.arrival = self.change

    def edit_agent(self, agent: Agent) -> None:
        """Allows assigning the agent's attributes in this decision."""
        if agent.change != self.change:
            self.journal.note(restore, agent, AGENT_FIELDS, _agent_values(agent))
            agent.change = self.change
            self.draft.edited[agent.slug] = agent
            if agent.slug not in self.changes.agents:
                self.journal.put(self.changes.agents, agent.slug, agent)

    def append(self, rows: list[T], row: T) -> None:
        """Adds a row to be written."""
        rows.append(row)
        self.journal.note(rows.pop)

    def renew(self, ticket: Ticket) -> None:
        """The ticket's version is the next: its state, holder, queue or labels changed, and a fact of this decision
        says so. The caller has edited it."""
        ticket.version += 1
        self.draft.renewed[ticket.id] = ticket

    def arm(self, kind: str, subject: str, due: Instant | None) -> None:
        self.timers.arm(kind, (self.workspace, subject), due)

    def agent_of(self, ticket: Ticket) -> Agent | None:
        """The holder."""
        return self.agents.get(ticket.agent) if ticket.agent else None

    # -- who may take it ---------------------------------------------------------------------------------------------

    def eligible(self, ticket: Ticket) -> Eligible:
        """The agents who may take the ticket at its stage, present or not, with room or without."""
        group = ticket.place[4] if ticket.place is not None else self.waiting.group_of(ticket)
        return self.roster.eligible(group, ticket.labels.prefers)

    def may_take(
        self,
        agent: Agent,
        ticket: Ticket,
        *,
        labels: Labels | None = None,
        queue: str | None = None,
        stage: int | None = None,
    ) -> bool:
        """Whether the agent serves the ticket, as long as it has waited by now, and holds what it still requires;
        with the labels or the queue that it is to have, or at another stage of its waiting. Whether they are there and
        have room is another question."""
        pool: Pool | None = agent.pool
        return pool is not None and pool.may_take(*self.search_of(ticket, labels=labels, queue=queue, stage=stage))

    def search_of(
        self, ticket: Ticket, *, labels: Labels | None = None, queue: str | None = None, stage: int | None = None
    ) -> tuple[tuple[str, ...], int, Needs]:
        """Among whom the ticket finds an agent: the queues where they are, how long it has waited at least, in µs, and
        what it still requires; as it stands in the waiting index, else by now, or at a later stage of its waiting."""
        if ticket.place is not None and labels is None and queue is None and stage is None:
            group = ticket.place[4]
            return group.lines, group.opened_us, group.requires
        labels, line = labels or ticket.labels, self.policy.queues[queue or ticket.queue]
        stage = self.stage_of(ticket, line) if stage is None else min(stage, len(line.stages) - 1)
        holds = line.stages[stage]
        requires = self.policy.needs_of(line.slug, stage, labels.requires, labels.language, ticket.relaxed)
        return (*holds.lines, *ticket.wide), holds.after_us, requires

    def stage_of(self, ticket: Ticket, queue: QueuePolicy) -> int:
        """How far waiting has widened the search for the ticket by now."""
        if len(queue.stages) == 1:
            return 0
        return queue.stage_at(micros(self.draft.now) - since_us(ticket))

    def reserve(self, ticket: Ticket) -> None:
        """Notes, on loading, for whom the ticket waits."""
        agent = ticket.reserved_for
        assert agent is not None
        self.reserved[agent] = (*self.reserved.get(agent, ()), ticket.id)

    # -- what is said ------------------------------------------------------------------------------------------------

    def say(self, ticket: Ticket, fact: Contract, agent: str | None = None) -> None:
        """One more fact of this decision about a ticket; the agent is told."""
        saying = self.draft.facts_of.get(ticket.id) or self.draft.begin_facts(ticket.id, ticket.at)
        saying.facts.append(fact)
        if agent:
            saying.agents[agent] = None

    def say_to(self, ticket: Ticket, agent: str) -> None:
        """Tells one more agent of what is said about the ticket."""
        self.draft.facts_of[ticket.id].agents[agent] = None

    def say_about(self, subject: str, at: Instant, fact: Contract, agent: str | None = None) -> None:
        """One more fact about something else."""
        saying = self.draft.facts_of.get(subject) or self.draft.begin_facts(subject, at)
        saying.facts.append(fact)
        if agent:
            saying.agents[agent] = None

    def decision(self, answer: dict[str, Any] | None = None, status: int = 200) -> Decision:
        """The decision, with everything that was said."""
        for agent in self.draft.edited.values():
            self.append(self.changes.agent_states, state_of(agent, self.draft.now))
        for id, ticket in self.draft.renewed.items():
            if id not in self.draft.facts_of and len(self.unexplained) < UNTOLD_KEPT_MAX:
                self.append(self.unexplained, (id, ticket.version, ticket.at))
        emissions = [
            Emission(self.workspace, subject, saying.at, tuple(saying.facts), tuple(saying.agents))
            for subject, saying in self.draft.facts_of.items()
        ]
        return Decision(tuple(emissions), answer, status)

    def committed(self) -> None:
        """What was changed is written: closed tickets are no residents any more. Only while nothing can be undone."""
        for id, ticket in self.changes.tickets.items():
            if ticket.state == "closed":
                self.tickets.pop(id, None)
        self.changes = Changes()
        self.stored_why.clear()
        self.past.clear()
        self.last_agents.clear()
        self.messages_of.clear()
        self.messages_by_id.clear()
        self.waiting.prune()
        if len(self.ended) > ENDED_KEPT_MAX:
            for offer in list(self.ended)[: ENDED_KEPT_MAX // 2]:
                del self.ended[offer]


LABELS_KEPT_MAX = 10_000
UNTOLD_KEPT_MAX = 100
ENDED_KEPT_MAX = 4096
"""Ended offers that stay resident, per desk."""
