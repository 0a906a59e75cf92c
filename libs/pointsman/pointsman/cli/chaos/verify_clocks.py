"""Invariant 5: which clocks must have breached, found naively from the desk's facts, against what sla announced.

The calendar is always open, so that a clock is a sum of stretches. Nothing of the sla service is used here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from pointsman.cli.chaos.document import PAUSES, TARGETS
from pointsman.cli.chaos.evidence import Fact, Snapshot
from pointsman.cli.chaos.findings import Findings
from pointsman.core.instant import Instant, parse_rfc3339

GRACE = timedelta(seconds=2)
"""A breach that came due so shortly before the snapshot may be announced or not."""
SAME = timedelta(milliseconds=1)

Key = tuple[str, str, int]
"""(ticket, metric, cycle)."""


@dataclass
class ExpectedClocks:
    """One ticket's clocks as they should be. `breaches` are the instants at which each ran out; `shelved` the response
    that was due when it was resolved, and when that was."""

    id: str
    channel: str
    opened_at: Instant
    opening_message: str
    open: bool = True
    responded: bool = False
    customer_wrote: bool = False
    unanswered: list[Instant] = field(default_factory=list)
    response: tuple[str, int, Instant] | None = None
    shelved: tuple[tuple[str, int, Instant], Instant] | None = None
    cycles: dict[str, int] = field(default_factory=dict)
    runs_since: Instant | None = None
    elapsed: timedelta = timedelta()
    breaches: dict[Key, Instant] = field(default_factory=dict)

    def await_response(self, since: Instant) -> None:
        metric = "next_response" if self.responded else "first_response"
        if self.response is None and metric in TARGETS[self.channel]:
            cycle = self.cycles[metric] = self.cycles.get(metric, 0) + 1
            self.response = (metric, cycle, since)

    def end_response(self, at: Instant) -> None:
        if self.response is not None:
            metric, cycle, since = self.response
            due = since + timedelta(seconds=TARGETS[self.channel][metric])
            if at > due:
                self.breaches.setdefault((self.id, metric, cycle), due)
            self.response = None

    def run_resolution(self, at: Instant) -> None:
        if self.runs_since is None and "resolution" in TARGETS[self.channel]:
            self.runs_since = at

    def stop_resolution(self, at: Instant) -> None:
        if self.runs_since is None:
            return
        target = timedelta(seconds=TARGETS[self.channel]["resolution"])
        ran = self.elapsed + (at - self.runs_since)
        key = (self.id, "resolution", 1)
        if ran > target and key not in self.breaches:
            self.breaches[key] = self.runs_since + (target - self.elapsed)
        self.elapsed, self.runs_since = ran, None


def expected_breaches(facts: Iterable[Fact], until: Instant) -> dict[Key, Instant]:
    """The breaches that the facts of the desk lead to, with their instants, as things stand at `until`."""
    tickets: dict[str, ExpectedClocks] = {}
    for fact in facts:
        if fact.type == "ticket.opened":
            tickets[fact.body["ticket_id"]] = _opened(fact)
            continue
        ticket = tickets.get(fact.body.get("ticket_id", ""))
        if ticket is not None:
            _advance(ticket, fact)
    breaches: dict[Key, Instant] = {}
    for ticket in tickets.values():
        ticket.end_response(until)
        ticket.stop_resolution(until)
        breaches.update(ticket.breaches)
    return breaches


def _opened(fact: Fact) -> ExpectedClocks:
    opened_at = parse_rfc3339(fact.body["opened_at"])
    ticket = ExpectedClocks(fact.body["ticket_id"], fact.body["channel"], opened_at, fact.body["message_id"])
    ticket.run_resolution(opened_at)
    ticket.customer_wrote = True
    ticket.unanswered.append(opened_at)
    ticket.await_response(opened_at)
    return ticket


def _advance(ticket: ExpectedClocks, fact: Fact) -> None:
    at = fact.at
    match fact.type:
        case "message.received":
            if fact.body["author"]["kind"] == "customer" and fact.body["message_id"] != ticket.opening_message:
                ticket.unanswered.append(at)
                ticket.customer_wrote, ticket.shelved = True, None
                if ticket.open:
                    ticket.await_response(at)
        case "ticket.replied":
            ticket.end_response(at)
            ticket.responded = True
            ticket.unanswered.clear()
        case "ticket.pended":
            if fact.body["waiting_on"] in PAUSES[ticket.channel]:
                ticket.stop_resolution(at)
        case "ticket.snoozed":
            if "snoozed" in PAUSES[ticket.channel]:
                ticket.stop_resolution(at)
        case "ticket.woken":
            ticket.run_resolution(at)
        case "ticket.resolved":
            ticket.open = False
            ticket.shelved = None if ticket.response is None else (ticket.response, at)
            ticket.end_response(at)
            ticket.stop_resolution(at)
            ticket.unanswered.clear()
        case "ticket.reopened":
            ticket.open = True
            ticket.run_resolution(at)
            if ticket.unanswered:
                ticket.await_response(ticket.unanswered[0])
            elif not ticket.responded and ticket.customer_wrote:
                ticket.await_response(at)
            elif ticket.shelved is not None:  # nobody wrote since: the same question is due, less what it had waited
                (metric, cycle, since), resolved_at = ticket.shelved
                ticket.response = (metric, cycle, since + (at - resolved_at))


def verify_clocks(evidence: Snapshot, findings: Findings) -> None:
    """Compares the breaches that stand with those that must, by the facts that sla had read. A clock that a recompute
    restated has another promise than the document's: only that it breaches at most once and not early holds of it."""
    facts = list(evidence.read_by("sla", "desk"))
    certain = expected_breaches(facts, evidence.now - GRACE)
    possible = expected_breaches(facts, evidence.now)
    standing, announced = _announced(evidence, findings)
    restated = {_key(fact.body) for fact in evidence.sla if fact.type == "clock.restated"}
    for key, at in certain.items():
        if key not in standing and key not in restated:
            findings.add("missed_breaches", {"clock": key, "ran_out_at": at, "announced": announced.get(key, [])})
    for key in standing.keys() - restated:
        if key not in possible:
            findings.add("false_breaches_standing", {"clock": key, "announced": announced[key]})
        elif abs(standing[key] - possible[key]) > SAME:
            example = {"clock": key, "ran_out_at": possible[key], "announced": announced[key]}
            findings.add("false_breaches_standing", example)
    rows = {(row["ticket_id"], row["metric"], row["cycle"]) for row in evidence.metrics_clocks if row["breached"]}
    told = _standing(evidence.read_by("metrics", "sla"))
    for key in rows.symmetric_difference(told):
        findings.add("metrics_differ", {"clock": key, "breached_in_metrics": key in rows})


