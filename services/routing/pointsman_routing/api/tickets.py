"""`/v1/tickets`: lists, one ticket, its messages, its timeline, and why it is where it is. Agents read all tickets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import TicketExplain
from pointsman.contracts.shapes import PRIORITIES, TicketState
from pointsman.contracts.wire import actor
from pointsman.core.instant import EPOCH, Instant, rfc3339
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.http.idempotency import answer_command, etag_of
from pointsman.runtime.http.instants import GivenInstant
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.names import refuse_unknown
from pointsman.runtime.http.pages import INT4, Cursor, Limit, Page, decode_cursor, encode_cursor, page_of
from pointsman.runtime.http.problems import Problem, invalid, not_found
from pointsman.runtime.http.routes import routes_under
from pointsman_routing.api.names import names_of
from pointsman_routing.api.shapes import MessageShape, TicketShape, message_shape, ticket_columns, ticket_shape

routes = routes_under("/v1/tickets", "tickets")

Reader = Annotated[Caller, Depends(require("agent"))]
Sort = Literal["opened_at", "-opened_at", "updated_at", "-updated_at", "priority", "-priority"]
Filter = Annotated[str | None, Query(max_length=200)]

STATES: tuple[str, ...] = get_args(TicketState)


FILTERS = {
    "state": "t.state = ANY(?::text[])",
    "queue": "t.queue = ?",
    "agent": "t.agent = ?",
    "customer": "t.customer_id = ?",
    "channel": "t.channel = ?",
    "category": "t.category = ?",
    "tag": "t.tags <> '{}' AND t.tags @> ARRAY[?::text]",
    "opened_after": "t.opened_at > ?",
    "opened_before": "t.opened_at < ?",
    "updated_after": "t.updated_at > ?",
    "updated_before": "t.updated_at < ?",
    "q": """
        (t.subject ILIKE ? OR t.customer_name ILIKE ? OR t.id IN (
            SELECT m.ticket_id FROM message m WHERE m.workspace = $1
              AND to_tsvector('simple', left(m.text, 100000)) @@ plainto_tsquery('simple', {words})))
    """,
}
"""Filter → the condition that it is; $1 is the workspace. What is looked for among messages names no column of the
ticket, so that it is looked for once and not for each ticket."""

NAMING = ("queue", "agent")
"""The filters that name something of the workspace."""

SORTED_BY: dict[str, tuple[str, type]] = {
    "opened_at": ("t.opened_at", datetime),
    "updated_at": ("t.updated_at", datetime),
    "priority": (f"array_position(ARRAY{list(reversed(PRIORITIES))}, t.priority)", int),
}
"""What a list may be sorted by → its expression and what a cursor says of it. Of one priority by id: as they came."""


TOLD = """
    (SELECT at, 0 AS origin, number AS place, 0 AS part, id, cause, body -> 'facts' AS facts FROM fact
     WHERE subject = $1 AND workspace = $2 AND (at, 0, number, 0) > ($3, $4, $5, $6)
     ORDER BY 1, 3 LIMIT $7)
    UNION ALL
    (SELECT at, 1, change, number, cause || '.' || number, cause, json_build_array(body) FROM clock_fact
     WHERE workspace = $2 AND ticket_id = $1 AND (at, 1, change, number) > ($3, $4, $5, $6)
     ORDER BY 1, 3, 4 LIMIT $7)
    ORDER BY 1, 2, 3, 4 LIMIT $7
"""
"""The desk's facts (origin 0) and those of the ticket's clocks (1), by the instant at which they happened."""


MESSAGES = """
    WITH RECURSIVE matter AS (
        SELECT $2::text AS id
        UNION SELECT source.id FROM ticket source JOIN matter ON source.merged_into = matter.id
        WHERE source.workspace = $1
    )
    SELECT id, ticket_id, direction, kind, automatic, author_kind, author_id, author_name, text, reply_text, html,
           attachments, delivery, occurred_at, received_at, edited_at, deleted_at, change, number,
           (SELECT original.id FROM message original
            WHERE original.workspace = message.workspace AND original.connector = message.connector
              AND original.external_id = message.replaces LIMIT 1) AS replaces,
           (SELECT json_object_agg(file.attachment_id, file.said) FROM file
            WHERE file.workspace = message.workspace AND file.message_id = message.id) AS settled
    FROM message
    WHERE workspace = $1 AND ticket_id IN (SELECT matter.id FROM matter) AND (change, number) > ($3, $4)
    ORDER BY change, number LIMIT $5
