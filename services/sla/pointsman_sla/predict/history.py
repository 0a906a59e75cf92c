"""A recorded history played again through the clocks: how things stood at each instant, what became of each clock.

The file is that of `pointsman replay --record` and `pointsman simulate --record`: JSON lines, the first a header with
the document, the others events in order (docs/simulation.md). Clocks, notes and places in line are computed by the code
of production; only the tables are kept in memory.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sortedcontainers import SortedDict

from pointsman.contracts.base import Contract
from pointsman.contracts.workspace import PresenceChanged
from pointsman.core.instant import Instant, parse_rfc3339
from pointsman.core.journal import Journal
from pointsman_sla.clocks.lifecycle import CONCERNING, advance
from pointsman_sla.clocks.model import Ticket
from pointsman_sla.clocks.policy import Book, part_of, read_book
from pointsman_sla.micros import instant, micros
from pointsman_sla.predict.durations import decayed
from pointsman_sla.predict.model import half_life
from pointsman_sla.predict.observations import Notes
from pointsman_sla.predict.predicting import Prediction, predicted
from pointsman_sla.predict.queue_rank import rank_of

_READ: dict[str, Any] = {kind.type: kind for kind in (*CONCERNING, PresenceChanged)}  # type: ignore[attr-defined]


class HistoryRefused(ValueError):
    """The file is no history."""


class Outcome(NamedTuple):
    """What became of a clock: whether it breached, and when it would have or did (µs)."""

    breached: bool
    breach_at: int


class Record(NamedTuple):
    """What was told at once about one subject."""

    at: Instant
    bodies: Sequence[Contract]


def read(path: Path) -> tuple[Book, list[Record]]:
    """The promises and the records of a file. Raises `HistoryRefused`, `OSError`."""
    try:
        header, *events = (orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip())
        book = read_book(1, part_of(header["document"]))
        told = [event for event in events if event["type"] in _READ]
        return book, [
            Record(parse_rfc3339(time), [_READ[event["type"]].model_validate(event["data"]) for event in together])
            for (time, _), together in groupby(told, key=lambda event: (event["time"], event["subject"]))
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HistoryRefused(f"{path}: no recorded history: {error}") from error


class Shop:
    """What predictions rest on, as the history goes on. `outcomes` are of the clocks that met or breached."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.tickets: dict[str, Ticket] = {}
        self.outcomes: dict[str, Outcome] = {}
        self._notes = Notes(Journal())
        self._weights: dict[tuple[str, str], dict[int, tuple[float, Instant]]] = defaultdict(dict)
        self._agents: dict[str, set[str]] = defaultdict(set)
        self._present: dict[str, bool] = {}
        self._in_hand: Counter[str] = Counter()
        self._held_by: Counter[str] = Counter()
        self._waiting: dict[str, SortedDict[tuple[int, str], None]] = defaultdict(SortedDict)
        self._rank: dict[str, tuple[str, int]] = {}
        self._lines: dict[tuple[str, str], SortedDict[tuple[int, str], None]] = defaultdict(SortedDict)
        self._running: dict[str, str] = {}

    def hear(self, record: Record) -> None:
        """A record of the desk."""
        first: Any = record.bodies[0]
        if isinstance(first, PresenceChanged):
            self._present[first.agent] = first.state == "available"
            return
        before = self.tickets.get(first.ticket_id)
        course = advance(before, "history", record.bodies, record.at, lambda _: self.book)
        if course is None:
            return
        self._notes.note(before, course, record.bodies, record.at)
        ticket = course.finished()
        self._keep_notes(record.at)
        self._stand(before, ticket)
        self.tickets[ticket.id] = ticket
        for clock in course.changed.values():
            if clock.active:
                self._running[clock.id] = ticket.id
            elif self._running.pop(clock.id, None) is not None and (clock.breached_at or clock.state == "met"):
                self.outcomes[clock.id] = Outcome(clock.breached_at is not None, clock.breach_at)

    def _keep_notes(self, at: Instant) -> None:
        notes = self._notes
        for (_, queue, what, place), count in notes.durations.items():
            weight, since = self._weights[queue, what].get(place, (0.0, at))
            self._weights[queue, what][place] = (
                decayed(weight, (at - since).total_seconds(), half_life(what)) + count,
                at,
            )
        for _, agent, queue in notes.seen:
            self._agents[queue].add(agent)
            self._present.setdefault(agent, True)
        notes.committed()

    def _stand(self, before: Ticket | None, ticket: Ticket) -> None:
        for each, sign in ((before, -1), (ticket, 1)):
            if each is not None and each.phase == "assigned":
                self._in_hand[each.labels.queue or ""] += sign
                self._held_by[each.agent or ""] += sign
        if ticket.id in self._rank:
            queue, before_rank = self._rank.pop(ticket.id)
            del self._waiting[queue][before_rank, ticket.id]
            assert before is not None
            del self._lines[queue, before.labels.priority][before_rank, ticket.id]
        queue = ticket.labels.queue or ""
        rank = rank_of(ticket, self.book.order_of(queue))
        if rank is not None:
            self._rank[ticket.id] = (queue, rank)
            self._waiting[queue][rank, ticket.id] = None
            self._lines[queue, ticket.labels.priority][rank, ticket.id] = None

    def due(self, now: int) -> Iterator[tuple[str, Mapping[str, Any], Prediction]]:
        """(clock, row, prediction) of each running clock that has not breached, as `GET /due` would tell them."""
        rows = [row for row in map(self._row, list(self._running)) if row["breach_at_us"] > now]
        places = {
            row["ticket_id"]: (
                self._waiting[queue].index((rank, row["ticket_id"])) + 1,
                self._lines[queue, row["priority"]].index((rank, row["ticket_id"])) + 1,
            )
            for row in rows
            if row["ticket_id"] in self._rank
            for queue, rank in (self._rank[row["ticket_id"]],)
        }
        at = instant(now)
        weights = {
            key: {
                place: decayed(weight, (at - since).total_seconds(), half_life(key[1]))
                for place, (weight, since) in bins.items()
            }
            for key, bins in self._weights.items()
        }
        found = predicted(
            rows,
            now,
            lambda name, _: self.book.calendar(name),
            places,
            {q: self._hands(q) for q in self._queues()},
            weights,
        )
        for row, prediction in zip(rows, found, strict=True):
            yield row["clock_id"], row, prediction

    def _queues(self) -> set[str]:
        return {*self._agents, *self._waiting}

    def _hands(self, queue: str) -> tuple[int, int, int]:
        there = [agent for agent in self._agents[queue] if self._present.get(agent)]
        return self._in_hand[queue], len(there), sum(not self._held_by[agent] for agent in there)

    def _row(self, clock_id: str) -> dict[str, Any]:
        ticket = self.tickets[self._running[clock_id]]
        clock = next(clock for clock in ticket.clocks.values() if clock.id == clock_id)
        return {
            "clock_id": clock.id,
            "ticket_id": ticket.id,
            "ticket_queue": ticket.labels.queue,
            "metric": clock.metric,
            "priority": ticket.labels.priority,
            "target_seconds": clock.target_seconds,
            "phase": ticket.phase,
            "phase_since": ticket.phases[-1][0],
            "calendar": clock.calendar,
            "config_version": 1,
            "started_at": instant(clock.started_at),
            "breach_at": instant(clock.breach_at),
            "breach_at_us": clock.breach_at if clock.state == "running" and clock.breached_at is None else 0,
        }


def played(
    path: Path, every_seconds: int
) -> tuple[Shop, Iterator[tuple[int, list[tuple[str, Mapping[str, Any], Prediction]]]]]:
    """A shop, and every so often (µs, what is due) while its history goes on; the outcomes are whole at the end."""
    book, records = read(path)
    shop = Shop(book)

    def goes_on() -> Iterator[tuple[int, list[tuple[str, Mapping[str, Any], Prediction]]]]:
        step = every_seconds * 1_000_000
        next_at = micros(records[0].at) + step if records else 0
        for record in records:
            at = micros(record.at)
            while next_at <= at:
                yield next_at, list(shop.due(next_at))
                next_at += step
            shop.hear(record)

    return shop, goes_on()