def _announced(evidence: Snapshot, findings: Findings) -> tuple[dict[Key, Instant], dict[Key, list[str]]]:
    """The breaches that stand, with their instants; and for each clock all that was said of breaching."""
    standing: dict[Key, Instant] = {}
    said: dict[Key, list[str]] = defaultdict(list)
    for fact in evidence.sla:
        if fact.type not in ("clock.breached", "clock.corrected"):
            continue
        key = _key(fact.body)
        said[key].append(f"{fact.number} {fact.type} at {fact.at} made {fact.made_at}")
        if fact.type == "clock.breached":
            breach_at = parse_rfc3339(fact.body["breach_at"])
            if key in standing:
                findings.add("duplicate_breaches", {"clock": key, "announced": said[key]})
            if fact.made_at < breach_at:
                findings.add("early_breaches", {"clock": key, "breach_at": breach_at, "made_at": fact.made_at})
            standing[key] = breach_at
        elif fact.body["withdraws"] == "breach":
            standing.pop(key, None)
    return standing, said


def _standing(facts: Iterable[Fact]) -> set[Key]:
    standing: set[Key] = set()
    for fact in facts:
        if fact.type == "clock.breached":
            standing.add(_key(fact.body))
        elif fact.type == "clock.corrected" and fact.body["withdraws"] == "breach":
            standing.discard(_key(fact.body))
    return standing


def _key(body: Mapping[str, object]) -> Key:
    return str(body["ticket_id"]), str(body["metric"]), int(str(body["cycle"]))
