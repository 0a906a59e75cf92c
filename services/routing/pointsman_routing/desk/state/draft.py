"""What one decision gathers: what the classifier said, the facts about each subject, who is to be looked after, and the
changes that are to be written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Protocol

from pointsman.contracts.base import Contract
from pointsman.contracts.document.queues import Shut
from pointsman.contracts.requests import MessageReceived
from pointsman.core.instant import Instant
from pointsman_routing.desk.state.model import Agent, Inbound, Job, Ticket, Token
from pointsman_routing.desk.state.roster import Pool


class Classified(Protocol):
    """What the classifier says of a message (pointsman_routing.classify)."""

    @property
    def language(self) -> str: ...

    @property
    def category(self) -> str: ...

    @property
    def priority(self) -> Any: ...

    @property
    def tags(self) -> tuple[str, ...]: ...

    @property
    def queue(self) -> str: ...

    @property
    def requires(self) -> Mapping[str, int]: ...

    @property
    def prefers(self) -> Mapping[str, int]: ...

    @property
    def weight(self) -> int: ...

    @property
    def confidence(self) -> float: ...

    @property
    def band(self) -> Any: ...

    @property
    def evidence(self) -> Any: ...


Classify = Callable[[MessageReceived], Classified]


@dataclass(slots=True)
class Changes:
    """What is to be written since the last commit. Rows are values; tickets and agents are written as they stand."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    agent_states: list[tuple[Any, ...]] = field(default_factory=list)
    sessions: dict[tuple[str, str], Instant | None] = field(default_factory=dict)
    offers_made: dict[str, dict[str, Any]] = field(default_factory=dict)
    offers_ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    inbound: list[Inbound] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    assignments: list[dict[str, Any]] = field(default_factory=list)
    clock_facts: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    jobs_begun: dict[str, Job] = field(default_factory=dict)
    jobs_moved: dict[str, Job] = field(default_factory=dict)


class SubjectFacts:
    """The facts of a decision about one subject, its time, and the agents who are told."""

    __slots__ = ("agents", "at", "facts")

    def __init__(self, at: Instant) -> None:
        self.at = at
        self.facts: list[Contract] = []
        self.agents: dict[str, None] = {}

    def copied(self) -> SubjectFacts:
        """The same, to which more may be added."""
        twin = SubjectFacts(self.at)
        twin.facts, twin.agents = list(self.facts), dict(self.agents)
        return twin


class Draft:
    """What a decision gathers while it is made. `at` is the cause's time, of what it is about (`subject`); what
    follows from it elsewhere happens `now`. `tickets` entered the queue, `agents` got room, `pools` got or lost an
    available agent: `settle` looks after them, and until then the roster shows these agents as they were (`late`).
    `edited` are the agents that it changed, `renewed` the tickets whose version did, `made` counts the ids that it
    gave, `entered` are the tickets that came into an open queue (rule 20), `closed` those of a shut one
    with its rule, `greeted` the one that gets an `auto_reply`."""

    __slots__ = (
        "agents",
        "at",
        "cause",
        "closed",
        "edited",
        "entered",
        "facts_of",
        "greeted",
        "late",
        "made",
        "now",
        "pools",
        "renewed",
        "serial",
        "subject",
        "tickets",
    )

    def __init__(self, cause: str, subject: str, at: Instant, now: Instant) -> None:
        self.cause, self.subject, self.at, self.now = cause, subject, at, now
        self.facts_of: dict[str, SubjectFacts] = {}
        self.tickets: dict[str, Ticket] = {}
        self.agents: dict[str, Agent] = {}
        self.edited: dict[str, Agent] = {}
        self.renewed: dict[str, Ticket] = {}
        self.pools: dict[Pool, None] = {}
        self.entered: dict[str, Ticket] = {}
        self.closed: dict[str, tuple[Ticket, Shut]] = {}
        self.greeted: Ticket | None = None
        self.serial = self.made = 0
        self.late = True

    def copied(self) -> Draft:
        """The draft as it is now, whatever becomes of this one: to go back to when one of many is refused."""
        twin = copy(self)
        for name in ("tickets", "agents", "edited", "renewed", "pools", "entered", "closed"):
            setattr(twin, name, dict(getattr(self, name)))
        twin.facts_of = {subject: saying.copied() for subject, saying in self.facts_of.items()}
        return twin

    def begin_facts(self, subject: str, at: Instant) -> SubjectFacts:
        saying = self.facts_of[subject] = SubjectFacts(at)
        return saying


def state_of(agent: Agent, at: Instant) -> tuple[Any, ...]:
    """How an agent stands after a decision, as the row of `agent_state` has it, but for the workspace."""
    channels = None if agent.channels is None else tuple(sorted(agent.channels))
    said = (agent.state, agent.set_by, agent.reason, channels)
    return (agent.slug, agent.change, at, *said, agent.load, agent.counts, agent.units)
