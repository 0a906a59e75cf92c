"""The desk's tables: the lane's state as rows, and the reading side of the HTTP API.

Written only by the worker that owns the workspace's lane, in the batch's transaction. `change` is the workspace's own
counter of changes: a row carries the count at its last change, so `WHERE change > :seen ORDER BY change` is a cursor
over everything that happened, gap or no gap, in commit order within a workspace.

ticket
    The shape of API.md, with `customer_*` for `customer`, and: `thread` (where replies go), `weight` (units charged),
    `agent` the holder and `charged` whether the weight is on the holder now (false while pending frees it), `offer_id`
    (the pending offer, which names the agent that it is shown to; `agent` is null then), `labelled` (labels that a
    person set), `marked` (what was raised when the ticket went to `otherwise` for that), `started_by` customer or
    agent (then `customer_*` may only be known once they answer), `updated_at` (time of the last fact), `queued_at`
    (when it last entered the queue), `unanswered_since` (the
    oldest unanswered customer message), `declined` {agent: instant from which it may be asked again}, `offers` (those
    that failed since it was queued), `recent` (the last message ids, newest last) and `inbound` (a
    bit for each that is the customer's, the lowest for the newest), `last_agent`, `reserved_for` (the agent for whom
    alone it waits until `reserved_until`), `assigned_at` (when its holder last got it, while it is assigned),
    `charge` [since when, by which version, whether by a supervisor's override it is charged], `entrusted_to` (the agent
    to whom a supervisor gave it by name, until it is closed), and the instants of its timers: `pending_until`,
    `resolves_at`, `wrap_up_until`, `closes_at`, `abandons_at`, `requeues_at`, `retry_at`. `left_at` is set while the
    customer is away. In wrap-up the ticket is `resolved`, and `agent` with `charged` still stands. `held` (hours,
    closed) says why a queued ticket is offered to nobody, `turned_away` that the rule of a shut or full queue ran for
    it, `unanswerable` that no automatic reply answers the customer's latest message.
message
    The shape of API.md. `number` counts the ticket's messages of one change from 1. `delivery` is null for inbound
    ones and notes.
offer
    The shape of API.md; `reason` is the sentence shown, `why` the stored explanation (rule 16, at most 2 KB),
    `ended_reason` the agent's words or the cause of a rescind. An agent's pending offers and what changed since a
    cursor: `agent = :a AND (state = 'pending' OR change > :seen)`.
assignment
    One row each time an agent became the holder without an offer, with the explanation.
agent
    Presence and load: `state`, `set_by`, `reason`, `channels` (null: all), `load` (units), `in_hand` {channel:
    tickets}; `resume` (what the first renewal after a lapse restores), `held` by a supervisor until `held_until` (null:
    until released), `gone_at` (since when no session lives), `handle_seconds` (how long their
    tickets take, lately), `active` false when the configuration names the agent no
    more.
agent_state
    How an agent stood after each decision that changed them, for "why not that agent".
session
    Leases of agents' app sessions.
config_version
    Every version of the workspace document, as it was given, `holidays_of` and `ical` as dates.
clock_fact
    What sla said of clocks and alerts: `type` and `body` as on the topic, `cause` its record there, `subject` what that
    is about, `ticket_id` the ticket concerned, if it is one. It came after our own record `after_number` (of `source`)
    and before the next, those in between in the order of `change` and `number`: so the two together are one list in
    the order of commits (see `told`).
job
    One action on many tickets: `ids` (until it is finished), `done` of `total` asked, `failed` of them refused, the
    first of these in `errors`; `moved_at` when it last went on.
token
    What is needed to list and revoke; never the token.
webhook, webhook_delivery
    Events by webhook: see pointsman_routing.webhooks, which writes what is not a definition.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pointsman.contracts.workspace import ConfigApplied
from pointsman.runtime.logic import Batch, Database
from pointsman_routing import jobs
from pointsman_routing.amending import amend
from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.draft import Changes
from pointsman_routing.rows import (
    AGENT,
    AGENT_STATE,
    ASSIGNMENT,
    CLOCK_FACT,
    CONFIG_VERSION,
    FILE,
    MESSAGE,
    OFFER,
    SESSION,
    TOKEN,
    WORKSPACE,
    Table,
    agent_row,
    agent_state_row,
    columns_of,
    inbound_row,
    plain_row,
    token_row,
)
from pointsman_routing.ticket_columns import TICKET, ticket_row
from pointsman_routing.webhooks import queue

NOTHING = "DO NOTHING"

END_OFFERS = """
    UPDATE offer SET state = given.state, ended_at = given.ended_at, ended_reason = given.reason, change = given.change
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bigint[])
         AS given (workspace, id, state, ended_at, reason, change)
    WHERE offer.workspace = given.workspace AND offer.id = given.id
"""

DELIVER = """
    UPDATE message SET delivery = given.delivery, delivery_reason = given.reason
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS given (workspace, id, delivery, reason)
    WHERE message.workspace = given.workspace AND message.id = given.id
      AND (message.delivery IS DISTINCT FROM 'delivered' OR given.delivery = 'delivered')
"""

MOVE = """
    UPDATE message SET ticket_id = given.ticket_id
    FROM unnest($1::text[], $2::text[], $3::text[]) AS given (workspace, id, ticket_id)
    WHERE message.workspace = given.workspace AND message.id = given.id
"""

END_SESSIONS = """
    DELETE FROM session USING unnest($1::text[], $2::text[], $3::text[]) AS given (workspace, agent, session)
    WHERE session.workspace = given.workspace AND session.agent = given.agent AND session.session = given.session
