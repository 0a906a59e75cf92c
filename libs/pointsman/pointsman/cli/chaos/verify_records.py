"""The fact logs themselves, and what metrics made of them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pointsman.cli.chaos.evidence import Snapshot
from pointsman.cli.chaos.findings import Findings

COUNTED: Mapping[str, str] = {
    "offer.made": "offer_count",
    "offer.accepted": "accept_count",
    "offer.rejected": "decline_count",
    "offer.expired": "expiry_count",
    "offer.rescinded": "rescind_count",
    "ticket.replied": "reply_count",
    "ticket.noted": "note_count",
    "ticket.reopened": "reopen_count",
    "message.received": "inbound_count",
}
"""Fact → the column of metrics' ticket that counts it."""

STATES: Mapping[str, str] = {
    "ticket.opened": "queued",
    "ticket.queued": "queued",
    "offer.made": "offered",
    "ticket.assigned": "assigned",
    "ticket.pended": "pending",
    "ticket.resolved": "resolved",
    "ticket.closed": "closed",
}


def verify_numbers(evidence: Snapshot, findings: Findings) -> None:
    """Per (source, partition) the numbers are 1, 2, 3, … up to the counter, each once."""
    for service, source, partition, last in evidence.counters:
        numbers = evidence.numbers.get((service, source, partition), [])
        if list(numbers) != list(range(1, last + 1)):
            missing = sorted(set(range(1, last + 1)).difference(numbers))[:5]
            doubled = [number for number, count in Counter(numbers).items() if count > 1][:5]
            example = {"source": source, "partition": partition, "counter": last, "records": len(numbers)}
            findings.add("numbers_broken", example | {"missing": missing, "doubled": doubled})
    counted = {(service, source, partition) for service, source, partition, _ in evidence.counters}
    for key in evidence.numbers.keys() - counted:
        findings.add("numbers_broken", {"key": key, "counter": None})


def verify_positions(evidence: Snapshot, findings: Findings) -> None:
    """Every lane has decided each record that its position passed, once."""
    for row in evidence.positions:
        if row["next_offset"] - row["first_offset"] != row["decided"]:
            findings.add("positions_ahead", dict(row))


def verify_metrics(evidence: Snapshot, findings: Findings) -> None:
    """Each ticket's row equals a recount of the desk's facts that metrics had read."""
    counts: dict[str, Counter[str]] = {}
    states: dict[str, str] = {}
    replies: dict[str, set[str]] = {}
    for fact in evidence.read_by("metrics", "desk"):
        ticket = fact.body.get("ticket_id")
        if ticket is None:
            continue
        counted = counts.setdefault(ticket, Counter())
        if fact.type in COUNTED:
            counted[COUNTED[fact.type]] += 1
        if fact.type == "ticket.replied":
            replies.setdefault(ticket, set()).add(fact.body["message_id"])
        if fact.type in STATES:
            states[ticket] = STATES[fact.type]
    rows = {row["ticket_id"]: row for row in evidence.metrics_tickets}
    for ticket, counted in counts.items():
        row = rows.pop(ticket, None)
        expected: dict[str, Any] = {column: counted[column] for column in COUNTED.values()}
        expected["reply_count"] = len(replies.get(ticket, ()))
        expected["state"] = states.get(ticket)
        found = None if row is None else {column: row[column] for column in expected}
        if found != expected:
            findings.add("metrics_differ", {"ticket": ticket, "expected": expected, "found": found})
    for ticket in rows:
        findings.add("metrics_differ", {"ticket": ticket, "expected": None})


def verify_dead_letters(evidence: Snapshot, findings: Findings) -> None:
    """Nothing that the load said is undecodable or makes a decision raise."""
    for letter in evidence.dead_letters:
        findings.add("dead_letters", dict(letter))
