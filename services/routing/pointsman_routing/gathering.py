"""What a batch asks for before it is decided (gather): resolved tickets that somebody writes to, offers that ended, who
dealt last with a customer, a ticket's messages, and what was stored with a decision that somebody wants explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pointsman.contracts.document import Document
from pointsman.runtime.logic import Database
from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.model import TicketMessage
from pointsman_routing.desk.state.past import Past, look_back
from pointsman_routing.desk.state.policy import compile_policy
from pointsman_routing.loading import Desks
from pointsman_routing.ticket_columns import TICKET_COLUMNS, ticket_of

# A plan outlives the size that the tables had when it was made. So what is asked for comes first, and each is looked up
# by its id alone (`OFFSET 0` keeps the workspace out of it): then no plan can read all that a workspace has.
TICKETS_BY_ID = f"""
    SELECT {TICKET_COLUMNS} FROM unnest($1::text[], $2::text[]) AS asked (in_workspace, wanted)
    JOIN LATERAL (SELECT * FROM ticket WHERE ticket.id = wanted OFFSET 0) AS found ON found.workspace = in_workspace
"""
OFFERS_BY_ID = """
    SELECT workspace, id, ticket_id FROM unnest($1::text[], $2::text[]) AS asked (in_workspace, wanted)
    JOIN LATERAL (SELECT * FROM offer WHERE offer.id = wanted OFFSET 0) AS found ON found.workspace = in_workspace
"""
LAST_AGENTS = """
    SELECT asked.workspace, asked.customer, dealt.last_agent
    FROM unnest($1::text[], $2::text[]) AS asked (workspace, customer), LATERAL (
        SELECT last_agent FROM ticket
        WHERE ticket.workspace = asked.workspace AND ticket.customer_id = asked.customer AND last_agent IS NOT NULL
        ORDER BY opened_at DESC LIMIT 1
    ) AS dealt
"""
WRITTEN = """
    WITH RECURSIVE matter AS (
        SELECT $2::text AS id
        UNION SELECT source.id FROM ticket source JOIN matter ON source.merged_into = matter.id
        WHERE source.workspace = $1
    )
    SELECT m.id, m.change, m.number, m.direction, m.kind, m.author_kind, m.author_id, m.author_name, m.automatic,
           m.received_at, m.subject,
           CASE WHEN m.id = ANY($3::text[]) THEN m.text ELSE '' END AS text,
           CASE WHEN m.id = ANY($3::text[]) THEN m.reply_text END AS reply_text,
           coalesce(m.connector, t.connector) AS connector, coalesce(m.channel, t.channel) AS channel,
           coalesce(m.thread, t.thread) AS thread
    FROM matter JOIN ticket t ON t.workspace = $1 AND t.id = matter.id
    JOIN message m ON m.workspace = $1 AND m.ticket_id = matter.id
    ORDER BY m.change, m.number
"""
MESSAGES_BY_ID = """
    SELECT m.workspace, owner.id AS owner, m.id, m.change, m.number, m.direction, m.kind, m.author_kind, m.author_id,
           m.author_name, m.automatic, m.received_at, m.subject, '' AS text, NULL AS reply_text,
           coalesce(m.connector, t.connector) AS connector, coalesce(m.channel, t.channel) AS channel,
           coalesce(m.thread, t.thread) AS thread
    FROM unnest($1::text[], $2::text[]) AS asked (workspace, id)
    JOIN LATERAL (SELECT * FROM message WHERE message.id = asked.id OFFSET 0) AS m ON m.workspace = asked.workspace
    JOIN LATERAL (SELECT * FROM ticket WHERE ticket.id = m.ticket_id OFFSET 0) AS t ON t.workspace = m.workspace,
    LATERAL (
        WITH RECURSIVE onward AS (
            SELECT t.id, t.merged_into
            UNION SELECT next.id, next.merged_into
            FROM onward JOIN LATERAL (SELECT * FROM ticket WHERE ticket.id = onward.merged_into OFFSET 0) AS next
            ON next.workspace = m.workspace
        )
        SELECT onward.id FROM onward WHERE onward.merged_into IS NULL
    ) AS owner
"""
STORED_WHY = """
    SELECT workspace, ticket_id, agent, reason, why, at, config_version, change FROM (
        SELECT workspace, ticket_id, agent, reason, why, offered_at AS at, config_version,
               coalesce((why ->> 'change')::bigint, change) AS change
        FROM offer
        UNION ALL SELECT workspace, ticket_id, agent, reason, why, at, config_version, change FROM assignment
    ) AS decided
    WHERE workspace = $1 AND ticket_id = $2 ORDER BY at DESC LIMIT 1