"""
"""The messages of a ticket and of those merged into it, also over several steps."""


DELETED = "SELECT id FROM message WHERE workspace = $1 AND id = ANY ($2::text[]) AND deleted_at IS NOT NULL"
UNTOLD = frozenset({"type", "version"})
SAID = frozenset({"excerpt", "text", "html", "attachments"})
"""What facts repeat of a message's words and files."""


class TimelineEvent(BaseModel):
    """One fact about the ticket. `cause` is the record, command or timer that led to it."""

    id: str
    at: datetime
    type: str
    cause: str
    data: dict[str, Any]


@routes.get("", response_model=Page[TicketShape])
async def tickets(
    request: Request,
    caller: Reader,
    state: Annotated[str | None, Query(max_length=200, description="One state, or several with commas.")] = None,
    queue: Filter = None,
    agent: Filter = None,
    customer: Filter = None,
    tag: Filter = None,
    opened_after: GivenInstant | None = None,
    updated_after: GivenInstant | None = None,
    q: Annotated[
        str | None,
        Query(max_length=200, description="Part of the subject or of the customer's name, or words of a message."),
    ] = None,
    sort: Sort = "-opened_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Tickets of the workspace, newest first unless sorted otherwise."""
    states = None if state is None else state.split(",")
    for name in states or ():
        if name not in STATES:
            detail = f"{name!r} is none of {', '.join(STATES)}"
            raise invalid([{"pointer": "?state", "detail": detail}])
    asked = {
        "state": states,
        "queue": queue,
        "agent": agent,
        "customer": customer,
        "tag": tag,
        "opened_after": opened_after,
        "updated_after": updated_after,
        "q": q,
    }
    where, values = conditions(caller.workspace, asked)
    (column, kind), direction = SORTED_BY[sort.removeprefix("-")], "DESC" if sort.startswith("-") else "ASC"
    if cursor is not None:
        sorted_by, place, id = decode_cursor(cursor, str, kind, str)
        if sorted_by != sort:
            errors = [{"pointer": "?cursor", "detail": f"it belongs to sort={sorted_by}"}]
            raise Problem(422, "invalid-cursor", "the cursor is not one of this list", errors)
        values += [place, id]
        beyond = "<" if direction == "DESC" else ">"
        where.append(f"({column}, t.id) {beyond} (${len(values) - 1}, ${len(values)})")
    values.append(limit + 1)
    rows = await request.app.state.process.pool.fetch(
        f"""
        SELECT {ticket_columns("t")}, {column} AS sorted_by FROM ticket t WHERE {" AND ".join(where)}
        ORDER BY {column} {direction}, t.id {direction} LIMIT ${len(values)}
        """,
        *values,
    )
    if not rows and cursor is None:
        await refuse_unknown_names(request, caller.workspace, asked)
    return page_of(rows, limit, ticket_shape, lambda row: (sort, _part_of_cursor(row["sorted_by"]), row["id"]))


@routes.get("/{id}", response_model=TicketShape)
async def ticket(request: Request, caller: Reader, id: str) -> Response:
    """One ticket; `ETag` is its version."""
    row = await request.app.state.process.pool.fetchrow(
        f"SELECT {ticket_columns('t')} FROM ticket t WHERE t.workspace = $1 AND t.id = $2", caller.workspace, id
    )
    if row is None:
        raise not_found("ticket")
    return Json(ticket_shape(row), headers={"ETag": etag_of(row["version"])})


@routes.get("/{id}/messages", response_model=Page[MessageShape])
async def messages(request: Request, caller: Reader, id: str, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The messages and notes of the ticket and of those merged into it (`ticket_id` says which), oldest first."""
    await _known(request, caller, id)
    change, number = decode_cursor(cursor, int, INT4) if cursor else (-1, 0)
    rows = await request.app.state.process.pool.fetch(
        MESSAGES,
        caller.workspace,
        id,
        change,
        number,
        limit + 1,
    )
    return page_of(rows, limit, message_shape, lambda row: (row["change"], row["number"]))


@routes.get("/{id}/timeline", response_model=Page[TimelineEvent])
async def timeline(request: Request, caller: Reader, id: str, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Everything that was decided about the ticket and told of its clocks, as it happened; of what a deleted message
    said, nothing. A page has at most `limit` records of facts."""
    await _known(request, caller, id)
    beginning = (EPOCH, 0, 0, 0)
    at, origin, place, part = decode_cursor(cursor, datetime, INT4, int, INT4) if cursor else beginning
    rows = await request.app.state.process.pool.fetch(TOLD, id, caller.workspace, at, origin, place, part, limit + 1)
    said = {fact.get("message_id") for row in rows for fact in row["facts"]} - {None}
    gone = {each["id"] for each in await request.app.state.process.pool.fetch(DELETED, caller.workspace, sorted(said))}
    items = [
        {
            "id": f"{row['id']}.{place}",
            "at": row["at"],
            "type": fact["type"],
            "cause": row["cause"],
            "data": _shown(fact, gone),
        }
        for row in rows[:limit]
        for place, fact in enumerate(row["facts"])
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    following = encode_cursor(rfc3339(last["at"]), last["origin"], last["place"], last["part"]) if last else None
    return Json({"items": items, "next_cursor": following})


@routes.get("/{id}/explain", response_model=dict[str, Any])
async def explain(
    request: Request, caller: Reader, id: str, agent: Annotated[str | None, Query(max_length=63)] = None
) -> Response:
    """Why this agent, why not that one, why it still waits, and the smallest change that would free it."""
    command = TicketExplain(actor=actor(caller.role, caller.sub), ticket_id=id, agent=agent)
    return await answer_command(request, caller, command, subject=id)


async def refuse_unknown_names(
    request: Request, workspace: str, asked: Mapping[str, Any], *, pointer: str = "?{}"
) -> None:
    """Of filters that found nothing: raises `Problem` 422 when one names what the workspace never had."""
    pool = request.app.state.process.pool

    async def found(name: str, value: str) -> Any:
        where, values = conditions(workspace, {name: value})
        return await pool.fetchval(f"SELECT 1 FROM ticket t WHERE {' AND '.join(where)} LIMIT 1", *values)

    named = {name: asked[name] for name in NAMING}
    await refuse_unknown(named, lambda name: names_of(pool, workspace, name), found, pointer=pointer)


def _shown(fact: Mapping[str, Any], gone: set[str]) -> dict[str, Any]:
    hidden = UNTOLD | SAID if fact.get("message_id") in gone else UNTOLD
    return {name: value for name, value in fact.items() if name not in hidden}


def conditions(workspace: str, asked: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    """The conditions on a ticket `t` that the filters ask for, and their values; None asks for nothing."""
    where: list[str] = ["t.workspace = $1"]
    values: list[Any] = [workspace]
    for name, value in asked.items():
        if value is None:
            continue
        condition = FILTERS[name]
        if name == "q":
            values.append(value)
            condition, value = condition.replace("{words}", f"${len(values)}"), f"%{_literal(value)}%"
        values.append(value)
        where.append(condition.replace("?", f"${len(values)}"))
    return where, values


def _part_of_cursor(value: Instant | int) -> str | int:
    return value if isinstance(value, int) else rfc3339(value)


async def _known(request: Request, caller: Caller, id: str) -> None:
    found = await request.app.state.process.pool.fetchval(
        "SELECT 1 FROM ticket WHERE workspace = $1 AND id = $2", caller.workspace, id
    )
    if found is None:
        raise not_found("ticket")


def _literal(text: str) -> str:
    """The text as a pattern of LIKE that means itself."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
