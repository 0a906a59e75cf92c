"""A history once more: the recorded arrivals on a simulated floor under some document.

Who came when, with which labels, is kept. Where a category goes and what it needs is the document's own say; a queue or
need that somebody had set otherwise for a ticket stands as long as the document knows it. Rules of classification
do not run again: the texts are not in a history. Agents are there when they were: one in the history's own document, of
whom nothing was recorded, was absent. Who is new in the document is there during their hours, all the time without any.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

from pointsman.contracts.document import Document
from pointsman.core.instant import Instant
from pointsman_routing.desk.state.hours import Hours as Opening
from pointsman_routing.replay.drawing import HandleTimes, Looks, Patience, chance
from pointsman_routing.replay.history import History, Recorded
from pointsman_routing.simulation.customers import Customer
from pointsman_routing.simulation.people import Visit
from pointsman_routing.simulation.plan import Hours, Kind, Plan
from pointsman_routing.simulation.promise import Matter, first_response
from pointsman_routing.simulation.replication import ContactCentre

_US = timedelta(microseconds=1)


class Outcome(NamedTuple):
    """What became of a ticket. Times in µs; `held_us` until the history's end."""

    agent: str | None
    fate: str
    waited_us: int
    held_us: int
    late: bool


@dataclass(frozen=True, slots=True)
class Rerun:
    """One replication: the outcome of each ticket in the history's order, what was drawn, what the watch found."""

    outcomes: list[Outcome]
    drawn: int
    broken: dict[str, str]
    decisions: int


def play_again(history: History, document: Document, seed: int, replication: int) -> Rerun:
    """Plays the history under the document. Deterministic for a seed and a replication's number."""
    return _Again(history, document, seed, replication).play()


