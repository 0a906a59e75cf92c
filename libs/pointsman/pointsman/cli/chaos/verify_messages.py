"""Invariant 1, and the commands: what was acknowledged happened, once; what was refused never did."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from pointsman.cli.chaos.evidence import Snapshot
from pointsman.cli.chaos.findings import Findings
from pointsman.cli.chaos.ledger import Fate, Ledger

ENDS = {"accept": "offer.accepted", "reject": "offer.rejected"}


def verify_messages(ledger: Ledger, evidence: Snapshot, shown: Mapping[str, list[str]], findings: Findings) -> None:
    """Every 202 is one message on one ticket: in the answers, over HTTP, in the tables and in the fact logs.

    `shown` is what the API shows: ticket → the ids of its messages.
    """
    for one, other in ledger.answers_differ:
        findings.add("duplicated", {"answered": [str(one), str(other)]})
    for one, other in ledger.first_pairs:
        if one.ticket_id != other.ticket_id:
            findings.add("threads_split", {"thread": one.thread, "tickets": [one.ticket_id, other.ticket_id]})
    stored = Counter((row["workspace"], row["connector"], row["external_id"]) for row in evidence.intake_messages)
    said = Counter(
        (fact.workspace, fact.body["connector"], fact.body["external_id"])
        for fact in evidence.requests
        if fact.type == "message.received"
    )
    on_tickets: dict[str, list[str]] = defaultdict(list)
    for row in evidence.routing_messages:
        on_tickets[row["id"]].append(row["ticket_id"])
    noted = Counter(fact.body["message_id"] for fact in evidence.desk if fact.type == "message.received")
    shown_on: dict[str, list[str]] = defaultdict(list)
    for ticket, messages in shown.items():
        for message in messages:
            shown_on[message].append(ticket)
    for key, posted in ledger.posted.items():
        places = {
            "stored by intake": stored[key],
            "said by intake": said[key],
            "rows of routing": len(on_tickets[posted.message_id]),
            "noted by routing": noted[posted.message_id],
            "shown by the API": len(shown_on[posted.message_id]),
        }
        example = {"message": posted.message_id, "ticket": posted.ticket_id, "external_id": key, "places": places}
        if min(places.values()) < 1:
            findings.add("lost", example)
        elif max(places.values()) > 1:
            findings.add("duplicated", example)
        elif on_tickets[posted.message_id] != [posted.ticket_id]:
            findings.add("lost", example | {"is_on": on_tickets[posted.message_id]})
    opened = Counter(fact.body["ticket_id"] for fact in evidence.desk if fact.type == "ticket.opened")
    for ticket in {posted.ticket_id for posted in ledger.posted.values()}:
        if opened[ticket] != 1:
            findings.add("lost" if not opened[ticket] else "opened_twice", {"ticket": ticket, "opened": opened[ticket]})


def verify_commands(ledger: Ledger, evidence: Snapshot, findings: Findings) -> None:
    """Replies and notes are counted by their unique texts, answers to offers by the offer, resolutions by ticket."""
    keys = [(asked.workspace, asked.what) for asked in ledger.of_kind("reply", "note")]
    if len(keys) != len(set(keys)):
        raise RuntimeError("the load said the same text twice")
    said = Counter(
        (fact.workspace, fact.body["text"]) for fact in evidence.desk if fact.type in ("ticket.replied", "ticket.noted")
    )
    kept = Counter((row["workspace"], row["text"]) for row in evidence.routing_messages if row["direction"] != "in")
    for asked in ledger.of_kind("reply", "note"):
        facts, rows = said[asked.workspace, asked.what], kept[asked.workspace, asked.what]
        example = {"asked": str(asked), "facts": facts, "rows": rows}
        if asked.fate is Fate.ACKNOWLEDGED and min(facts, rows) < 1:
            findings.add("commands_lost", example)
        elif asked.fate is Fate.REFUSED and max(facts, rows):
            findings.add("commands_applied_though_refused", example)
        if max(facts, rows) > 1:
            findings.add("commands_doubled", example)
    _verify_offers(ledger, evidence, findings)
    _verify_resolutions(ledger, evidence, findings)


def _verify_offers(ledger: Ledger, evidence: Snapshot, findings: Findings) -> None:
    ended = Counter(
        (fact.workspace, fact.body["offer_id"], fact.type) for fact in evidence.desk if fact.type in ENDS.values()
    )
    for (workspace, offer, kind), count in ended.items():
        if count > 1:
            findings.add("commands_doubled", {"workspace": workspace, "offer": offer, kind: count})
    acknowledged: Counter[tuple[str, str]] = Counter()
    for asked in ledger.of_kind("accept", "reject"):
        if asked.fate is Fate.ACKNOWLEDGED:
            acknowledged[asked.workspace, asked.what] += 1
            if not ended[asked.workspace, asked.what, ENDS[asked.kind]]:
                findings.add("commands_lost", {"asked": str(asked)})
    for (workspace, offer), count in acknowledged.items():
        if count > 1:
            findings.add("commands_doubled", {"workspace": workspace, "offer": offer, "acknowledged": count})


def _verify_resolutions(ledger: Ledger, evidence: Snapshot, findings: Findings) -> None:
    resolved = Counter(
        (fact.workspace, fact.body["ticket_id"], fact.body["by"]["id"])
        for fact in evidence.desk
        if fact.type == "ticket.resolved"
    )
    acknowledged: Counter[tuple[str, str, str]] = Counter()
    possible: Counter[tuple[str, str, str]] = Counter()
    for asked in ledger.of_kind("resolve"):
        key = (asked.workspace, asked.ticket_id, asked.agent)
        acknowledged[key] += asked.fate is Fate.ACKNOWLEDGED
        possible[key] += asked.fate is not Fate.REFUSED
    for key in possible:
        example = {"key": key, "facts": resolved[key], "acknowledged": acknowledged[key], "possible": possible[key]}
        if resolved[key] < acknowledged[key]:
            findings.add("commands_lost", example)
        elif resolved[key] > possible[key]:
            findings.add("commands_doubled", example)
