"""A recorded history: a file of JSON lines, the first a header, the others events as `GET /events` gives them.

Header: `{"history": 1, "workspace": …, "document": …, "presence": …}`, the document that held and, agent → state, who
was there when the events begin. Of the events these are read:
`ticket.opened` and `ticket.classified` (who came with what), `offer.made`, `ticket.assigned`, what ends a holding
(`ticket.pended`, `snoozed`, `queued`, `transferred`, `resolved`), `ticket.replied`, `ticket.customer_left`,
`agent.presence_changed`. Tickets that were opened before the first event, or by agents, are left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import orjson
from pydantic import ValidationError

from pointsman.contracts.base import Contract
from pointsman.contracts.desk import (
    OfferMade,
    TicketAssigned,
    TicketClassified,
    TicketCustomerLeft,
    TicketOpened,
    TicketPended,
    TicketQueued,
    TicketReplied,
    TicketResolved,
    TicketSnoozed,
    TicketTransferred,
)
from pointsman.contracts.document import Document, DocumentErrors, read_document
from pointsman.contracts.shapes import Channel, PresenceState
from pointsman.contracts.workspace import PresenceChanged
from pointsman.core.instant import EPOCH, Instant, parse_rfc3339

VERSION = 1
HISTORY_BYTES_MAX = 2 * 1024**3

READ: dict[str, type[Contract]] = {
    kind.type: kind
    for kind in (
        *(OfferMade, TicketAssigned, TicketClassified, TicketCustomerLeft, TicketOpened, TicketPended, TicketQueued),
        *(TicketReplied, TicketResolved, TicketSnoozed, TicketTransferred, PresenceChanged),
    )
}
"""The events that are read; a recording needs no others."""

Span = tuple[Instant, Instant]


class HistoryRefused(ValueError):
    """The file is no history: what and on which line."""


@dataclass(slots=True)
class Recorded:
    """One ticket as it went. Times in µs. `waited_us` until an agent's offer that was taken, else until the customer
    was gone or the history ended. `look_us` is from that offer to its acceptance, `hold_us` how long agents were busy
    with it (None: it had not ended), `reply_us` how long after that offer the customer had a first answer, `left_us`
    how long after their arrival they were gone. `fate`: `served`, `abandoned` or `waiting`."""

    id: str
    at: Instant
    channel: Channel
    connector: str
    customer: str
    tier: str | None
    organization: str | None
    language: str = "und"
    category: str = "other"
    priority: str = "normal"
    tags: tuple[str, ...] = ()
    queue: str = ""
    requires: Mapping[str, int] = field(default_factory=dict)
    prefers: Mapping[str, int] = field(default_factory=dict)
    weight: int = 1
    fate: str = "waiting"
    agent: str | None = None
    waited_us: int = 0
    left_us: int | None = None
    look_us: int | None = None
    hold_us: int | None = None
    reply_us: int | None = None
    held_us: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """`present` has the spans of availability, in order, of each agent whom the history knows. Who is in its document
    and of whom nothing was recorded was absent."""

    workspace: str
    document: Document
    start: Instant
    end: Instant
    tickets: tuple[Recorded, ...]
    present: dict[str, tuple[Span, ...]]


@dataclass(slots=True)
class _Story:
    """A ticket while its events are read."""

    ticket: Recorded
    shown_at: Instant | None = None
    shown_to: str | None = None
    held_by: str | None = None
    held_since: Instant | None = None
    began: Instant | None = None
    left_at: Instant | None = None
    over: bool = False


def read_history(path: Path) -> History:
    """The history in a file. Raises `HistoryRefused`, `OSError`."""
    if path.stat().st_size > HISTORY_BYTES_MAX:
        raise HistoryRefused(f"{path}: a history has at most {HISTORY_BYTES_MAX} bytes")
    with path.open("rb") as file:
        return history_of(file, str(path))


def history_of(lines: Iterable[bytes], name: str = "the history") -> History:
    """The history in lines of JSON. Raises `HistoryRefused`."""
    reading = _Reading(name)
    for number, line in enumerate(lines, 1):
        if line.strip():
            reading.line(number, line)
    return reading.history()


class _Reading:
    """Events into tickets and presence, in the order in which they were told."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._header: dict[str, Any] | None = None
        self._stories: dict[str, _Story] = {}
        self._spans: dict[str, list[list[Instant]]] = {}
        self._known: set[str] = set()
        self._start: Instant | None = None
        self._at: Instant | None = None

    def line(self, number: int, line: bytes) -> None:
        where = f"{self._name}, line {number}"
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise HistoryRefused(f"{where}: is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise HistoryRefused(f"{where}: is no JSON object")
        if self._header is None:
            if value.get("history") != VERSION or not isinstance(value.get("document"), dict):
                wanted = f'{{"history": {VERSION}, "workspace": …, "document": …}}'
                raise HistoryRefused(f"{where}: a history begins with {wanted}")
            self._header = value
            self._initial(value.get("presence") or {}, where)
            return
        kind = READ.get(str(value.get("type")))
        try:
            at = parse_rfc3339(str(value["time"]))
            # The desk's order is not that of the times: what a customer wrote a moment before may be decided after.
            self._start = at if self._start is None else min(self._start, at)
            self._at = at if self._at is None else max(self._at, at)
            if kind is not None:
                self._hear(kind.model_validate(value["data"]), at)
        except KeyError as error:
            raise HistoryRefused(f"{where}: an event without {error.args[0]!r}") from error
        except ValidationError as error:
            problem = error.errors()[0]
            path = "/".join(map(str, problem["loc"]))
            raise HistoryRefused(f"{where}: {value.get('type')}, {path}: {problem['msg']}") from error
        except ValueError as error:
            raise HistoryRefused(f"{where}: {error}") from error

    def history(self) -> History:
        if self._header is None or self._start is None or self._at is None:
            raise HistoryRefused(f"{self._name}: there are no events in it")
        try:
            document = read_document(self._header["document"], standing=self._header["document"])
        except DocumentErrors as error:
            raise HistoryRefused(f"{self._name}, line 1: /document{error}") from error
        for story in self._stories.values():
            self._end(story, self._at)
        return History(
            workspace=document.workspace,
            document=document,
            start=self._start,
            end=self._at,
            tickets=tuple(sorted((story.ticket for story in self._stories.values()), key=lambda ticket: ticket.at)),
            present=dict.fromkeys(document.agents, ())
            | {slug: tuple(self._closed(spans, self._start)) for slug, spans in self._spans.items()},
        )

    def _closed(self, spans: list[list[Instant]], start: Instant) -> Iterable[Span]:
        for span in spans:
            begins, end = max(start, span[0]), span[1] if len(span) > 1 else self._at
            assert end is not None
            if end > begins:
                yield begins, end

    def _initial(self, presence: Any, where: str) -> None:
        """Who was there before the first event."""
        if not isinstance(presence, dict) or not set(map(str, presence.values())) <= set(get_args(PresenceState)):
            raise HistoryRefused(f"{where}: presence is agent → available, away or offline")
        for agent, state in presence.items():
            self._known.add(agent)
            self._spans[agent] = [[EPOCH]] if state == "available" else []

    # -- events ------------------------------------------------------------------------------------------------------

    def _hear(self, fact: Any, at: Instant) -> None:
        if isinstance(fact, PresenceChanged):
            self._presence(fact, at)
            return
        if isinstance(fact, TicketOpened):
            if fact.started_by == "customer" and fact.automatic is None:
                who = fact.customer
                ticket = Recorded(fact.ticket_id, at, fact.channel, fact.connector, who.id, who.tier, who.organization)
                self._stories[fact.ticket_id] = _Story(ticket)
            return
        story = self._stories.get(fact.ticket_id)
        if story is not None:
            self._of_ticket(story, fact, at)

    def _presence(self, fact: PresenceChanged, at: Instant) -> None:
        self._known.add(fact.agent)
        spans = self._spans.setdefault(fact.agent, [])
        there = bool(spans) and len(spans[-1]) == 1
        if fact.state == "available" and not there:
            spans.append([at])
        elif fact.state != "available" and there:
            spans[-1].append(at)

    def _of_ticket(self, story: _Story, fact: Any, at: Instant) -> None:
        ticket = story.ticket
        if isinstance(fact, TicketClassified):
            ticket.language, ticket.category, ticket.priority = fact.language, fact.category, fact.priority
            ticket.tags, ticket.queue, ticket.weight = fact.tags, fact.queue, fact.weight
            ticket.requires, ticket.prefers = fact.requires, fact.prefers
        elif isinstance(fact, OfferMade):
            story.shown_at, story.shown_to = fact.offered_at or at, fact.agent
        elif isinstance(fact, TicketAssigned):
            self._assigned(story, fact, fact.assigned_at or at)
        elif isinstance(fact, TicketReplied):
            if ticket.reply_us is None and story.began is not None and fact.author.kind == "agent":
                ticket.reply_us = _us(story.began, at)
        elif isinstance(fact, TicketCustomerLeft):
            story.left_at = None if fact.returned else at
        elif isinstance(fact, TicketResolved):
            self._let_go(story, at)
            self._resolved(story, fact, at)
        elif isinstance(fact, (TicketQueued, TicketTransferred)) or fact.frees:
            self._let_go(story, at)

    def _assigned(self, story: _Story, fact: TicketAssigned, at: Instant) -> None:
        """The agent's time counts from the offer, as the charge does."""
        since = story.shown_at if fact.offer_id is not None and story.shown_to == fact.agent else None
        self._let_go(story, at)
        story.held_by, story.held_since = fact.agent, since or at
        ticket = story.ticket
        if fact.agent not in self._known:
            # Nothing was told of this agent before: they have been there since the beginning.
            self._known.add(fact.agent)
            self._spans.setdefault(fact.agent, []).append([EPOCH])
        if ticket.agent is None:
            story.began = since or at
            ticket.fate, ticket.agent = "served", fact.agent
            ticket.waited_us = _us(ticket.at, story.began)
            ticket.look_us = None if since is None else _us(since, at)

    def _let_go(self, story: _Story, at: Instant) -> None:
        if story.held_by is not None and story.held_since is not None:
            held = story.ticket.held_us
            held[story.held_by] = held.get(story.held_by, 0) + _us(story.held_since, at)
            story.held_by = story.held_since = None

    def _resolved(self, story: _Story, fact: TicketResolved, at: Instant) -> None:
        ticket = story.ticket
        story.over = True
        if ticket.agent is None:
            ticket.fate = "abandoned"
            ticket.waited_us = _us(ticket.at, at)
            ticket.left_us = _us(ticket.at, story.left_at or at)
        else:
            ticket.hold_us = sum(ticket.held_us.values())

    def _end(self, story: _Story, at: Instant) -> None:
        ticket = story.ticket
        if not story.over and ticket.agent is None:
            ticket.waited_us = _us(ticket.at, at)
        self._let_go(story, at)


def _us(start: Instant, end: Instant) -> int:
    return max(0, round((end - start).total_seconds() * 1_000_000))
