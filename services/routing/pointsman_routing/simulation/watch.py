"""Whether the desk does what it must, checked at every event of a simulation from outside.

The watch keeps its own books from what was put in and what the desk said (facts), and never reads the desk's state but
for one number, how many it says are waiting. It checks that

- `capacity`: no agent carries more than their capacity, and no ticket has two holders;
- `work_conservation`: after a decision nobody waits for whom an available agent who may take them has room;
- `littles_law`: the number of waiting tickets that the desk tells, integrated over time, is the sum of all waits
  (L = λW as an identity of the path, Little 1961; exact, since times are whole µs).

Where a rule may keep a ticket from an agent for a while (a rank that opens later, a queue's hours, another queue to
which a full one sends), the agent does not count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pointsman.contracts.document import Document
from pointsman_routing.simulation.plan import Kind

CHECKS = ("work_conservation", "littles_law", "capacity")


@dataclass(slots=True)
class Side:
    """Agents alike, and how many of those available have how many units free. `top` is the largest number free."""

    free: list[int]
    top: int = -1

    def enter(self, units: int) -> None:
        if units >= 0:
            self.free[units] += 1
            self.top = max(self.top, units)

    def leave(self, units: int) -> None:
        if units >= 0:
            self.free[units] -= 1
            while self.top >= 0 and not self.free[self.top]:
                self.top -= 1


@dataclass(slots=True)
class Watched:
    """One agent as the watch knows them. With `caps` or `reserve` room depends on the channel."""

    slug: str
    capacity: int
    side: Side | None
    caps: Mapping[str, int]
    reserve: Mapping[str, int]
    available: bool = False
    load: int = 0
    tickets: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)

    def room(self, channel: str) -> int:
        """Units free for a channel; below 0 for none."""
        if channel in self.caps and self.tickets.get(channel, 0) >= self.caps[channel]:
            return -1
        kept = sum(max(0, n - self.units.get(other, 0)) for other, n in self.reserve.items() if other != channel)
        return self.capacity - self.load - kept


class Watch:
    """The books of one replication. `broken` has the first counter-example of each check that failed."""

    def __init__(self, document: Document, kinds: Iterable[Kind]) -> None:
        self.broken: dict[str, str] = {}
        self.agents: dict[str, Watched] = {}
        self.waiting: dict[int, int] = {}
        self.load = 0
        self.capacity = 0
        self._kinds = list(kinds)
        self._sides: list[list[Side]] = [[] for _ in self._kinds]
        self._special: list[list[Watched]] = [[] for _ in self._kinds]
        self._holders: dict[str, str] = {}
        self._since: dict[str, tuple[int, int]] = {}
        self._waits_us = 0
        self._area_us = 0
        self.told = 0
        self._last_us = 0
        self._employ(document)

    def _employ(self, document: Document) -> None:
        sides: dict[object, Side] = {}
        always = frozenset(slug for slug, queue in document.queues.items() if queue.hours is None)
        lines = [_lines(document, kind.queue) for kind in self._kinds]
        for slug, agent in document.agents.items():
            if agent.kind != "human":
                continue
            places = document.places_of(slug)
            open_at_once = always & {queue for queue, place in places.items() if not place.after_seconds}
            simple = not agent.caps and not any(agent.reserve.values())
            alike = (frozenset(agent.skills.items()), open_at_once, agent.capacity)
            able = [
                number
                for number, kind in enumerate(self._kinds)
                if lines[number] <= open_at_once
                and all(agent.skills.get(skill, 0) >= level for skill, level in kind.requires.items())
            ]
            side = None
            if simple:
                side = sides.get(alike)
                if side is None:
                    side = sides[alike] = Side([0] * (agent.capacity + 1))
                    for number in able:
                        self._sides[number].append(side)
            caps = {str(channel): count for channel, count in agent.caps.items()}
            reserve = {str(channel): units for channel, units in agent.reserve.items()}
            watched = self.agents[slug] = Watched(slug, agent.capacity, side, caps, reserve)
            if side is None:
                for number in able:
                    self._special[number].append(watched)

    # -- what happens ------------------------------------------------------------------------------------------------

    def present(self, slug: str, available: bool) -> None:
        """An agent's app said so."""
        agent = self.agents[slug]
        if agent.available == available:
            return
        agent.available = available
        self.capacity += agent.capacity if available else -agent.capacity
        if agent.side is not None:
            (agent.side.enter if available else agent.side.leave)(agent.capacity - agent.load)

    def arrived(self, ticket: str, kind: int, at_us: int) -> None:
        """A customer has come and waits until something else is said."""
        self._since[ticket] = (at_us, kind)
        self.waiting[kind] = self.waiting.get(kind, 0) + 1

    def assigned(self, ticket: str, slug: str, kind: int, at_us: int) -> int:
        """The desk gave the ticket to an agent, who carries it from now on: how long it has waited in µs."""
        if ticket in self._holders:
            self._break("capacity", f"{ticket} was given to {slug} while {self._holders[ticket]} held it")
            return 0
        waited = self.left(ticket, at_us)
        self._holders[ticket] = slug
        agent = self.agents[slug]
        self._carry(agent, self._kinds[kind], 1)
        if agent.load > agent.capacity:
            self._break("capacity", f"{slug} carries {agent.load} units of {agent.capacity} at {at_us} µs")
        return waited

    def freed(self, ticket: str, kind: int) -> None:
        """The holder is done with the ticket, its after-work included."""
        self._carry(self.agents[self._holders.pop(ticket)], self._kinds[kind], -1)

    def left(self, ticket: str, at_us: int) -> int:
        """The ticket waits no more: how long it has waited in µs."""
        since, kind = self._since.pop(ticket)
        self.waiting[kind] -= 1
        if not self.waiting[kind]:
            del self.waiting[kind]
        waited = at_us - since
        self._waits_us += waited
        return waited

    def _carry(self, agent: Watched, kind: Kind, sign: int) -> None:
        units = sign * kind.weight
        side = agent.side
        if side is not None and agent.available:
            side.leave(agent.capacity - agent.load)
            side.enter(agent.capacity - agent.load - units)
        agent.load += units
        self.load += units
        if side is None:
            agent.tickets[kind.channel] = agent.tickets.get(kind.channel, 0) + sign
            agent.units[kind.channel] = agent.units.get(kind.channel, 0) + units

    # -- what must hold ----------------------------------------------------------------------------------------------

    def passed(self, at_us: int) -> None:
        """Time has gone on to here, nothing having changed since the last event."""
        self._area_us += self.told * (at_us - self._last_us)
        self._last_us = at_us

    def settled(self, told: int, at_us: int) -> None:
        """A decision is made, and the desk tells that so many wait."""
        self.told = told
        for number in self.waiting:
            weight = self._kinds[number].weight
            for side in self._sides[number]:
                if side.top >= weight:
                    self._idle(number, at_us)
                    return
            for agent in self._special[number]:
                if agent.available and agent.room(self._kinds[number].channel) >= weight:
                    self._idle(number, at_us)
                    return

    def ended(self, at_us: int) -> None:
        """The run is over: whoever still waits has waited until now."""
        self.passed(at_us)
        waits_us = self._waits_us + sum(at_us - since for since, _ in self._since.values())
        if waits_us != self._area_us:
            said = f"all waits are {waits_us} µs, but the number waiting over time is {self._area_us} ticket-µs"
            self._break("littles_law", said)

    def _idle(self, number: int, at_us: int) -> None:
        kind = self._kinds[number].name
        self._break("work_conservation", f"a ticket of {kind} waits at {at_us} µs though somebody has room for it")

    def _break(self, check: str, said: str) -> None:
        self.broken.setdefault(check, said)


def _lines(document: Document, queue: str) -> frozenset[str]:
    """The queues in which a ticket of this one may come to stand, because it is shut or full."""
    found: set[str] = set()
    ahead = [queue]
    while ahead:
        slug = ahead.pop()
        if slug not in found:
            found.add(slug)
            rules = (document.queues[slug].closed.then, document.queues[slug].full.then)
            ahead += [rule.to for rule in rules if not isinstance(rule, str)]
    return frozenset(found)
