"""Intake's lane: what the desk decided that intake must know, and what routing's API asks of attachments. It emits
nothing and has no timers.

`ticket.closed` lets the conversation go, or leads it to the ticket into which that one was merged, `config.applied`
gives connectors their new version, `ticket.replied` puts a public reply into the connector's queue, `ticket.opened`
keeps the conversation that an agent began. All of it is only written here; sending is the delivery loop's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from pointsman.contracts.codec import all_but
from pointsman.contracts.commands import AttachmentsDescribe
from pointsman.contracts.desk import TicketClosed, TicketOpened, TicketReopened, TicketReplied
from pointsman.contracts.workspace import ConfigApplied
from pointsman.core.cause import Cause, RecordCause, TimerCause
from pointsman.core.decision import NOTHING, Decision
from pointsman.core.instant import Instant
from pointsman.core.journal import Journal
from pointsman.runtime.logic import Batch, Database
from pointsman_intake.accept.reports import order_numbers
from pointsman_intake.accept.threads import take_part
from pointsman_intake.agent_threads import begin
from pointsman_intake.connectors import store_version
from pointsman_intake.reply_mail import as_mails

# In the order in which accepting locks threads, so that the two never dead-lock.
_LET_GO = """
WITH closing AS (
    SELECT t.workspace, t.connector, t.thread, k.merged_into
    FROM unnest($1::text[], $2::text[], $3::text[]) AS k (workspace, ticket_id, merged_into)
    JOIN thread t ON t.workspace = k.workspace AND t.ticket_id = k.ticket_id
    ORDER BY 1, 2, 3 FOR UPDATE OF t
)
UPDATE thread t
SET closed = c.merged_into IS NULL, ticket_id = coalesce(c.merged_into, t.ticket_id)
FROM closing c WHERE t.workspace = c.workspace AND t.connector = c.connector AND t.thread = c.thread
"""

# A message that had been threaded before its ticket closed opened it again: the conversation is the ticket's as before,
# unless it has begun another meanwhile.
_TAKE_BACK = """
WITH reopened AS (
    SELECT t.workspace, t.connector, t.thread
    FROM unnest($1::text[], $2::text[]) AS k (workspace, ticket_id)
    JOIN thread t ON t.workspace = k.workspace AND t.ticket_id = k.ticket_id
    WHERE t.closed ORDER BY 1, 2, 3 FOR UPDATE OF t
)
UPDATE thread t SET closed = false
FROM reopened r WHERE t.workspace = r.workspace AND t.connector = r.connector AND t.thread = r.thread
"""

# How a connector's replies leave is looked up in the newest version that this service has.
_QUEUE = """
INSERT INTO delivery (workspace, id, connector, thread, ticket_id, customer_id, push, body, due_at, created_at,
                      updated_at)
SELECT k.workspace, k.id, k.connector, k.thread, k.ticket_id,
       CASE WHEN t.recipient IS NULL THEN k.customer_id ELSE t.customer_id END,
       coalesce(c.connectors -> k.connector -> 'send' ->> 'kind' = 'webhook', false),
       CASE WHEN t.recipient IS NULL THEN k.body::json
            ELSE (k.body::jsonb || jsonb_build_object('recipient', t.recipient))::json END, $8, $8, $8
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
    AS k (workspace, id, connector, thread, ticket_id, customer_id, body, place)
LEFT JOIN LATERAL (
    SELECT connectors FROM config WHERE config.workspace = k.workspace ORDER BY version DESC LIMIT 1
) c ON true
LEFT JOIN thread t ON t.workspace = k.workspace AND t.connector = k.connector AND t.thread = k.thread
ORDER BY k.place
ON CONFLICT DO NOTHING
RETURNING workspace, connector
"""

_FILES = """
SELECT DISTINCT a.workspace, a.id, a.name, a.content_type, a.size
FROM unnest($1::text[], $2::text[]) AS k (workspace, id) JOIN attachment a USING (workspace, id)
"""


_CARRY = """
INSERT INTO carried (workspace, attachment_id, connector)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
"""


@dataclass(slots=True)
class IntakeLane:
    """Nothing stays in memory: each batch is written as it came. `files` are what a batch's questions ask about."""

    journal: Journal = field(default_factory=Journal)
    files: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)