"""

_APPENDED = (CONFIG_VERSION, MESSAGE, FILE, ASSIGNMENT, CLOCK_FACT, AGENT_STATE)
_UPSERTS = {table.name: table.upsert() for table in (WORKSPACE, TICKET, AGENT, SESSION, TOKEN, OFFER)}
_INSERTS = {table.name: table.insert(otherwise=NOTHING) for table in _APPENDED}


async def write(db: Database, batch: Batch, desks: Iterable[Desk]) -> None:
    """Everything that these desks changed, in the transaction that is open: at most one statement per table."""
    desks, lane = list(desks), batch.lane
    await _put(
        db,
        WORKSPACE,
        [
            (
                desk.workspace,
                lane,
                desk.policy.version,
                desk.change,
                desk.round_robin,
                desk.late_credits,
                {queue: closing._asdict() for queue, closing in desk.closings.items()},
                [tuple(move) for move in desk.moves],
            )
            for desk in desks
            if desk.configured
        ],
    )
    changed = [(desk.workspace, desk.changes) for desk in desks]
    await _put(db, CONFIG_VERSION, _rows(CONFIG_VERSION, changed, lambda changes: changes.versions))
    for desk in desks:
        if desk.changes.versions:
            number = _number_before_version(batch, desk.workspace)
            await queue.define(db, desk.workspace, lane, desk.policy.document, batch.source, number)
    await _put(db, TICKET, [ticket_row(name, t) for name, changes in changed for t in changes.tickets.values()])
    inbound = [inbound_row(name, inbound) for name, changes in changed for inbound in changes.inbound]
    await _put(db, MESSAGE, [*inbound, *_rows(MESSAGE, changed, lambda changes: changes.messages)])
    await amend(db, [(name, each) for name, changes in changed for each in changes.inbound])
    await _put(db, FILE, _rows(FILE, changed, lambda changes: changes.files))
    moved = [(name, id, ticket) for name, changes in changed for id, ticket in changes.moved.items()]
    if moved:
        await db.execute(MOVE, *columns_of(moved))
    await _write_offers(db, changed)
    await _put(db, ASSIGNMENT, _rows(ASSIGNMENT, changed, lambda changes: changes.assignments))
    await _put(db, AGENT, [agent_row(name, agent) for name, changes in changed for agent in changes.agents.values()])
    states = [agent_state_row(name, said) for name, changes in changed for said in changes.agent_states]
    await _put(db, AGENT_STATE, states)
    await _write_sessions(db, changed)
    await jobs.write(db, changed)
    await _put(db, TOKEN, [token_row(name, token) for name, changes in changed for token in changes.tokens.values()])
    if any(changes.clock_facts for _, changes in changed):
        _place_in_order(batch, changed)
        await _put(db, CLOCK_FACT, _rows(CLOCK_FACT, changed, lambda changes: changes.clock_facts))
    delivered = [
        (name, row["id"], row["delivery"], row["delivery_reason"])
        for name, changes in changed
        for row in {row["id"]: row for row in changes.deliveries}.values()
    ]
    if delivered:
        await db.execute(DELIVER, *columns_of(delivered))


def _place_in_order(batch: Batch, changed: Sequence[tuple[str, Changes]]) -> None:
    """Says of each fact of sla after which of our own records it came."""
    number, before = batch.last_number, {}
    for decided in batch.decided:
        before[decided.cause.id] = number
        number += len(decided.decision.emissions)
    for _, changes in changed:
        for row in changes.clock_facts:
            row["source"], row["after_number"] = batch.source, before[row["cause"]]


def _number_before_version(batch: Batch, workspace: str) -> int:
    """The number of the last record before the first version that this batch applied."""
    number = batch.last_number
    for decided in batch.decided:
        for emission in decided.decision.emissions:
            if emission.workspace == workspace and any(fact.type == ConfigApplied.type for fact in emission.facts):
                return number
            number += 1
    return number


def _rows(table: Table, changed: Sequence[tuple[str, Changes]], pick: Any) -> list[tuple[Any, ...]]:
    return [plain_row(table, name, values) for name, changes in changed for values in pick(changes)]


async def _put(db: Database, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        statement = _UPSERTS.get(table.name) or _INSERTS[table.name]
        await db.execute(statement, table.text_of(rows))


async def _write_offers(db: Database, changed: Sequence[tuple[str, Changes]]) -> None:
    """New offers as they stand at the end of the batch; the end of older ones."""
    made, ended = [], []
    for workspace, changes in changed:
        for id, offer in changes.offers_made.items():
            end = changes.offers_ended.get(id)
            values = {**offer, "state": "pending"}
            if end is not None:
                values |= {"state": end["state"], "ended_at": end["ended_at"], "ended_reason": end["reason"]}
                values["change"] = end["change"]
            made.append(plain_row(OFFER, workspace, values))
        ended += [
            (workspace, id, end["state"], end["ended_at"], end["reason"], end["change"])
            for id, end in changes.offers_ended.items()
            if id not in changes.offers_made
        ]
    await _put(db, OFFER, made)
    if ended:
        await db.execute(END_OFFERS, *columns_of(ended))


async def _write_sessions(db: Database, changed: Sequence[tuple[str, Changes]]) -> None:
    sessions = [
        (workspace, agent, session, until)
        for workspace, changes in changed
        for (agent, session), until in changes.sessions.items()
    ]
    await _put(db, SESSION, [row for row in sessions if row[3] is not None])
    ended = [row[:3] for row in sessions if row[3] is None]
    if ended:
        await db.execute(END_SESSIONS, *columns_of(ended))
