"""The demo's own judgement: Pointsman's events replayed against the ledger of what was accepted.

Pure: events and the ledger in, verdicts out. An event is `{type, time, data}` in the order of the workspace's desk.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pointsman.cli.demo.evidence import Breach
from pointsman.core.instant import Instant, after, parse_rfc3339

Event = Mapping[str, Any]
TOLERANCE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold, whether it does, and if not the first thing that shows it."""

    name: str
    ok: bool
    counter_example: str | None = None

    def document(self) -> dict[str, Any]:
        return asdict(self)


def verdict(name: str, counter_examples: Iterable[str]) -> Check:
    """Holds when there is no counter-example."""
    found = next(iter(counter_examples), None)
    return Check(name, found is None, found)


def every_message_once(ledger: Sequence[Mapping[str, Any]], events: Sequence[Event]) -> Check:
    """Each accepted message is exactly one message on the ticket that its 202 named, and there are no others."""
    return verdict("every accepted message is accounted for exactly once", _messages_astray(ledger, events))


def _messages_astray(ledger: Sequence[Mapping[str, Any]], events: Sequence[Event]) -> Iterable[str]:
    promised: dict[tuple[str, str], tuple[str, str]] = {}
    for entry in ledger:
        key = (entry["connector"], entry["key"])
        place = (entry["message_id"], entry["ticket_id"])
        if promised.setdefault(key, place)[0] != place[0]:
            yield f"{key} was accepted twice, as {promised[key][0]} and {place[0]}"
    tickets = dict(promised.values())
    seen: dict[str, str] = {}
    for event in events:
        if event["type"] != "message.received":
            continue
        message, ticket = event["data"]["message_id"], event["data"]["ticket_id"]
        if message in seen:
            yield f"{message} is on {seen[message]} and again on {ticket}"
        if message not in tickets:
            yield f"{message} on {ticket} was never accepted by us"
        elif tickets[message] != ticket:
            yield f"{message} was promised to {tickets[message]} and is on {ticket}"
        seen[message] = ticket
    for message, ticket in tickets.items():
        if message not in seen:
            yield f"{message} was accepted for {ticket} and is nowhere"


def messages_in(events: Sequence[Event]) -> set[str]:
    """The ids of the messages that customers wrote."""
    return {event["data"]["message_id"] for event in events if event["type"] == "message.received"}