class IntakeLogic:
    """LaneLogic of intake."""

    gates: Mapping[str, frozenset[str]] = {}
    blind_kinds: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset((AttachmentsDescribe.type,))
    ignores: Mapping[str, frozenset[str]] = {
        "desk": all_but("desk", (ConfigApplied, TicketClosed, TicketReopened, TicketOpened, TicketReplied))
    }
    linger: Mapping[str, float] = dict.fromkeys(("desk", "commands"), 0.25)
    refresh_seconds: float = 3600.0

    async def load(self, db: Database, lane: int, now: Instant) -> IntakeLane:
        return IntakeLane()

    async def refresh(self, db: Database, state: IntakeLane, now: Instant) -> None:
        """Nothing: there are no timers."""

    async def gather(self, db: Database, state: IntakeLane, causes: Sequence[Cause]) -> None:
        """The files that are asked about; every fact says all that is needed."""
        asked = [
            (cause.workspace, id)
            for cause in causes
            if isinstance(cause, RecordCause)
            for body in cause.bodies
            if isinstance(body, AttachmentsDescribe)
            for id in body.attachment_ids
        ]
        rows = await db.fetch(_FILES, *map(list, zip(*asked, strict=True))) if asked else ()
        state.files = {(row["workspace"], row["id"]): _described(row) for row in rows}

    def decide(self, state: IntakeLane, cause: Cause, now: Instant) -> Decision:
        """Every fact is taken as it is; a question is answered with those files that there are."""
        if isinstance(cause, RecordCause) and isinstance(question := cause.bodies[0], AttachmentsDescribe):
            found = (state.files.get((cause.workspace, id)) for id in question.attachment_ids)
            return Decision(answer={"attachments": [one for one in found if one is not None]})
        return NOTHING

    async def write(self, db: Database, state: IntakeLane, batch: Batch) -> None:
        """Configuration first, then conversations that began, those that were let go, and replies, each in a handful of
        statements."""
        ended: dict[tuple[str, str], TicketClosed | TicketReopened] = {}
        replied: list[tuple[str, TicketReplied]] = []
        begun: list[tuple[str, TicketOpened]] = []
        for decided in batch.decided:
            cause = decided.cause
            if not isinstance(cause, RecordCause):
                continue
            for body in cause.bodies:
                if isinstance(body, ConfigApplied):
                    await store_version(db, cause.workspace, body.config_version, body.document, body.applied_at)
                elif isinstance(body, TicketClosed | TicketReopened):
                    ended[cause.workspace, body.ticket_id] = body
                elif isinstance(body, TicketOpened) and body.recipient is not None:
                    begun.append((cause.workspace, body))
                elif isinstance(body, TicketReplied) and body.deliver:
                    replied.append((cause.workspace, body))
        if begun:
            await begin(db, begun, batch.now)
        closed = [(workspace, body) for (workspace, _), body in ended.items() if isinstance(body, TicketClosed)]
        if closed:
            rows = sorted(_let_go(closed), key=str)
            await db.execute(_LET_GO, *map(list, zip(*rows, strict=True)))
        reopened = sorted(key for key, body in ended.items() if isinstance(body, TicketReopened))
        if reopened:
            await db.execute(_TAKE_BACK, *map(list, zip(*reopened, strict=True)))
        if replied:
            await _queue(db, replied, batch.now)

    def committed(self, state: IntakeLane) -> None:
        state.journal.forget()

    def earliest(self, state: IntakeLane) -> Mapping[str, Instant]:
        return {}

    def due(self, state: IntakeLane, kind: str, until: Instant, count_max: int) -> Sequence[TimerCause]:
        return ()


def _described(row: Any) -> dict[str, Any]:
    known = {name: row[name] for name in ("name", "content_type", "size") if row[name] is not None}
    return {"attachment_id": row["id"], **known}


def _let_go(closed: Sequence[tuple[str, TicketClosed]]) -> set[tuple[str, str, str | None]]:
    """(workspace, ticket, where its conversations go: None, nowhere). A ticket may be merged on in the same batch."""
    into = {(workspace, fact.ticket_id): fact.merged_into for workspace, fact in closed if fact.merged_into}
    rows = set()
    for workspace, fact in closed:
        end = fact.merged_into
        while end is not None and (workspace, end) in into:
            end = into[workspace, end]
        rows.add((workspace, fact.ticket_id, end))
    return rows


async def _queue(db: Database, replied: Sequence[tuple[str, TicketReplied]], now: Instant) -> None:
    for workspace in sorted({workspace for workspace, _ in replied}):
        await order_numbers(db, workspace)
    mails = await as_mails(db, replied)
    rows = [
        (
            workspace,
            reply.message_id,
            reply.connector,
            reply.thread,
            reply.ticket_id,
            reply.customer.id,
            orjson.dumps(_body(reply) | mails.get(reply.message_id, {}), option=orjson.OPT_UTC_Z).decode(),
        )
        for workspace, reply in replied
    ]
    queued = await db.fetch(_QUEUE, *map(list, zip(*rows, strict=True)), now)
    carried = {
        (workspace, file.attachment_id, reply.connector)
        for workspace, reply in replied
        for file in reply.attachments
        if file.attachment_id is not None
    }
    if carried:
        await db.execute(_CARRY, *map(list, zip(*sorted(carried), strict=True)))
    copied = [
        ((workspace, reply.connector, reply.thread), one)
        for workspace, reply in replied
        if reply.message_id in mails
        for one in reply.cc
    ]
    await take_part(db, copied)
    for workspace, connector in sorted({(row["workspace"], row["connector"]) for row in queued}):
        await db.execute("SELECT pg_notify('intake', $1)", f"delivery:{workspace}/{connector}")


def _body(reply: TicketReplied) -> dict[str, Any]:
    """What the connector gets, beside the ids: the reply as the desk told it."""
    return reply.model_dump(exclude_none=True, exclude={"ticket_id", "message_id", "connector", "thread", "deliver"})
