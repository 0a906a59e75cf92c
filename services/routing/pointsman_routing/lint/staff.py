"""Who could take what, and when: agents as bits of whole numbers, so that large documents are looked at in a moment."""

from collections.abc import Iterable, Mapping
from functools import cache

from pointsman.contracts.document import Document
from pointsman_routing.lint.week import EVERY_HOUR, week_of


class Staff:
    """The people of a document. A set of agents is a whole number with a bit each, in the document's order.

    `keeps_hours`: they take tickets in their hours only; else always, as routing has it while it ignores them.
    """

    def __init__(self, document: Document, *, keeps_hours: bool) -> None:
        self._document = document
        self.people = [slug for slug, agent in document.agents.items() if agent.kind == "human"]
        self._in_queue: dict[str, int] = {}
        self._levels: dict[str, list[tuple[int, int]]] = {}
        self._shifts: dict[str | None, int] = {}
        for place, slug in enumerate(self.people):
            bit = 1 << place
            for queue in document.places_of(slug):
                self._in_queue[queue] = self._in_queue.get(queue, 0) | bit
            for skill, level in document.agents[slug].skills.items():
                self._levels.setdefault(skill, []).append((level, bit))
            hours = document.hours_of(slug) if keeps_hours else None
            self._shifts[hours] = self._shifts.get(hours, 0) | bit
        self.everybody = (1 << len(self.people)) - 1
        self._holding = cache(self._holders)

    def able(self, queues: Iterable[str], requires: Mapping[str, int]) -> int:
        """Those who serve one of the queues and hold every skill at its level, present or not."""
        found = 0
        for queue in queues:
            found |= self._in_queue.get(queue, 0)
        for skill, level in requires.items():
            found &= self._holding(skill, level)
        return found

    def holding(self, skill: str, level: int = 1) -> int:
        """Those who hold the skill at the level."""
        return self._holding(skill, level)

    def serving(self, queue: str) -> int:
        return self._in_queue.get(queue, 0)

    def _holders(self, skill: str, level: int) -> int:
        found = 0
        for has, bit in self._levels.get(skill, ()):
            if has >= level:
                found |= bit
        return found

    def names(self, some: int) -> list[str]:
        """The slugs of a set, in the document's order."""
        found = []
        while some:
            found.append(self.people[(some & -some).bit_length() - 1])
            some &= some - 1
        return found

    def on_shift(self, some: int) -> int:
        """The quarter hours of a week in which at least one of them works (`week`)."""
        found = 0
        for hours, agents in self._shifts.items():
            if agents & some:
                found |= EVERY_HOUR if hours is None else week_of(self._document.calendars[hours], self._document)
        return found
