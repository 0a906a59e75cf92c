"""Builders: fact logs as a service would have written them, one fact a record, a second apart."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pointsman.cli.chaos.document import document_of
from pointsman.cli.chaos.evidence import Fact, Snapshot
from pointsman.core.instant import Instant, rfc3339
from pointsman.testing.time import NOON

ANNA, BORIS = "agent-1", "agent-2"


class Log:
    """Facts in the order in which they are said. `at` is seconds after noon."""

    def __init__(self, source: str = "routing@1") -> None:
        self.source = source
        self.facts: list[Fact] = []

    def say(self, type: str, ticket: str = "t1", *, at: float | None = None, made: float = 0.0, **body: Any) -> None:
        seconds = len(self.facts) if at is None else at
        moment = NOON + timedelta(seconds=seconds)
        self.facts.append(
            Fact(
                self.source,
                0,
                len(self.facts) + 1,
                0,
                moment,
                moment + timedelta(seconds=made),
                "chaos-1",
                ticket,
                f"cause-{len(self.facts)}",
                type,
                {"ticket_id": ticket, **body},
            )
        )

    def configured(self) -> "Log":
        """The document, and both agents available."""
        self.say("config.applied", "config", document=document_of("chaos-1"))
        for agent in (ANNA, BORIS):
            self.say("agent.presence_changed", f"agent:{agent}", agent=agent, state="available")
        return self

    def opened(self, ticket: str = "t1", *, at: float | None = None, channel: str = "chat") -> None:
        seconds = len(self.facts) if at is None else at
        opened_at = rfc3339(NOON + timedelta(seconds=seconds))
        self.say("ticket.opened", ticket, at=at, channel=channel, opened_at=opened_at, message_id=f"m-{ticket}")

    def offered(self, ticket: str = "t1", agent: str = ANNA, *, offer: str = "o1", weight: int = 1) -> None:
        self.say("offer.made", ticket, offer_id=offer, agent=agent, weight=weight)

    def accepted(self, ticket: str = "t1", agent: str = ANNA, *, offer: str = "o1", weight: int = 1) -> None:
        self.say("offer.accepted", ticket, offer_id=offer, agent=agent)
        self.say("ticket.assigned", ticket, agent=agent, weight=weight, offer_id=offer)


def breached(log: Log, metric: str, at: float, *, cycle: int = 1, ticket: str = "t1", made: float = 0.1) -> None:
    """sla announced a breach at `at`."""
    breach_at = rfc3339(NOON + timedelta(seconds=at))
    log.say("clock.breached", ticket, at=at, made=made, metric=metric, cycle=cycle, breach_at=breach_at)


def evidence(desk: Log, sla: Log | None = None, *, now: float = 1_000.0, **tables: Any) -> Snapshot:
    """A snapshot of these logs, in which everybody has read everything."""
    rows: Mapping[str, Any] = {
        "intake_messages": (),
        "routing_messages": (),
        "routing_tickets": (),
        "routing_agents": (),
        "metrics_tickets": (),
        "metrics_clocks": (),
        "dead_letters": (),
        **tables,
    }
    moment: Instant = NOON + timedelta(seconds=now)
    return Snapshot(
        now=moment,
        requests=(),
        desk=desk.facts,
        sla=sla.facts if sla is not None else (),
        counters=(),
        numbers={},
        seen={
            (reader, 0, topic, source): 1_000_000
            for reader in ("sla", "metrics")
            for topic, source in (("desk", desk.source), ("sla", "sla@1"))
        },
        **rows,
    )
