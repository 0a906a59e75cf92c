"""A day at a played desk, recorded as `GET /events` tells it: customers come, agents accept after some seconds, answer,
resolve; some customers of the chat leave. People are drawn with a seed; the desk decides the rest."""

import random
from collections.abc import Iterable
from datetime import timedelta
from heapq import heappop, heappush
from typing import Any

import orjson

from pointsman.contracts.requests import CustomerLeft
from pointsman.core.cause import Cause
from pointsman.core.decision import Decision
from pointsman.testing.time import NOON
from tests.unit.routing.desk_driver import DeskDriver, a_workspace

NEEDS: dict[str, dict[str, int]] = {"billing": {"billing": 3}, "technical": {"technical": 3}, "other": {}}

DOCUMENT: dict[str, Any] = a_workspace(
    {
        "anna": {"capacity": 2, "skills": {"billing": 5}},
        "boris": {"capacity": 2, "skills": {"technical": 5}},
        "carla": {"capacity": 3, "skills": {"billing": 5, "technical": 5}},
        "dora": {"capacity": 1},
    },
    {"general": {"order": "urgency", "wait_target_seconds": 300}},
    channels={"chat": {"weight": 1, "abandons_after_seconds": 30, "affinity_seconds": 0}},
    classify={
        "language_skill": None,
        "categories": {category: {"requires": requires} for category, requires in NEEDS.items()},
    },
    wrap_up_seconds={"chat": 0},
    sla={"policies": [{"name": "all", "targets": {"first_response": {"default": 240}}}]},
)


class Day(DeskDriver):
    """Plays and writes down what was told."""

    def __init__(self, document: dict[str, Any], seed: int = 1) -> None:
        self.lines: list[bytes] = [orjson.dumps({"history": 1, "workspace": "acme", "document": document})]
        self.chance = random.Random(seed)
        self.todo: list[tuple[float, int, str, str]] = []
        self.serial = 0
        self.hour = 0.0
        super().__init__(document)

    def decide(self, cause: Cause) -> Decision:
        decision = super().decide(cause)
        for emission in decision.emissions:
            for fact in emission.facts:
                wire: dict[str, Any] = fact.wire()
                event = {"type": wire.pop("type"), "subject": emission.subject, "time": emission.at, "data": wire}
                self.lines.append(orjson.dumps(event))
                if event["type"] == "offer.made":
                    self.later(self.chance.uniform(1, 8), "accept", emission.subject)
                elif event["type"] == "ticket.assigned":
                    after = self.chance.expovariate(1 / 120)
                    self.later(after / 2, "reply", emission.subject)
                    self.later(after, "resolve", emission.subject)
        return decision

    def later(self, seconds: float, what: str, ticket: str) -> None:
        self.serial += 1
        heappush(self.todo, (self.clock + seconds, self.serial, what, ticket))

    @property
    def clock(self) -> float:
        return self.now.timestamp()

    def go_on(self, tickets: int, every_seconds: float) -> "Day":
        """So many customers come; then everything is brought to its end."""
        at = self.clock
        for number in range(tickets):
            at += self.chance.expovariate(1 / every_seconds)
            self.serial += 1
            heappush(self.todo, (at, self.serial, "come", f"tkt_{number}"))
        while self.todo:
            due, _, what, ticket = heappop(self.todo)
            self.advance(max(0.0, due - self.clock))
            self.do(what, ticket)
        return self

    def do(self, what: str, id: str) -> None:
        ticket = self.desk.tickets.get(id)
        if what == "come":
            channel = self.chance.choice(("email", "chat"))
            category = self.chance.choice(list(NEEDS))
            self.say(id, channel=channel, category=category, requires=NEEDS[category])
            if channel == "chat":
                self.later(self.chance.expovariate(1 / 120), "leave", id)
        elif ticket is None:
            return
        elif what == "accept" and ticket.offer is not None:
            self.accept(id)
        elif what == "leave" and ticket.state == "queued":
            left = CustomerLeft(ticket_id=id, connector="site-chat", thread=ticket.thread, occurred_at=self.now)
            self.hear(left)
        elif what == "reply" and ticket.state == "assigned":
            self.reply(id)
        elif what == "resolve" and ticket.state == "assigned":
            self.resolve(id)


def recorded_day(tickets: int = 150, every_seconds: float = 13, seed: int = 1, **sections: Any) -> list[bytes]:
    return Day({**DOCUMENT, **sections}, seed).go_on(tickets, every_seconds).lines


def events(*given: tuple[float, str, dict[str, Any]], document: Any = None) -> Iterable[bytes]:
    """A history by hand: (seconds after noon, type, data)."""
    yield orjson.dumps({"history": 1, "workspace": "acme", "document": document or DOCUMENT})
    for seconds, kind, data in given:
        at = NOON + timedelta(seconds=seconds)
        subject = data.get("ticket_id", f"agent:{data.get('agent')}")
        yield orjson.dumps({"type": kind, "subject": subject, "time": at, "data": data})
