"""`bench engine`: the desk alone, its decisions on a virtual clock, with skills, priorities, relaxation, overflow,
affinity and explanations on.

A standing queue: every agent is full and tickets wait. One round is the life of a ticket: a customer writes (the ticket
waits), an agent resolves (the desk offers the first waiting ticket that this agent can take), and accepts. Each of the
three is one decision with its facts; inputs are made beforehand, classification is not part of it. Customers come every
50 ms; as they wait, timers widen whom is asked for them, and these decisions count too.
"""

import gc
import random
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import zip_longest
from time import perf_counter, process_time
from typing import Any

from pointsman.cli.bench.servers import Bench, bare_installation
from pointsman.contracts.commands import OfferAccept, PresenceSet, TicketExplain, TicketResolve
from pointsman.contracts.document import Document
from pointsman.contracts.requests import CustomerSeen, MessageReceived
from pointsman.contracts.shapes import Actor, Author
from pointsman.core.cause import Cause, RecordCause
from pointsman.core.decision import Decision
from pointsman.core.ids import derived_id
from pointsman.core.instant import EPOCH, Instant
from pointsman.core.journal import Journal
from pointsman.runtime.database import open_pool
from pointsman.runtime.logic import Batch
from pointsman_routing import gc_tuning, loading, store
from pointsman_routing.desk.decide import decide
from pointsman_routing.desk.rules import configure
from pointsman_routing.desk.rules.choice import IndexedMatcher
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.draft import Classify
from pointsman_routing.desk.state.model import Agent, Ticket
from pointsman_routing.desk.state.policy import compile_policy
from pointsman_routing.desk.state.timers import Timers
from pointsman_routing.simulation.people import KnownLabels

START: Instant = EPOCH + timedelta(days=20_000)
QUEUES = ("billing", "technical", "general", "returns")
SKILLS = tuple(f"skill-{number}" for number in range(12))
LANGUAGES = ("en", "it", "de", "ru")
_LOWERED = dict.fromkeys(SKILLS, 2)
COMMIT_EVERY = 200
"""Decisions between two commits, as a batch of the worker has them."""

SMALL, LARGE = (1_000, 100), (100_000, 10_000)
STORED = (60_000, 10_000)
"""With the 40,000 that its agents hold, a desk of 100,000 tickets."""
ROUNDS, WARM_UP_ROUNDS = 6_000, 1_000
ROUNDS_AT_ONCE = 10
"""Between two looks at the clock: one costs as much as some tenths of a decision."""
STORED_AT_ONCE = 5_000
BETWEEN_ARRIVALS = timedelta(milliseconds=50)
OWNED_SHARE = 0.3
"""Of the customers who have an agent of their own."""


@dataclass(slots=True)
class Load:
    """A desk with a standing queue, and the inputs to come."""

    desk: Desk
    journal: Journal
    now: Instant = START
    decided: int = 0
    said: dict[str, KnownLabels] = field(default_factory=dict)

    def decide(self, cause: Cause) -> Decision:
        decision = decide(self.desk, cause, self.now)
        self.decided += 1
        if self.decided % COMMIT_EVERY == 0:
            self.commit()
        return decision

    def wait(self, arrivals: int) -> None:
        """So many customers later; what is due by then is decided."""
        self.now += arrivals * BETWEEN_ARRIVALS
        for cause in self.desk.timers.due(kinds.RIPEN, self.now, 100):
            self.decide(cause)

    def commit(self) -> None:
        self.desk.committed()
        self.journal.forget()


async def measure(bench: Bench) -> dict[str, list[float]]:
    """The samples of `bench engine` (CLI.md), one a run."""
    samples: dict[str, list[float]] = {}
    for number in range(bench.runs):
        for name, value in engine(bench.seed + number).items():
            samples.setdefault(name, []).append(value)
    load = a_load(*STORED, bench.seed)
    load.commit()
    samples["explain_max_ms"] = [explain_ms(load) for _ in range(bench.runs)]
    samples["load_seconds"] = await load_seconds(bench, load)
    return samples


def engine(seed: int = 7) -> dict[str, float]:
    """The figures that need no database."""
    small = _seconds_per_decision(*SMALL, seed)
    large = _seconds_per_decision(*LARGE, seed)
    return {
        "decisions_per_second": 1 / small,
        "growth_ratio": large / small,
        "bytes_per_waiting_ticket": bytes_per_waiting_ticket(seed),
    }