"""
STATE_BEFORE = """
    SELECT state, set_by, reason, channels, load, in_hand, units FROM agent_state
    WHERE workspace = $1 AND agent = $2 AND change < $3 ORDER BY change DESC LIMIT 1
"""
DECLINED_BEFORE = """
    SELECT EXISTS (SELECT FROM offer WHERE workspace = $1 AND ticket_id = $2 AND agent = $3 AND ended_at <= $4
                   AND state IN ('rejected', 'expired'))
"""
DOCUMENT = "SELECT document FROM config_version WHERE workspace = $1 AND version = $2"


async def read_guests(db: Database, state: Desks, asked: Sequence[tuple[str, str]]) -> None:
    """Makes these tickets, (workspace, id), resident for the batch, if they exist; and those they were merged into."""
    while asked:
        merged = []
        for row in await db.fetch(TICKETS_BY_ID, [name for name, _ in asked], [id for _, id in asked]):
            desk = state.desks[row["workspace"]]
            if row["id"] not in desk.tickets:
                desk.tickets[row["id"]] = ticket_of(desk, row, None)
                state.guests.add((desk.workspace, row["id"]))
            if row["merged_into"] is not None and row["merged_into"] not in desk.tickets:
                merged.append((desk.workspace, row["merged_into"]))
        asked = merged


async def read_ended_offers(db: Database, state: Desks, asked: Sequence[tuple[str, str]]) -> None:
    """Tells the desks whose tickets these ended offers, (workspace, id), were about."""
    if asked:
        for row in await db.fetch(OFFERS_BY_ID, [name for name, _ in asked], [id for _, id in asked]):
            state.desks[row["workspace"]].ended[row["id"]] = row["ticket_id"]


async def read_last_agents(db: Database, state: Desks, asked: Sequence[tuple[str, str]]) -> None:
    """Tells the desks who dealt last with these customers, (workspace, id)."""
    if asked:
        for row in await db.fetch(LAST_AGENTS, [name for name, _ in asked], [id for _, id in asked]):
            state.desks[row["workspace"]].last_agents[row["customer"]] = row["last_agent"]


async def read_messages_of(db: Database, state: Desks, asked: Iterable[tuple[str, str, tuple[str, ...]]]) -> None:
    """Reads the messages of these tickets, (workspace, id, message ids), with the texts of those named. One query each:
    people split tickets by hand."""
    for workspace, ticket, named in asked:
        rows = await db.fetch(WRITTEN, workspace, ticket, list(named))
        state.desks[workspace].messages_of[ticket] = tuple(TicketMessage(**row) for row in rows)


async def read_messages_by_id(db: Database, state: Desks, asked: Sequence[tuple[str, str]]) -> None:
    """Reads single messages, (workspace, id), each with the ticket whose it is, without texts."""
    if asked:
        for row in await db.fetch(MESSAGES_BY_ID, [name for name, _ in asked], [id for _, id in asked]):
            one = TicketMessage(**{name: row[name] for name in TicketMessage._fields})
            state.desks[row["workspace"]].messages_by_id[row["id"]] = (row["owner"], one)


async def read_why(db: Database, state: Desks, asked: Iterable[tuple[str, str, str | None]]) -> None:
    """Reads what was stored with the last offer or assignment of these tickets, (workspace, id, agent), and how the
    agent in question stood then. A few queries each: people ask about one ticket at a time."""
    for workspace, ticket, agent in asked:
        desk = state.desks[workspace]
        row = await db.fetchrow(STORED_WHY, workspace, ticket)
        if row is None:
            continue
        said = {"agent": row["agent"], "at": row["at"], "sentence": row["reason"], "why": row["why"]}
        desk.stored_why[ticket] = said
        search = (row["why"] or {}).get("search")
        if agent is not None and search is not None:
            past = await _look_back(db, desk, row, search, agent)
            if past is not None:
                desk.past[ticket, agent] = past


async def _look_back(db: Database, desk: Desk, row: Any, search: Mapping[str, Any], agent: str) -> Past | None:
    """How the agent stood at the decision of this row; None when they were not configured then."""
    profiles = desk.policy.profiles
    if row["config_version"] != desk.policy.version:
        document = await db.fetchval(DOCUMENT, desk.workspace, row["config_version"])
        profiles = compile_policy(Document.model_validate(document), row["config_version"]).profiles
    if agent not in profiles:
        return None
    before = await db.fetchrow(STATE_BEFORE, desk.workspace, agent, row["change"])
    declined = await db.fetchval(DECLINED_BEFORE, desk.workspace, row["ticket_id"], agent, row["at"])
    return look_back(row["at"], profiles[agent], before, search, declined=declined)
