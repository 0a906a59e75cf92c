"""Reports: what became of replies. A reply goes queued → sent → delivered → read, and never back; failed is the end,
whichever of the two comes first. What is reported by the provider's id waits until somebody tells us that id, and
counts for the attempt that has it: a reply that is sent again has failed only when the new attempt has.

A failure that is not permanent keeps a pulled reply queued, under a new number, so that it is offered again.
"""

from collections.abc import Sequence
from typing import Any

from pointsman.contracts.requests import CustomerSeen, MessageDelivered, MessageFailed
from pointsman.core.decision import Emission
from pointsman.core.instant import Instant
from pointsman.runtime.logic import Database
from pointsman_intake.accept.parking import park_reports, parked_reports
from pointsman_intake.model import Report, Reported

_BY_EXTERNAL_ID = """
SELECT k.workspace, k.connector, k.reference, s.message_id
FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, connector, reference)
JOIN sent_as s USING (workspace, connector, reference)
WHERE s.current
"""

_LOCK = """
SELECT d.workspace, d.id, d.connector, d.ticket_id, d.customer_id, d.thread, d.state, d.push, d.rounds, d.external_id,
       t.recipient
FROM unnest($1::text[], $2::text[]) AS k (workspace, id)
JOIN delivery d USING (workspace, id)
LEFT JOIN thread t ON t.workspace = d.workspace AND t.connector = d.connector AND t.thread = d.thread
ORDER BY 1, 2 FOR UPDATE OF d
"""

_WRITE = """
UPDATE delivery d
SET state = k.state, external_id = coalesce(k.external_id, d.external_id), reason = k.reason,
    rounds = k.rounds, claimed_until = NULL, updated_at = $7,
    number = CASE WHEN k.again THEN nextval('delivery_number') ELSE d.number END
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $8::boolean[])
    AS k (workspace, id, state, external_id, reason, rounds, again)
WHERE d.workspace = k.workspace AND d.id = k.id
"""

# The conversation that the provider gave to our reply leads to its ticket from now on, unless another has it. None of
# its messages opens one.
_LEARN_THREADS = """
INSERT INTO thread (workspace, connector, thread, ticket_id, customer_id, number, opened_at_number)
SELECT workspace, connector, thread, ticket_id, customer_id, 0, -1
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS k (workspace, connector, thread, ticket_id, customer_id)
ORDER BY 1, 2, 3
ON CONFLICT (workspace, connector, thread) DO UPDATE SET
    ticket_id = excluded.ticket_id, opened_at_number = -1, follow_up_of = NULL, closed = false
    WHERE thread.closed
"""

# The newest reply that a provider gave this id.
_LEARN_IDS = """
INSERT INTO sent_as (workspace, connector, reference, message_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) ORDER BY 1, 2, 3
ON CONFLICT (workspace, connector, reference) DO UPDATE SET message_id = excluded.message_id, current = true
"""

_RANK = {"queued": 0, "sent": 1, "delivered": 2, "read": 3, "failed": 4}


async def take_reports(db: Database, reports: Sequence[Report], now: Instant) -> tuple[list[Reported], list[Emission]]:
    """What each report found, and the facts of those that say something new."""
    if not reports:
        return [], []
    rows = await _locked(db, reports)
    results, emissions, threads = [], [], set()
    names: dict[tuple[str, str, str], str] = {}
    unknown: list[tuple[Report, str]] = []
    writes: dict[tuple[str, str], tuple[Any, ...]] = {}
    for report, row in zip(reports, rows, strict=True):
        if row is None:
            if report.external_id and not report.message_id:
                unknown.append((report, reference_of(report.external_id)))
            results.append(Reported(False))
            continue
        if name := reference_of(report.external_id) if report.message_id else "":
            names[row["workspace"], row["connector"], name] = row["id"]
        again = report.state == "failed" and not report.permanent
        state = row["state"]
        if state == "queued" if again else _RANK[report.state] > _RANK[state]:
            row["state"] = state = "queued" if again else report.state
            # The delivery loop counts its rounds when it claims.
            row["rounds"] += 1 if report.state == "failed" and not row["push"] else 0
            row["external_id"] = report.external_id or row["external_id"]
            writes[(row["workspace"], row["id"])] = (state, row["external_id"], report.reason, row["rounds"], again)
            emissions.append(_emission(report, row, now))
            if report.thread and report.thread != row["thread"]:
                threads.add((row["workspace"], row["connector"], report.thread, row["ticket_id"], row["customer_id"]))
        results.append(Reported(True, row["id"], state))
    await _write(db, writes, now)
    if names:
        learnt = ((*key, id) for key, id in sorted(names.items()))
        await db.execute(_LEARN_IDS, *map(list, zip(*learnt, strict=True)))
    if threads:
        await db.execute(_LEARN_THREADS, *map(list, zip(*sorted(threads), strict=True)))
    await park_reports(db, unknown, now)
    _, late = await take_reports(db, await parked_reports(db, list(names)), now)
    return results, [*emissions, *late]