def explain_ms(load: Load) -> float:
    """For how long the lane stands still while it says why a ticket of a large desk waits: the worst of the first, the
    middle and the last."""
    waiting = [ticket.id for ticket in load.desk.tickets.values() if ticket.place is not None]
    boss = Actor(kind="supervisor", id="bench")
    asked = [TicketExplain(ticket_id=waiting[place], actor=boss) for place in (0, len(waiting) // 2, -1)]
    spent = []
    for command in asked:
        mark, begin = load.journal.mark(), process_time()
        decide(load.desk, RecordCause("e", "commands", "bench", command.ticket_id, load.now, (command,)), load.now)
        load.journal.undo(mark)
        spent.append(process_time() - begin)
    return max(spent) * 1000


async def load_seconds(bench: Bench, load: Load) -> list[float]:
    """Seconds in which a lane with one large desk is resident again, from rows on a real PostgreSQL."""
    seconds = []
    async with bare_installation(bench) as settings:
        pool = await open_pool(settings, "routing", size=1, purpose="bench")
        async with pool.acquire() as db:
            await _store(db, load)
            for _ in range(bench.runs):
                begin = perf_counter()
                await loading.load(db, 0, load.now, load.desk.classifier)
                seconds.append(perf_counter() - begin)
        await pool.close()
    return seconds


async def _store(db: Any, load: Load) -> None:
    """Writes the whole desk, some thousands of rows at a time."""
    desk = load.desk
    document = desk.policy.document.plain()
    version = {"version": 1, "document": document, "author": {}, "applied_at": START}
    desk.changes.versions.append(version)
    desk.changes.agents = dict(desk.agents)
    ids = list(desk.tickets)
    for start in range(0, len(ids), STORED_AT_ONCE):
        desk.changes.tickets = {id: desk.tickets[id] for id in ids[start : start + STORED_AT_ONCE]}
        await store.write(db, Batch(0, START, ()), [desk])
        desk.committed()
    await db.execute("ANALYZE")


def bytes_per_waiting_ticket(seed: int, tickets: int = 20_000) -> float:
    """Resident bytes that one more waiting ticket costs, beyond the texts (its messages are not resident)."""
    load = a_load(0, 100, seed)
    causes = _arrivals(tickets, seed, load, prefix="more")
    waiting_before = _waiting(load.desk)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(tickets):
        load.decide(causes(number))
        load.wait(1)
    load.commit()
    load.said.clear()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / (_waiting(load.desk) - waiting_before)


def _waiting(desk: Desk) -> int:
    return sum(1 for ticket in desk.tickets.values() if ticket.place is not None)


def a_load(tickets: int, agents: int, seed: int) -> Load:
    """A desk whose agents are all full, with that many waiting tickets."""
    journal = Journal()
    said: dict[str, KnownLabels] = {}

    def classifier(document: Document) -> Classify:
        return lambda message: said[message.ticket_id]

    desk = Desk("bench", journal, Timers(journal), classifier, IndexedMatcher())
    load = Load(desk, journal, said=said)
    desk.begin("config", "config", START, START)
    configure.apply(desk, compile_policy(_document(agents, seed), 1))
    load.commit()
    for slug in desk.agents:
        command = PresenceSet(
            agent=slug, session="app", lease_seconds=3600, state="available", actor=Actor(kind="agent", id=slug)
        )
        load.decide(RecordCause(f"p-{slug}", "commands", "bench", f"agent:{slug}", load.now, (command,)))
    fill = sum(profile.capacity for profile in desk.policy.profiles.values())
    causes = _arrivals(tickets + 2 * fill, seed, load)
    number = 0
    while number < 2 * fill and any(agent.load < agent.profile.capacity for agent in desk.agents.values()):
        for _ in range(agents):
            load.decide(causes(number))
            number += 1
    for offer in list(desk.offers.values()):
        load.decide(_accept(offer.id, offer.agent, load.now))
    for _ in range(tickets):
        load.decide(causes(number))
        load.wait(1)
        number += 1
    load.commit()
    return load


def _seconds_per_decision(tickets: int, agents: int, seed: int) -> float:
    load = a_load(tickets, agents, seed)
    rounds = ROUNDS + WARM_UP_ROUNDS
    chance = random.Random(seed)
    arrivals = _arrivals(rounds, seed + 1, load, prefix="new")
    new = [arrivals(number) for number in range(rounds)]
    slugs = list(load.desk.agents)
    gc_tuning.set_for_residents()
    gc_tuning.keep_what_is_there()
    spent, measured = 0.0, 0
    for start in range(0, rounds, ROUNDS_AT_ONCE):
        seconds, decided = _some_rounds(load, new[start : start + ROUNDS_AT_ONCE], chance.sample(slugs, ROUNDS_AT_ONCE))
        if start >= WARM_UP_ROUNDS:
            spent += seconds
            measured += decided
    gc.unfreeze()
    return spent / measured


def _some_rounds(load: Load, new: list[Cause], slugs: list[str]) -> tuple[float, int]:
    """So many customers write, these agents each resolve what they have held longest and accept what they are shown:
    seconds spent in decisions, and their number."""
    desk = load.desk
    agents = [desk.agents[slug] for slug in slugs]
    done = [held for agent in agents if (held := _longest_in_hand(desk, agent)) is not None]
    resolves = [_resolve(held.id, str(held.agent), load.now) for held in done]
    decided = load.decided
    begin = process_time()
    load.wait(len(new))
    seconds = process_time() - begin
    seconds += _seconds_to_decide(load, [cause for pair in zip_longest(new, resolves) for cause in pair if cause])
    offers = [desk.tickets[id].offer for agent in agents for id in agent.shown]
    seconds += _seconds_to_decide(load, [_accept(offer.id, offer.agent, load.now) for offer in offers if offer])
    for ticket in done:
        desk.tickets.pop(ticket.id)
    return seconds, load.decided - decided


def _longest_in_hand(desk: Desk, agent: Agent) -> Ticket | None:
    held = (desk.tickets[id] for id in agent.hand)
    return next((ticket for ticket in held if ticket.state == "assigned"), None)


def _seconds_to_decide(load: Load, causes: list[Cause]) -> float:
    begin = process_time()
    for cause in causes:
        load.decide(cause)
    return process_time() - begin


def _document(agents: int, seed: int) -> Document:
    """Agents of a few dozen profiles, as a workspace has: two queues, three skills and two languages each."""
    chance = random.Random(seed)
    profiles = [
        {
            "skills": {
                **{skill: chance.randint(3, 9) for skill in chance.sample(SKILLS, 3)},
                **{f"lang-{language}": 5 for language in chance.sample(LANGUAGES, 2)},
            },
            "queues": chance.sample(QUEUES, 2),
            "capacity": 4,
        }
        for _ in range(50)
    ]
    return Document.model_validate(
        {
            "workspace": "bench",
            "skills": [*SKILLS, *(f"lang-{language}" for language in LANGUAGES)],
            "queues": {
                queue: {
                    "order": "priority",
                    "relax": [{"after_seconds": 20, "drop_language": True}, {"after_seconds": 40, "lower": _LOWERED}],
                    "overflow": [{"after_seconds": 60, "to": QUEUES[number - 1]}],
                }
                for number, queue in enumerate(QUEUES)
            },
            "agents": {f"agent-{number}": profiles[number % len(profiles)] for number in range(agents)},
        }
    )


def _arrivals(count: int, seed: int, load: Load, prefix: str = "t") -> Callable[[int], Cause]:
    """The causes of new tickets, by number; what they are about is drawn in advance."""
    chance = random.Random(seed)
    sorts = [
        KnownLabels(
            queue=chance.choice(QUEUES),
            requires={**({chance.choice(SKILLS): 3} if chance.random() < 0.5 else {}), f"lang-{language}": 3},
            prefers={chance.choice(SKILLS): 7} if chance.random() < 0.3 else {},
            priority=chance.choice(("urgent", "high", "normal", "normal", "low")),
        )
        for language in LANGUAGES
        for _ in range(20)
    ]
    drawn = [chance.choice(sorts) for _ in range(count)]
    slugs = list(load.desk.agents)
    owners = [chance.choice(slugs) if chance.random() < OWNED_SHARE else None for _ in range(count)]

    def cause(number: int) -> Cause:
        at = load.now
        ticket = derived_id("tkt", at, prefix, number)
        load.said[ticket] = drawn[number]
        customer = derived_id("cus", at, prefix, number)
        message = MessageReceived(
            message_id=derived_id("msg", at, prefix, number),
            ticket_id=ticket,
            thread_number=1,
            opens=True,
            connector="support",
            channel="email",
            external_id=str(number),
            thread=ticket,
            author=Author(kind="customer", id=customer),
            customer=CustomerSeen(id=customer, name=f"Customer {number}", owner=owners[number]),
            subject="A question",
            text="Where is my order?",
            occurred_at=at,
            received_at=at,
        )
        return RecordCause(f"e-{prefix}-{number}", "requests", "bench", ticket, at, (message,))

    return cause


def _accept(offer: str, agent: str, at: Instant) -> Cause:
    command = OfferAccept(offer_id=offer, actor=Actor(kind="agent", id=agent))
    return RecordCause(f"a-{offer}", "commands", "bench", f"offer:{offer}", at, (command,))


def _resolve(ticket: str, agent: str, at: Instant) -> Cause:
    command = TicketResolve(ticket_id=ticket, outcome="solved", wrap_up_seconds=0, actor=Actor(kind="agent", id=agent))
    return RecordCause(f"r-{ticket}", "commands", "bench", ticket, at, (command,))