class Promises:
    """When the promised first response to a ticket is late, under some document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._openings: dict[str | None, Opening] = {}

    def late_at(self, ticket: Recorded, queue: str) -> Instant | None:
        """The instant after which a first response is late; None when none is promised."""
        matter = Matter(
            queue=queue,
            channel=ticket.channel,
            priority=ticket.priority,
            connector=ticket.connector,
            category=ticket.category,
            organization=ticket.organization,
            tags=ticket.tags,
            language=ticket.language,
            customer_tier=ticket.tier,
        )
        found = first_response(self._document, matter)
        return None if found is None else self._after(found.calendar, ticket.at, timedelta(seconds=found.seconds))

    def _after(self, calendar: str | None, at: Instant, left: timedelta) -> Instant | None:
        if calendar is None:
            return at + left
        opening = self._openings.get(calendar)
        if opening is None:
            opening = self._openings[calendar] = Opening(self._document.calendars[calendar], self._document.timezone)
        while True:
            is_open, until = opening.at(at)
            if is_open and (until is None or at + left <= until):
                return at + left
            if until is None:
                return None
            left -= until - at if is_open else timedelta()
            at = until


class _Again:
    def __init__(self, history: History, document: Document, seed: int, replication: int) -> None:
        self._history, self._document = history, document
        self._seed, self._replication = seed, replication
        self._times, self._patience = HandleTimes(history), Patience(history.tickets)
        self._looks = Looks(history)
        self._promises = Promises(document)
        self._drawn = 0
        self._places: list[list[int]] = []
        self._late_us: dict[int, int | None] = {}
        self._visits: dict[int, Visit] = {}
        self._kinds: list[Kind] = []
        self._numbers: dict[Any, int] = {}
        for place, ticket in enumerate(history.tickets):
            self._places[self._kind_of(ticket)].append(place)

    def play(self) -> Rerun:
        end_us = self._us(self._history.end) + 1
        plan = Plan(
            seed=self._seed,
            replications=1,
            unit_us=1_000_000,
            warmup_us=0,
            horizon_us=end_us,
            sla=True,
            document=self._document.plain(),
            kinds=tuple(self._kinds),
            agents={slug: slug for slug in self._document.agents},
            hours={slug: self._present(slug) for slug in self._document.agents},
            start=self._history.start,
            ends_at_horizon=True,
        )
        streams = [self._customers(places) for places in self._places]
        floor = ContactCentre(plan, streams, self._note_visit, people=self)
        floor.play()
        for visit in floor.still_waiting():
            self._note_visit(visit)
        outcomes = [self._outcome(place, ticket, end_us) for place, ticket in enumerate(self._history.tickets)]
        return Rerun(outcomes, self._drawn, floor.watch.broken, floor.decisions)

    # -- who comes ---------------------------------------------------------------------------------------------------

    def _kind_of(self, ticket: Recorded) -> int:
        """The number of the tickets that are to the desk as this one is."""
        before, now = self._history.document, self._document
        own = before.category(ticket.category)
        queue = ticket.queue
        if queue == before.queue_of(ticket.category):
            queue = now.queue_of(ticket.category)
        if queue not in now.queues:
            queue = now.catch_all_queue
        needed = {**own.requires, **_language(before, ticket.language)}
        requires: Mapping[str, int] = {s: level for s, level in ticket.requires.items() if s in now.skills}
        if dict(ticket.requires) == needed:
            requires = {**now.category(ticket.category).requires, **_language(now, ticket.language)}
        prefers = now.category(ticket.category).prefers if ticket.prefers == own.prefers else ticket.prefers
        weight = ticket.weight
        if weight == before.weight_of(ticket.category, ticket.channel):
            weight = now.weight_of(ticket.category, ticket.channel)
        prefers = {s: level for s, level in prefers.items() if s in now.skills}
        language, category = ticket.language, ticket.category
        key = (queue, ticket.channel, ticket.priority, weight, language, category)
        whole = (*key, frozenset(requires.items()), frozenset(prefers.items()))
        number = self._numbers.get(whole)
        if number is None:
            number = self._numbers[whole] = len(self._kinds)
            slug = f"kind-{number + 1}"
            kind = Kind(slug, slug, queue, ticket.channel, ticket.priority, weight, requires, prefers)
            self._kinds.append(replace(kind, language=language))
            self._places.append([])
        return number

    def _customers(self, places: Sequence[int]) -> Iterator[Customer]:
        for number, place in enumerate(places, 1):
            ticket = self._history.tickets[place]
            patience_us = ticket.left_us
            if patience_us is None:
                share = chance(self._seed, self._replication, ticket.id, "patience")
                patience_us = self._patience.draw(ticket.channel, ticket.waited_us, share)
            yield Customer(self._us(ticket.at), number, 0, patience_us, ticket.customer)

    def _present(self, slug: str) -> Hours:
        spans = self._history.present.get(slug)
        if spans is None:
            spans = tuple(self._in_hours(slug))
        last = self._history.end
        return tuple(
            (max(0, self._us(start)), self._us(end) + (1 if end >= last else 0)) for start, end in spans if end > start
        )

    def _in_hours(self, slug: str) -> Iterator[tuple[Instant, Instant]]:
        """When an agent is there who is new in the document."""
        at, end = self._history.start, self._history.end
        calendar = self._document.hours_of(slug)
        if calendar is None:
            yield at, end
            return
        opening = Opening(self._document.calendars[calendar], self._document.timezone)
        while at < end:
            is_open, until = opening.at(at)
            until = min(until or end, end)
            if is_open:
                yield at, until
            at = until

    # -- how long it takes -------------------------------------------------------------------------------------------

    def _place(self, visit: Visit) -> int:
        return self._places[visit.kind][visit.customer.number - 1]

    def service_us(self, visit: Visit, agent: str) -> int:
        """The recorded time with the recorded agent, else one of the agent's and category's history."""
        ticket = self._history.tickets[self._place(visit)]
        if agent == ticket.agent and ticket.hold_us is not None:
            return ticket.hold_us
        self._drawn += 1
        share = chance(self._seed, self._replication, ticket.id, agent)
        return self._times.draw(agent, ticket.category, share)

    def accept_us(self, visit: Visit, agent: str) -> int:
        """How long the agent looked at this ticket's offer, else at one of theirs."""
        ticket = self._history.tickets[self._place(visit)]
        if agent == ticket.agent and ticket.look_us is not None:
            return ticket.look_us
        share = chance(self._seed, self._replication, ticket.id, agent, "look")
        return self._looks.draw(agent, share)

    def late_us(self, visit: Visit) -> int | None:
        place = self._place(visit)
        if place not in self._late_us:
            late = self._promises.late_at(self._history.tickets[place], self._kinds[visit.kind].queue)
            self._late_us[place] = None if late is None else self._us(late)
        return self._late_us[place]

    def _us(self, at: Instant) -> int:
        return (at - self._history.start) // _US

    # -- what became of it -------------------------------------------------------------------------------------------

    def _note_visit(self, visit: Visit) -> None:
        self._visits[self._place(visit)] = visit

    def _outcome(self, place: int, ticket: Recorded, end_us: int) -> Outcome:
        visit = self._visits[place]
        at_us = visit.customer.at_us
        late_us = self.late_us(visit)
        answered_us = at_us + visit.waited_us
        held_us = 0
        if visit.fate == "served":
            held_us = min(visit.service_us, end_us - answered_us)
            answered_us += reply_after(ticket, visit.service_us)
        late = late_us is not None and answered_us > late_us
        return Outcome(visit.agent, visit.fate, visit.waited_us, held_us, late)


def reply_after(ticket: Recorded, service_us: int) -> int:
    """How long after the assignment the customer has an answer: at the same share of the work as it was recorded, at
    the end of it when no reply was."""
    if ticket.reply_us is None or not ticket.hold_us:
        return service_us
    return round(min(1.0, ticket.reply_us / ticket.hold_us) * service_us)


def _language(document: Document, language: str) -> dict[str, int]:
    skill = document.language_skill(language)
    return {} if skill is None else {skill: 1}
