"""A ticket as its row has it: one list says of each column its type, the attribute that it carries, and how that is
written and read. What the columns mean is said in `store`.

A column carries the attribute of its own name, unless the list names another (`labels.tags` is the tags of the labels).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from pointsman.core.instant import Instant, parse_rfc3339
from pointsman_routing.desk.state.desk import Desk
from pointsman_routing.desk.state.model import SPARSE, Charge, Climb, Conversation, Labels, Offer, Pause, Ticket
from pointsman_routing.desk.state.policy import Needs, needs
from pointsman_routing.rows import Table


class Column(NamedTuple):
    """`write` makes the column's value of the attribute's, `read` the other way round (None: they are the same)."""

    name: str
    type: str
    attribute: str
    write: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None


def _same(type: str, names: str, of: str = "") -> tuple[Column, ...]:
    """Columns that carry an attribute as it is."""
    return tuple(Column(name, type, of + name) for name in names.split())


def _texts(name: str, attribute: str) -> Column:
    return Column(name, "text[]", attribute, None, tuple)


def _json(name: str, write: Callable[[Any], Any], read: Callable[[Any], Any], attribute: str = "") -> Column:
    """JSON, which is read as text: most tickets need the same few things, which are decoded once."""

    def written(value: Any) -> Any:
        return None if value is None else write(value)

    def decoded(text: str | None) -> Any:
        return None if text is None else read(text)

    return Column(name, "jsonb", attribute or name, written, decoded)


@lru_cache(maxsize=10_000)
def _needs(text: str) -> Needs:
    return needs(orjson.loads(text))


def _skills(wanted: Needs) -> dict[str, int]:
    return dict(sorted(wanted))


def _instants(text: str) -> dict[str, Instant]:
    return {agent: parse_rfc3339(until) for agent, until in orjson.loads(text).items()}


def _climbs(text: str) -> tuple[Climb, ...]:
    return tuple(Climb._make((*values, tuple(overflow))) for *values, overflow in orjson.loads(text))


def _charge(text: str) -> Charge:
    at, config_version, override = orjson.loads(text)
    return Charge(parse_rfc3339(at), config_version, override)


def _conversation(text: str) -> Conversation:
    return Conversation._make(orjson.loads(text))


COLUMNS: tuple[Column, ...] = (
    *_same("text", "id"),
    *_same("bigint", "change"),
    *_same("int", "version"),
    *_same("text", "state channel connector thread subject"),
    *_same("text", "customer_id customer_name customer_tier customer_organization"),
    *_same("text", "language category priority", of="labels."),
    *_same("int", "boost"),
    _texts("tags", "labels.tags"),
    *_same("text", "queue"),
    _json("requires", _skills, _needs, "labels.requires"),
    _json("prefers", _skills, _needs, "labels.prefers"),
    *_same("int", "weight", of="labels."),
    _texts("labelled", "labels.by_person"),
    *_same("text", "marked agent"),
    *_same("boolean", "charged"),
    Column("offer_id", "text", "offer.id"),
    Column("waiting_on", "text", "pause.waiting_on"),
    Column("pending_until", "timestamptz", "pause.until"),
    Column("pending_then", "text", "pause.then"),
    Column("pending_reason", "text", "pause.reason"),
    Column("resolves_at", "timestamptz", "pause.resolves_at"),
    *_same("text", "outcome started_by"),
    *_same("timestamptz", "opened_at"),
    Column("updated_at", "timestamptz", "at"),
    *_same("timestamptz", "queued_at waiting_since unanswered_since escalated_at resolved_at closed_at wrap_up_until"),
    *_same("timestamptz", "closes_at requeues_at left_at abandons_at first_breach_at next_breach_at"),
    *_same("boolean", "warned"),
    *_same("text", "last_agent last_message_id"),
    _texts("recent", "recent"),
    *_same("int", "inbound"),
    _json("declined", dict, _instants),
    *_same("int", "offers"),
    *_same("boolean", "retrying"),
    *_same("timestamptz", "retry_at"),
    *_same("text", "follow_up_of merged_into held"),
    *_same("boolean", "turned_away"),
    *_same("int", "stage"),
    _texts("wide", "wide"),
    _texts("affine", "affine"),
    *_same("int", "config_version"),
    *_same("text", "reserved_for"),
    *_same("timestamptz", "reserved_until assigned_at offers_spent_at"),
    *_same("text", "relaxed"),
    _json("climbed", lambda climbs: [tuple(each) for each in climbs], _climbs),
    *_same("bigint", "arrival"),
    _json("speaks", tuple, _conversation),
    _json("charge", tuple, _charge),
    *_same("text", "entrusted_to"),
    *_same("boolean", "unanswerable"),
)


def _of(part: str) -> tuple[Column, ...]:
    """The columns of a part of a ticket."""
    return tuple(column for column in COLUMNS if column.attribute.startswith(f"{part}."))


_OFFER, _PAUSE, _LABELS = _of("offer"), _of("pause"), _of("labels")
_ALWAYS = tuple(column for column in COLUMNS if column not in (*_OFFER, *_PAUSE))
_IN_ORDER = (*_ALWAYS, *_OFFER, *_PAUSE)

TICKET = Table(
    "ticket", ("workspace", "id"), (("workspace", "text"), *((column.name, column.type) for column in _IN_ORDER))
)
TICKET_COLUMNS = ", ".join(f"{name}::text" if kind == "jsonb" else name for name, kind in TICKET.columns)
"""As `ticket_of` reads them."""

# -- writing -----------------------------------------------------------------------------------------------------------

_values = attrgetter(*(column.attribute for column in _ALWAYS))
_paused = attrgetter(*(column.attribute.removeprefix("pause.") for column in _PAUSE))
_NOT_PAUSED = (None,) * len(_PAUSE)
_CONVERTED = tuple((place, column.write) for place, column in enumerate(_ALWAYS) if column.write is not None)


def ticket_row(workspace: str, ticket: Ticket) -> tuple[Any, ...]:
    """A ticket as a row of `TICKET`."""
    values, offer, pause = list(_values(ticket)), ticket.offer, ticket.pause
    for place, write in _CONVERTED:
        values[place] = write(values[place])
    return (workspace, *values, offer.id if offer else None, *(_paused(pause) if pause else _NOT_PAUSED))


# -- reading -----------------------------------------------------------------------------------------------------------


def _fields(columns: Iterable[Column]) -> tuple[tuple[str, str, Callable[[Any], Any] | None], ...]:
    return tuple((column.attribute.rpartition(".")[2], column.name, column.read) for column in columns)


_OWN = _fields(column for column in COLUMNS if "." not in column.attribute and column.attribute not in SPARSE)
_SPARSE = tuple({field: (name, read) for field, name, read in _fields(COLUMNS)}.get(field) for field in SPARSE)
_OF_LABELS, _OF_PAUSE = _fields(_LABELS), _fields(_PAUSE)


def _taken(row: Any, fields: Iterable[tuple[str, str, Callable[[Any], Any] | None]]) -> dict[str, Any]:
    return {field: row[name] if read is None else read(row[name]) for field, name, read in fields}


def ticket_of(desk: Desk, row: Any, offer: Offer | None) -> Ticket:
    """A ticket from its row, and its pending offer from that."""
    pause = Pause(**_taken(row, _OF_PAUSE)) if row["state"] in ("pending", "snoozed") else None
    sparse = tuple(
        pause if column is None else row[column[0]] if column[1] is None else column[1](row[column[0]])
        for column in _SPARSE
    )
    return Ticket(
        labels=desk.shared(Labels(**_taken(row, _OF_LABELS))),
        offer=offer,
        sparse=sparse if any(value is not None for value in sparse) else None,
        **_taken(row, _OWN),
    )
