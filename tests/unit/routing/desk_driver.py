"""A desk driven by a test: the production desk, a virtual clock, and a classifier that reads hints.

`driver.say(…)`, `driver.accept(…)`, `driver.advance(seconds)` each decide what they cause and check that nothing a desk
must hold is broken; `driver.facts` are the facts of the last decision, `driver.log` all of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pointsman.contracts import commands as asked
from pointsman.contracts.base import Contract
from pointsman.contracts.document import Document
from pointsman.contracts.requests import MessageReceived
from pointsman.contracts.shapes import Actor, Recipient
from pointsman.core.cause import Cause, RecordCause
from pointsman.core.decision import Decision
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman.testing.customers import a_message
from pointsman.testing.time import NOON
from pointsman_routing.desk.decide import decide
from pointsman_routing.desk.rules.choice import IndexedMatcher
from pointsman_routing.desk.state.desk import Desk, Matcher
from pointsman_routing.desk.state.draft import Classify
from pointsman_routing.desk.state.model import Agent, Ticket, TicketMessage
from pointsman_routing.desk.state.policy import Policy
from pointsman_routing.desk.state.ticket_messages import new_messages
from pointsman_routing.desk.state.timers import Timers

OPERATOR = Actor(kind="operator", id="operator")
BOSS = Actor(kind="supervisor", id="boss")

LEASE_SECONDS = 3600


@dataclass(frozen=True)
class FromHints:
    """What a message's hints say, as a classification."""

    queue: str
    category: str = "other"
    priority: str = "normal"
    language: str = "en"
    weight: int = 1
    requires: Mapping[str, int] = field(default_factory=dict)
    prefers: Mapping[str, int] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    confidence: float = 1.0
    band: str = "auto"
    evidence: tuple[Any, ...] = ()


def by_hints(document: Document) -> Classify:
    """Classifies by the hints alone. A text of `raise` raises."""

    def classify(message: MessageReceived) -> Any:
        if message.text == "raise":
            raise ValueError("this text cannot be classified")
        hints = message.hints
        category = (hints and hints.category) or "other"
        return FromHints(
            queue=(hints and hints.queue) or document.queue_of(category),
            category=category,
            priority=(hints and hints.priority) or "normal",
            requires=dict(hints.requires) if hints else {},
            prefers=dict(hints.prefers) if hints else {},
            weight=document.weight_of(category, message.channel),
        )

    return classify


def a_workspace(agents: Any = None, queues: Any = None, **sections: Any) -> dict[str, Any]:
    """A document. `agents` maps a slug to its keys (or lists slugs); by default one queue takes everything."""
    if not isinstance(agents, dict):
        agents = {slug: {} for slug in agents or ()}
    skills = sorted({skill for agent in agents.values() for skill in agent.get("skills", {})})
    return {
        "workspace": "acme",
        "skills": skills,
        "queues": queues or {"general": {}},
        "agents": agents,
        "classify": {"language_skill": None},
        "connectors": {
            "support-mail": {"channel": "email", "kind": "json"},
            "site-chat": {"channel": "chat", "kind": "json"},
            "facebook": {"channel": "social", "kind": "json"},
        },
        "channels": {"chat": {"weight": 1}},
        **sections,
    }


