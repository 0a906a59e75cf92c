"""Which columns the desk's tables have, and how a value becomes one. What they mean is said in `store`; those of a
ticket are in `ticket_columns`.

Rows are written set-based: those of a table travel as one JSON text, which the database lays out by the columns' types.
That costs less than an array per column, of which a ticket would need seventy, most of them empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pointsman_routing.desk.state.model import Agent, Inbound, Token

_AS_JSON = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def as_json(value: Any) -> str | None:
    """JSON text of a value, None as SQL null."""
    return None if value is None else orjson.dumps(value, option=_AS_JSON).decode()


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its columns: name and type, in order; `key` are those that identify a row."""

    name: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]

    def insert(self, *, otherwise: str) -> str:
        """`INSERT … SELECT` of the rows that `text_of` gives, with the conflict clause `otherwise`."""
        names = ", ".join(name for name, _ in self.columns)
        typed = ", ".join(f"{name} {kind}" for name, kind in self.columns)
        return (
            f"INSERT INTO {self.name} ({names}) SELECT {names} "
            f"FROM json_to_recordset($1::text::json) AS given ({typed}) ON CONFLICT {otherwise}"
        )

    def upsert(self) -> str:
        """Inserts, or replaces the row of that key."""
        rest = [name for name, _ in self.columns if name not in self.key]
        sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in rest)
        return self.insert(otherwise=f"({', '.join(self.key)}) DO UPDATE SET {sets}")

    def text_of(self, rows: Sequence[Sequence[Any]]) -> str:
        """Rows as one JSON text; what is null is left out."""
        names = [name for name, _ in self.columns]
        told = [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
        return orjson.dumps(told, option=_AS_JSON).decode()


def columns_of(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """One list per column."""
    return [list(column) for column in zip(*rows, strict=True)]


def _typed(kind: str, names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind) for name in names.split())


MESSAGE = Table(
    "message",
    ("workspace", "id"),
    (
        *_typed("text", "workspace id ticket_id"),
        *_typed("bigint", "change"),
        *_typed("int", "number"),
        *_typed("text", "direction kind replaces author_kind author_id author_name subject text reply_text html"),
        *_typed("boolean", "truncated"),
        *_typed("jsonb", "attachments"),
        *_typed("text[]", "cc"),
        *_typed("text", "reply_to_message automatic delivery"),
        *_typed("timestamptz", "occurred_at received_at"),
        *_typed("text", "connector channel thread external_id"),
    ),
)


def inbound_row(workspace: str, inbound: Inbound) -> tuple[Any, ...]:
    """A message that came in as a row of `MESSAGE`."""
    message = inbound.message
    author = message.author
    return (
        workspace, message.message_id, inbound.ticket_id, inbound.change, inbound.number,
        "in" if author.kind == "customer" else "out", message.kind, message.replaces,
        author.kind, author.id, author.name, message.subject, message.text, message.reply_text, message.html,
        message.truncated, [each.model_dump(exclude_none=True) for each in message.attachments],
        message.cc, None, message.automatic, None if author.kind == "customer" else "sent",
        message.occurred_at, message.received_at, message.connector, message.channel, message.thread,
        message.external_id,
    )  # fmt: skip


FILE = Table(
    "file",
    ("workspace", "message_id", "attachment_id"),
    (*_typed("text", "workspace message_id attachment_id ticket_id"), *_typed("jsonb", "said")),
)

OFFER = Table(
    "offer",
    ("workspace", "id"),
    (
        *_typed("text", "workspace id ticket_id"),
        *_typed("bigint", "change"),
        *_typed("text", "agent queue state reason"),
        *_typed("int", "weight"),
        *_typed("timestamptz", "offered_at expires_at ended_at"),
        *_typed("text", "ended_reason"),
        *_typed("json", "why"),
        *_typed("int", "config_version"),
    ),
)

ASSIGNMENT = Table(
    "assignment",
    ("workspace", "ticket_id", "change"),
    (
        *_typed("text", "workspace ticket_id"),
        *_typed("bigint", "change"),
        *_typed("text", "agent offer_id reason"),
        *_typed("json", "why"),
        *_typed("int", "config_version"),
        *_typed("timestamptz", "at"),
    ),
)

AGENT = Table(
    "agent",
    ("workspace", "agent"),
    (
        *_typed("text", "workspace agent"),
        *_typed("bigint", "change"),
        *_typed("text", "name"),
        *_typed("int", "capacity"),
        *_typed("boolean", "active"),
        *_typed("text", "state set_by reason"),
        *_typed("text[]", "channels"),
        *_typed("jsonb", "resume"),
        *_typed("boolean", "held"),
        *_typed("timestamptz", "held_until state_since idle_since gone_at"),
        *_typed("int", "load"),
        *_typed("jsonb", "in_hand"),
        *_typed("double precision", "handle_seconds"),
    ),
)


def agent_row(workspace: str, agent: Agent) -> tuple[Any, ...]:
    """An agent as a row of `AGENT`."""
    return (
        workspace, agent.slug, agent.change, agent.profile.name, agent.profile.capacity, agent.active,
        agent.state, agent.set_by, agent.reason,
        sorted(agent.channels) if agent.channels is not None else None,
        agent.resume, agent.held, agent.held_until, agent.since, agent.idle_since, agent.gone_at,
        agent.load, {channel: count for channel, count in agent.counts.items() if count},
        agent.handle_seconds,
    )  # fmt: skip


AGENT_STATE = Table(
    "agent_state",
    ("workspace", "agent", "change"),
    (
        *_typed("text", "workspace agent"),
        *_typed("bigint", "change"),
        *_typed("timestamptz", "at"),
        *_typed("text", "state set_by reason"),
        *_typed("text[]", "channels"),
        *_typed("int", "load"),
        *_typed("jsonb", "in_hand units"),
    ),
)


def agent_state_row(workspace: str, said: tuple[Any, ...]) -> tuple[Any, ...]:
    """How an agent stood after a decision, as a row of `AGENT_STATE`."""
    *plain, channels, load, counts, units = said
    return (workspace, *plain, channels, load, counts, units)


SESSION = Table(
    "session",
    ("workspace", "agent", "session"),
    (*_typed("text", "workspace agent session"), *_typed("timestamptz", "lease_until")),
)

CONFIG_VERSION = Table(
    "config_version",
    ("workspace", "version"),
    (
        *_typed("text", "workspace"),
        *_typed("int", "version"),
        *_typed("json", "document"),
        *_typed("jsonb", "author"),
        *_typed("text", "reason open_clocks"),
        *_typed("timestamptz", "applied_at"),
    ),
)

TOKEN = Table(
    "token",
    ("workspace", "id"),
    (
        *_typed("text", "workspace id role sub"),
        *_typed("timestamptz", "issued_at"),
        *_typed("jsonb", "issued_by"),
        *_typed("timestamptz", "expires_at revoked_at"),
    ),
)


def token_row(workspace: str, token: Token) -> tuple[Any, ...]:
    """A token as a row of `TOKEN`."""
    return (
        workspace, token.id, token.role, token.sub, token.issued_at, token.issued_by, token.expires_at,
        token.revoked_at,
    )  # fmt: skip


CLOCK_FACT = Table(
    "clock_fact",
    ("workspace", "source", "after_number", "change", "number"),
    (
        *_typed("text", "workspace source ticket_id subject"),
        *_typed("bigint", "after_number change"),
        *_typed("int", "number"),
        *_typed("timestamptz", "at"),
        *_typed("text", "type cause"),
        *_typed("json", "body"),
    ),
)

WORKSPACE = Table(
    "workspace",
    ("workspace",),
    (
        *_typed("text", "workspace"),
        *_typed("int", "lane config_version"),
        *_typed("bigint", "change"),
        *_typed("jsonb", "round_robin late_credits closings moves"),
    ),
)

_ABSENT: dict[str, dict[str, Any]] = {
    "message": {"kind": "message", "truncated": False, "cc": [], "attachments": []},
}


def plain_row(table: Table, workspace: str, values: dict[str, Any]) -> tuple[Any, ...]:
    """A row from values by column name; what is absent is null, or the table's own default."""
    absent = _ABSENT.get(table.name, {})
    given = {**absent, **values, "workspace": workspace}
    return tuple([given.get(name) for name, _ in table.columns])