def open_tickets(promised: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Of the tickets that were promised, those that wait or are held as metrics' rows say, and those without a row:
    who knows nothing of a ticket cannot say that it is done."""
    done = {row["ticket_id"] for row in rows if row["state"] not in ("queued", "offered", "assigned")}
    return set(promised) - done


def no_double_owner(events: Sequence[Event]) -> Check:
    """A ticket has at most one live offer or assignment at any time."""
    return verdict("no ticket had two owners", _double_owners(events))


def _double_owners(events: Sequence[Event]) -> Iterable[str]:
    owner: dict[str, str] = {}
    for event in events:
        data, kind = event["data"], event["type"]
        ticket = data.get("ticket_id")
        if kind == "offer.made":
            if ticket in owner:
                yield f"{ticket} was offered to {data['agent']} while {owner[ticket]} had it ({event['time']})"
            owner[ticket] = data["agent"]
        elif kind == "ticket.assigned":
            if owner.get(ticket, data["agent"]) != data["agent"]:
                yield f"{ticket} was assigned to {data['agent']} while {owner[ticket]} had it ({event['time']})"
            owner[ticket] = data["agent"]
        elif kind in ("offer.rejected", "offer.expired", "offer.rescinded"):
            if owner.get(ticket) == data["agent"]:
                del owner[ticket]
        elif kind in ("ticket.queued", "ticket.resolved", "ticket.closed", "ticket.woken", "ticket.transferred"):
            owner.pop(ticket, None)


@dataclass(slots=True)
class Charges:
    """What each agent carries: per ticket its agent, units and channel."""

    by_ticket: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    load: dict[str, int] = field(default_factory=dict)
    on_channel: dict[tuple[str, str], int] = field(default_factory=dict)

    def charge(self, ticket: str, agent: str, weight: int, channel: str) -> None:
        self.free(ticket)
        self.by_ticket[ticket] = (agent, weight, channel)
        self.load[agent] = self.load.get(agent, 0) + weight
        self.on_channel[agent, channel] = self.on_channel.get((agent, channel), 0) + 1

    def free(self, ticket: str) -> None:
        agent, weight, channel = self.by_ticket.pop(ticket, ("", 0, ""))
        if agent:
            self.load[agent] -= weight
            self.on_channel[agent, channel] -= 1


def capacity_kept(events: Sequence[Event], agents: Mapping[str, Mapping[str, Any]]) -> Check:
    """No agent ever carried more units than the capacity, or more tickets of a channel than the cap."""
    return verdict("no agent was above capacity", _above_capacity(events, agents))


def _above_capacity(events: Sequence[Event], agents: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    charges = Charges()
    channels: dict[str, str] = {}
    for event in events:
        data, kind = event["data"], event["type"]
        ticket = data.get("ticket_id", "")
        if kind == "ticket.opened":
            channels[ticket] = data["channel"]
        elif kind in ("offer.made", "ticket.assigned"):
            agent, channel = data["agent"], channels.get(ticket, "")
            charges.charge(ticket, agent, data["weight"], channel)
            if charges.load[agent] > agents[agent]["capacity"]:
                yield f"{agent} carried {charges.load[agent]} of {agents[agent]['capacity']} units ({event['time']})"
            cap = agents[agent].get("caps", {}).get(channel)
            if cap is not None and charges.on_channel[agent, channel] > cap:
                yield f"{agent} had more than {cap} tickets of {channel} ({event['time']})"
        elif kind in ("offer.rejected", "offer.expired", "offer.rescinded"):
            if charges.by_ticket.get(ticket, ("",))[0] == data["agent"]:
                charges.free(ticket)
        elif (
            kind in ("ticket.queued", "ticket.transferred", "ticket.wrap_up_finished", "ticket.closed")
            or (kind in ("ticket.pended", "ticket.snoozed") and data.get("frees", True))
            or (kind == "ticket.resolved" and data.get("wrap_up_until") is None)
        ):
            charges.free(ticket)


@dataclass(slots=True)
class Promise:
    """A ticket's first response as this module works it out for itself."""

    opened_at: Instant
    tier: str | None
    category: str | None = None
    priority: str = "normal"
    ended_at: Instant | None = None


def first_response_target(promise: Promise, policies: Sequence[Mapping[str, Any]]) -> int | None:
    """The seconds that the first policy that matches promises for a first response."""
    for policy in policies:
        match = policy["match"]
        if "category" in match and promise.category not in match["category"]:
            continue
        if "customer_tier" in match and promise.tier not in match["customer_tier"]:
            continue
        targets = policy["targets"].get("first_response", {})
        found: int | None = targets.get(promise.priority, targets.get("default"))
        return found
    return None


def promises_of(events: Sequence[Event]) -> dict[str, Promise]:
    """Each ticket's first response: when it was asked, and when a person's reply or the end of the matter came."""
    promises: dict[str, Promise] = {}
    for event in events:
        data, kind = event["data"], event["type"]
        ticket = data.get("ticket_id")
        if kind == "ticket.opened":
            promises[ticket] = Promise(parse_rfc3339(data["opened_at"]), data["customer"].get("tier"))
            continue
        promise = promises.get(ticket) if ticket else None
        if promise is None:
            continue
        if kind == "ticket.classified":
            promise.category, promise.priority = data["category"], data["priority"]
        elif promise.ended_at is None and (
            (kind == "ticket.replied" and data["author"]["kind"] == "agent")
            or kind in ("ticket.resolved", "ticket.closed")
        ):
            promise.ended_at = parse_rfc3339(event["time"])
    return promises


def due_breaches(
    promises: Mapping[str, Promise], policies: Sequence[Mapping[str, Any]], until: Instant
) -> tuple[set[str], set[str]]:
    """(tickets whose first response was surely late by `until`, tickets where it may have been: on the very edge)."""
    surely, perhaps = set(), set()
    for ticket, promise in promises.items():
        target = first_response_target(promise, policies)
        if target is None:
            continue
        end = min(promise.ended_at or until, until)
        due = after(promise.opened_at, target)
        if end > after(due, TOLERANCE_SECONDS):
            surely.add(ticket)
        elif end > after(due, -TOLERANCE_SECONDS):
            perhaps.add(ticket)
    return surely, perhaps


def every_due_breach_announced(surely: set[str], perhaps: set[str], announced: Mapping[str, int]) -> Check:
    """Each first response that was late was announced once, and none that was in time. `announced`: times by ticket."""
    return verdict("every due breach was announced, once, and no other", _breaches_astray(surely, perhaps, announced))


def _breaches_astray(surely: set[str], perhaps: set[str], announced: Mapping[str, int]) -> Iterable[str]:
    for ticket in sorted(surely):
        if not announced.get(ticket):
            yield f"{ticket} was answered late and no breach was announced"
    for ticket, times in sorted(announced.items()):
        if times > 1:
            yield f"{ticket}'s first response was announced as breached {times} times"
        if times and ticket not in surely and ticket not in perhaps:
            yield f"{ticket} was answered in time and announced as breached"


def who_is_on_call_was_told(
    breaches: Sequence[Breach], notifications: Sequence[Mapping[str, Any]], heard: Sequence[tuple[float, str]]
) -> Check:
    """Who is on call heard of the breaches, and each message that was sent arrived. `heard`: (when, text)."""
    return verdict("who is on call was told of the breaches", _untold(breaches, notifications, heard))


def _untold(
    breaches: Sequence[Breach], notifications: Sequence[Mapping[str, Any]], heard: Sequence[tuple[float, str]]
) -> Iterable[str]:
    standing = [breach for breach in breaches if not breach.withdrawn]
    over_before = any(one["state"] == "skipped" for one in notifications)
    if standing and not heard and not over_before:
        yield f"{len(standing)} clocks breached and nobody was told"
    for one in notifications:
        if one["state"] not in ("sent", "skipped"):
            yield f"{one['id']} is {one['state']}: {one['reason']}"
        elif one["state"] == "sent" and not any(one["id"] in text for _, text in heard):
            yield f"{one['id']} was sent and did not arrive"


def figures_agree(events: Sequence[Event], rows: Sequence[Mapping[str, Any]]) -> Check:
    """Metrics' rows say the same as the events: the same tickets, with as many messages and as many resolutions."""
    return verdict("the figures agree with the events", _figures_astray(events, rows))


def _figures_astray(events: Sequence[Event], rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    messages: dict[str, int] = {}
    for event in events:
        ticket = event["data"].get("ticket_id")
        if event["type"] == "ticket.opened":
            messages.setdefault(ticket, 0)
        elif event["type"] == "message.received" and event["data"]["author"]["kind"] == "customer":
            messages[ticket] = messages.get(ticket, 0) + 1
    by_ticket = {row["ticket_id"]: row for row in rows}
    for ticket, count in messages.items():
        row = by_ticket.get(ticket)
        if row is None:
            yield f"{ticket} has no row"
        elif row["inbound_count"] != count:
            yield f"{ticket} has {count} messages and its row says {row['inbound_count']}"
    for ticket in by_ticket.keys() - messages.keys():
        yield f"{ticket} has a row and was never opened"