class DeskDriver:
    """One workspace's desk, driven by hand."""

    def __init__(
        self, document: dict[str, Any], *, matcher: Matcher | None = None, present: Iterable[str] | None = None
    ) -> None:
        """Applies the document; everybody in `present` (by default all) becomes available."""
        self.journal = Journal()
        self.timers = Timers(self.journal)
        self.desk = Desk("acme", self.journal, self.timers, by_hints, matcher or IndexedMatcher())
        self.now: Instant = NOON
        self.facts: list[Any] = []
        self.log: list[Any] = []
        self.answer: Any = None
        self.closed: dict[str, Ticket] = {}
        self.left: dict[str, Ticket] = {}
        self.policies: dict[int, Policy] = {}
        self._written: list[TicketMessage] = []
        self._ticket_of: dict[str, str] = {}
        self._causes = 0
        self._messages: dict[str, int] = {}
        self.configure(document)
        assert self.desk.configured, self.answer
        for agent in document["agents"] if present is None else present:
            if document["agents"][agent].get("kind") != "bot":
                self.available(agent)

    # -- causes ------------------------------------------------------------------------------------------------------

    def decide(self, cause: Cause) -> Decision:
        """Decides as a worker does: what a refusal or a raise left is undone; then everything is committed."""
        mark = self.journal.mark()
        try:
            decision = decide(self.desk, cause, self.now)
        except BaseException:
            self.journal.undo(mark)
            raise
        question = isinstance(cause, RecordCause) and getattr(cause.bodies[0], "question", False)
        if decision.refusal is not None or question:
            self.journal.undo(mark)
        self.journal.forget()
        self._keep_messages()
        touched = self.desk.changes.tickets.items()
        self.closed.update((id, ticket) for id, ticket in touched if ticket.state == "closed")
        self.desk.committed()
        if self.desk.configured:
            self.policies[self.desk.policy.version] = self.desk.policy
        for id in self.closed:
            if id in self.desk.tickets and self.desk.tickets[id].state == "closed":
                del self.desk.tickets[id]
        self.facts = [fact for emission in decision.emissions for fact in emission.facts]
        for fact in self.facts:
            assert type(fact).model_validate(fact.__dict__) == fact, "the desk says what no reader understands"
        self.log += self.facts
        self.answer = decision.refusal or decision.answer
        return decision

    def _keep_messages(self) -> None:
        """Beside the desk, as rows are."""
        told = new_messages(self.desk.changes)
        self._written += [each for _, each in told]
        self._ticket_of |= {each.id: ticket for ticket, each in told} | self.desk.changes.moved

    def command(self, command: asked.Command, subject: str = "acme", *, at: Instant | None = None) -> Decision:
        self._causes += 1
        self._gather(getattr(command, "ticket_id", None), getattr(command, "into", None))
        cause = RecordCause(f"cmd_{self._causes}", "commands", "acme", subject, at or self.now, (command,))
        return self.decide(cause)

    def hear(self, *facts: Contract, topic: str = "requests", at: Instant | None = None) -> Decision:
        self._causes += 1
        subject = getattr(facts[0], "ticket_id", "acme")
        if topic == "requests":
            self._gather(subject)
        return self.decide(RecordCause(f"evt_{self._causes}", topic, "acme", subject, at or self.now, facts))

    def _gather(self, *tickets: str | None) -> None:
        """As the worker does: resolved and closed tickets are resident for a cause that is about them."""
        for id in tickets:
            if id in self.left:
                self.desk.tickets[id] = self.left.pop(id)
            while id is not None and id in self.closed and id not in self.desk.tickets:
                self.desk.tickets[id] = self.closed[id]
                id = self.closed[id].merged_into

    def say(self, ticket: str = "tkt_1", *, seconds_ago: float = 0, **fields: Any) -> Ticket:
        """A customer's message; the first opens the ticket. `queue`, `priority`, `requires`, … are hints."""
        hinted = {
            name: fields.pop(name)
            for name in ("queue", "category", "priority", "requires", "prefers")
            if name in fields
        }
        if hinted:
            fields["hints"] = hinted
        number = self._messages[ticket] = self._messages.get(ticket, 0) + 1
        at = self.now - timedelta(seconds=seconds_ago)
        self.hear(a_message(ticket, number=number, at=at, **fields), at=at)
        return self.desk.tickets.get(ticket) or self.closed[ticket]

    def advance(self, seconds: float) -> list[Any]:
        """Time goes on; timers fire when they are due. The facts of all of them."""
        until = self.now + timedelta(seconds=seconds)
        said: list[Any] = []
        while True:
            earliest = self.timers.earliest()
            kind = min(earliest, key=lambda kind: (earliest[kind], kind), default=None)
            if kind is None or earliest[kind] > until:
                break
            self.now = max(self.now, earliest[kind])
            (cause,) = self.timers.due(kind, self.now, 1)
            self.decide(cause)
            said += self.facts
        self.now = until
        self.facts = said
        return said

    def stays(self, seconds: float) -> None:
        """Time goes on, and nobody's lease ends meanwhile."""
        for agent in self.desk.agents:
            self.presence(agent, None)
        self.advance(seconds)

    def leave_behind(self) -> None:
        """Resolved tickets leave the resident desk, as they do in production until somebody writes to them."""
        for ticket in [each for each in self.desk.tickets.values() if each.state == "resolved" and not each.in_wrap_up]:
            self.left[ticket.id] = self.desk.tickets.pop(ticket.id)
            self.desk.arm("close", ticket.id, None)
        self.journal.forget()

    # -- what people do ----------------------------------------------------------------------------------------------

    def configure(self, document: dict[str, Any], *, actor: Actor = OPERATOR, **fields: Any) -> Decision:
        expects = fields.pop("expects", self.desk.policy.version if self.desk.configured else 0)
        return self.command(asked.ConfigPut(document=document, expects=expects, actor=actor, **fields), "config")

    def effect(self, document: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """What putting the document would do."""
        self.command(asked.ConfigEffect(document=document, actor=OPERATOR, **fields), "config")
        assert isinstance(self.answer, dict), self.answer
        return self.answer

    def presence(self, agent: str, state: str | None, *, session: str = "app", **fields: Any) -> Decision:
        fields.setdefault("lease_seconds", LEASE_SECONDS)
        return self.command(
            asked.PresenceSet(agent=agent, session=session, state=state, actor=as_agent(agent), **fields),
            f"agent:{agent}",
        )

    def available(self, agent: str, **fields: Any) -> Decision:
        return self.presence(agent, "available", **fields)

    def away(self, agent: str, **fields: Any) -> Decision:
        return self.presence(agent, "away", **fields)

    def accept(self, ticket: str = "tkt_1", *, actor: Actor | None = None, **fields: Any) -> Decision:
        """The agent to whom the ticket is offered accepts."""
        offer = self.ticket(ticket).offer
        assert offer is not None, f"{ticket} is not offered"
        return self.accept_offer(offer.id, actor or as_agent(offer.agent), **fields)

    def accept_offer(self, offer: str, actor: Actor, **fields: Any) -> Decision:
        return self.command(asked.OfferAccept(offer_id=offer, actor=actor, **fields), f"offer:{offer}")

    def reject(self, ticket: str = "tkt_1", reason: str | None = None) -> Decision:
        offer = self.ticket(ticket).offer
        assert offer is not None, f"{ticket} is not offered"
        command = asked.OfferReject(offer_id=offer.id, reason=reason, actor=as_agent(offer.agent))
        return self.command(command, f"offer:{offer.id}")

    def _on(
        self, kind: Callable[..., asked.Command], ticket: str, actor: Actor | None, fields: dict[str, Any]
    ) -> Decision:
        at = fields.pop("at", None)
        holder = self.desk.tickets[ticket].agent if ticket in self.desk.tickets else None
        who = actor or as_agent(holder or "nobody")
        self._tell(ticket, fields.get("reply_to_message"), fields.get("last_message_id"))
        return self.command(kind(ticket_id=ticket, actor=who, **fields), ticket, at=at)

    def reply(self, ticket: str = "tkt_1", *, actor: Actor | None = None, **fields: Any) -> Decision:
        return self._on(asked.TicketReply, ticket, actor, {"text": "An answer.", "public": True, **fields})

    def resolve(self, ticket: str = "tkt_1", *, actor: Actor | None = None, **fields: Any) -> Decision:
        return self._on(asked.TicketResolve, ticket, actor, {"outcome": "solved", "wrap_up_seconds": 0, **fields})

    def pend(self, ticket: str = "tkt_1", *, actor: Actor | None = None, **fields: Any) -> Decision:
        return self._on(asked.TicketPend, ticket, actor, {"waiting_on": "customer", **fields})

    def snooze(self, ticket: str = "tkt_1", *, actor: Actor | None = None, **fields: Any) -> Decision:
        return self._on(asked.TicketSnooze, ticket, actor, fields)

    def transfer(self, ticket: str = "tkt_1", *, actor: Actor | None = None, **fields: Any) -> Decision:
        return self._on(asked.TicketTransfer, ticket, actor, {"reason": "they know more", **fields})

    def assign(self, agent: str, ticket: str = "tkt_1", *, actor: Actor = BOSS, **fields: Any) -> Decision:
        return self._on(asked.TicketAssign, ticket, actor, {"agent": agent, "reason": "I say so", **fields})

    def start(self, agent: str = "anna", **fields: Any) -> Decision:
        fields = {"connector": "support-mail", "text": "Your order is late.", "public": True} | fields
        fields.setdefault("customer", Recipient(email="Ada@Example.com", name="Ada"))
        return self.command(asked.TicketStart(actor=as_agent(agent), **fields), "tickets")

    def bulk(self, *tickets: str, question: bool = False, actor: Actor = BOSS, **action: Any) -> Decision:
        """`driver.bulk("tkt_1", resolve=ResolveAs(…))`. A dry run is taken back as a worker does."""
        asks = asked.TicketsBulk(ticket_ids=tickets, action=asked.BulkAction(**action), question=question, actor=actor)
        return self.command(asks, "tickets")

    def take(self, agent: str, ticket: str = "tkt_1", **fields: Any) -> Decision:
        return self._on(asked.TicketTake, ticket, as_agent(agent), fields)

    def handover(self, agent: str, **fields: Any) -> Decision:
        command = asked.AgentHandover(agent=agent, actor=as_agent(agent), **{"reason": "I go home", **fields})
        return self.command(command, f"agent:{agent}")

    def requeue(self, agent: str, **fields: Any) -> Decision:
        command = asked.AgentRequeue(agent=agent, actor=BOSS, **{"reason": "they left", **fields})
        return self.command(command, f"agent:{agent}")

    def reopen(self, ticket: str = "tkt_1", *, actor: Actor | None = None, **fields: Any) -> Decision:
        return self._on(asked.TicketReopen, ticket, actor, fields)

    def finish_wrap_up(self, ticket: str = "tkt_1", *, actor: Actor | None = None) -> Decision:
        return self._on(asked.WrapUpFinish, ticket, actor, {})

    def label(self, ticket: str = "tkt_1", *, actor: Actor | None = None, **fields: Any) -> Decision:
        return self._on(asked.TicketLabel, ticket, actor or as_agent("somebody"), fields)

    def merge(self, ticket: str, into: str, *, actor: Actor | None = None, **fields: Any) -> Decision:
        self.desk.messages_of |= {id: self.written_on(id) for id in (ticket, into)}
        given = {"into": into, "reason": "the same matter", "different_customers": True, **fields}
        return self._on(asked.TicketMerge, ticket, actor or BOSS, given)

    def split(self, ticket: str, *messages: str, actor: Actor | None = None, **fields: Any) -> Decision:
        """Splits these messages off; `driver.answer["id"]` is the new ticket."""
        self.desk.messages_of[ticket] = self.written_on(ticket)
        return self._on(asked.TicketSplit, ticket, actor, {"message_ids": messages, "reason": "another", **fields})

    def _tell(self, ticket: str, *messages: str | None) -> None:
        """What a worker reads of the messages that a command names."""
        asked = {id for id in messages if id is not None}
        if ticket in self.desk.tickets:
            asked |= set(self.desk.tickets[ticket].recent)
        for one in self._written:
            if one.id in asked:
                owner = self._ticket_of[one.id]
                while owner in self.closed and self.closed[owner].merged_into is not None:
                    owner = str(self.closed[owner].merged_into)
                self.desk.messages_by_id[one.id] = (owner, one)

    def written_on(self, ticket: str) -> tuple[TicketMessage, ...]:
        """The ticket's messages, and those of what was merged into it, as their rows would be."""
        matter = {ticket}
        while more := {id for id, each in self.closed.items() if each.merged_into in matter} - matter:
            matter |= more
        return tuple(each for each in self._written if self._ticket_of[each.id] in matter)

    def close_queue(self, queue: str = "general", *, reason: str = "a storm", **fields: Any) -> Decision:
        return self.command(asked.QueueClose(queue=queue, reason=reason, actor=BOSS, **fields), f"queue:{queue}")

    def open_queue(self, queue: str = "general", **fields: Any) -> Decision:
        return self.command(asked.QueueOpen(queue=queue, actor=BOSS, **fields), f"queue:{queue}")

    def queue(self, queue: str = "general") -> dict[str, Any]:
        """What `GET /queues/{queue}` answers."""
        self.command(asked.QueueDepths(queue=queue, actor=BOSS), "queues")
        assert isinstance(self.answer, dict)
        found: dict[str, Any] = self.answer["items"][0]
        return found

    def explain(self, ticket: str = "tkt_1", agent: str | None = None) -> dict[str, Any]:
        self.command(asked.TicketExplain(ticket_id=ticket, agent=agent, actor=BOSS), ticket)
        assert isinstance(self.answer, dict)
        return self.answer

    def assigned(self, ticket: str = "tkt_1", **fields: Any) -> Ticket:
        """A ticket that somebody has accepted."""
        self.say(ticket, **fields)
        self.accept(ticket)
        return self.ticket(ticket)

    # -- what there is -----------------------------------------------------------------------------------------------

    def ticket(self, ticket: str = "tkt_1") -> Ticket:
        return self.desk.tickets[ticket]

    def agent(self, slug: str) -> Agent:
        return self.desk.agents[slug]

    def offered_to(self, ticket: str = "tkt_1") -> str | None:
        offer = self.ticket(ticket).offer
        return offer.agent if offer else None

    @property
    def types(self) -> list[str]:
        """The types of the facts of the last decision."""
        return [fact.type for fact in self.facts]

    def fact(self, type: str) -> Any:
        """The only fact of this type in the last decision."""
        (found,) = [fact for fact in self.facts if fact.type == type]
        return found


def as_agent(slug: str) -> Actor:
    return Actor(kind="agent", id=slug)