def reference_of(external_id: str | None) -> str:
    """A provider's id as it is compared: a Message-ID is the same with its angles and without."""
    return (external_id or "").strip("<> ")


async def _locked(db: Database, reports: Sequence[Report]) -> list[dict[str, Any] | None]:
    """The locked row of each report's reply, one value per reply; None where its connector has no such reply."""
    asked = sorted({(r.workspace, r.connector, reference_of(r.external_id)) for r in reports if not r.message_id})
    ids: dict[tuple[str, str, str], str] = {}
    if asked:
        found = await db.fetch(_BY_EXTERNAL_ID, *map(list, zip(*asked, strict=True)))
        ids = {(row[0], row[1], row[2]): row[3] for row in found}
    named = [
        (r.workspace, r.message_id or ids.get((r.workspace, r.connector, reference_of(r.external_id)))) for r in reports
    ]
    keys = sorted({(workspace, id) for workspace, id in named if id})
    if not keys:
        return [None] * len(reports)
    locked = await db.fetch(_LOCK, *map(list, zip(*keys, strict=True)))
    rows = {(row["workspace"], row["id"]): dict(row) for row in locked}
    return [
        row if (row := rows.get((workspace, id or ""))) and row["connector"] == report.connector else None
        for report, (workspace, id) in zip(reports, named, strict=True)
    ]


async def _write(db: Database, writes: dict[tuple[str, str], tuple[Any, ...]], now: Instant) -> None:
    if not writes:
        return
    for workspace in sorted({workspace for (workspace, _), write in writes.items() if write[-1]}):
        await order_numbers(db, workspace)
    workspaces, ids, states, externals, reasons, rounds, again = map(
        list, zip(*((*key, *write) for key, write in writes.items()), strict=True)
    )
    await db.execute(_WRITE, workspaces, ids, states, externals, reasons, rounds, now, again)


async def order_numbers(db: Database, workspace: str) -> None:
    """Until the commit nobody else numbers deliveries of this workspace, so that numbers appear in their order."""
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 4711))", f"delivery:{workspace}")


def _emission(report: Report, row: dict[str, Any], now: Instant) -> Emission:
    fact: MessageFailed | MessageDelivered
    if report.state == "failed":
        fact = MessageFailed(
            message_id=row["id"],
            ticket_id=row["ticket_id"],
            connector=row["connector"],
            reason=report.reason or "the provider refused it",
            permanent=report.permanent,
            attempts=row["rounds"],
        )
    else:
        fact = MessageDelivered(
            message_id=row["id"],
            ticket_id=row["ticket_id"],
            connector=row["connector"],
            state=report.state,
            external_id=row["external_id"],
            customer=_customer(row["recipient"]),
        )
    return Emission(row["workspace"], row["ticket_id"], now, (fact,))


def _customer(recipient: dict[str, Any] | None) -> CustomerSeen | None:
    """Who is written to in a conversation that an agent began."""
    if recipient is None:
        return None
    names = ("id", "name", "email", "handle")
    return CustomerSeen(**{name: recipient[name] for name in names if name in recipient})
