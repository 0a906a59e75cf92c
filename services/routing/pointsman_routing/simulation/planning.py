"""From a scenario to its plan: the desk's workspace document, the classes, who is there when.

Names of classes and agents are free text in a scenario; the desk knows them by slugs of the plan's own, numbered in the
order in which they are written. Every mistake is said with its key and line.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from pydantic import ValidationError

from pointsman.contracts.document import Document, DocumentError, DocumentErrors, read_document, read_plain
from pointsman.contracts.document.errors import pointer_of
from pointsman.contracts.document.expansion import expanded
from pointsman.contracts.document.reading import Written, shape_errors
from pointsman.contracts.shapes import Channel
from pointsman_routing.simulation.distributions import Draw, draw_of
from pointsman_routing.simulation.plan import START, Drawn, Hours, Kind, Plan, Rates
from pointsman_routing.simulation.priority_classes import priority_classes_of
from pointsman_routing.simulation.promise import Matter, first_response
from pointsman_routing.simulation.scenario import AGENTS_MAX, UNIT_US, Agents, Class, Scenario

CUSTOMERS_MAX = 20_000_000
"""Expected arrivals of one replication."""

Steps = tuple[str | int, ...]
"""A path of keys and places in the scenario."""

CHANNELS: tuple[Channel, ...] = ("email", "chat", "social")
_NO_CHANNELS: dict[Channel, Any] = {channel: {} for channel in CHANNELS}


class Someone(NamedTuple):
    """One agent: slug, name in the result, hours, keys of the document, and where that is written."""

    slug: str
    shown: str
    hours: Hours | None
    keys: dict[str, Any]
    path: Steps


def read_scenario(path: Path) -> Plan:
    """The plan of a scenario's file. Raises `DocumentErrors` with every mistake, its key and line; `OSError`."""
    return plan_of(read_plain(path.read_bytes()), path.parent)


def plan_of(written: Written, folder: Path) -> Plan:
    """The plan of a scenario; files that it names are looked for in `folder`. Raises `DocumentErrors`."""
    if not isinstance(written.value, dict):
        raise DocumentErrors([DocumentError("", "is not a mapping; see docs/simulation.md for an example", 1)])
    try:
        scenario = Scenario.model_validate(written.value)
    except ValidationError as refused:
        found = shape_errors(refused, written, Scenario)
        raise DocumentErrors(sorted(found, key=lambda error: error.line or 0)) from refused
    return _Planning(scenario, written, folder).plan()


class _Planning:
    """A valid scenario on its way to a plan."""

    def __init__(self, scenario: Scenario, written: Written, folder: Path) -> None:
        self.scenario, self.written, self.folder = scenario, written, folder
        self.unit_us = UNIT_US[scenario.unit]
        self.agents = list(self._agents())

    def plan(self) -> Plan:
        scenario = self.scenario
        written, document = self._read(self._document())
        queues = self._queues_of_classes(document)
        priorities, priority_classes = priority_classes_of(scenario.classes, queues, document)
        kinds = tuple(
            self._kind(place, queue, priority, document)
            for place, (queue, priority) in enumerate(zip(queues, priorities, strict=True))
        )
        customers = sum(kind.drawn.rates.expected(self._us(scenario.horizon)) for kind in kinds if kind.drawn)
        if customers > CUSTOMERS_MAX:
            self._refuse(("horizon",), f"about {customers:,.0f} customers a replication; at most {CUSTOMERS_MAX:,}")
        return Plan(
            seed=scenario.seed,
            replications=scenario.replications,
            unit_us=self.unit_us,
            warmup_us=self._us(scenario.warmup),
            horizon_us=self._us(scenario.horizon),
            sla=scenario.sla,
            document=written,
            kinds=kinds,
            agents={agent.slug: agent.shown for agent in self.agents},
            hours={agent.slug: agent.hours for agent in self.agents if agent.hours is not None},
            priority_classes=priority_classes,
            leaving_at_once=frozenset(channel for channel in CHANNELS if not self._says_when_lost(channel)),
        )

    def _us(self, time: float) -> int:
        return round(time * self.unit_us)

    def _refuse(self, path: Steps, detail: str) -> NoReturn:
        raise DocumentErrors([DocumentError(pointer_of(path), detail, self.written.line_of(path))])

    # -- the desk ----------------------------------------------------------------------------------------------------

    def _agents(self) -> Iterator[Someone]:
        agents = self.scenario.desk.agents
        if isinstance(agents, Mapping):
            for slug, keys in agents.items():
                yield Someone(slug, slug, None, keys, (slug,))
            return
        total, number = sum(group.count for group in agents), 0
        if total > AGENTS_MAX:
            self._refuse(("desk", "agents"), f"{total:,} agents; at most {AGENTS_MAX:,}")
        named: set[str] = set()
        for place, group in enumerate(agents):
            for each in range(1, group.count + 1):
                number += 1
                shown = (
                    f"agent-{number}" if group.id is None else group.id if group.count == 1 else f"{group.id}-{each}"
                )
                if shown in named:
                    self._refuse(("desk", "agents", place, "id"), f"two agents are called {shown!r}")
                named.add(shown)
                slug = f"agent-{number:05}"
                yield Someone(slug, shown, self._hours(place, group), group.plain(), (place,))

    def _hours(self, place: int, group: Agents) -> Hours | None:
        if group.present is None:
            return None
        flat = [time for span in group.present for time in span]
        if any(later <= earlier for earlier, later in pairwise(flat)):
            self._refuse(("desk", "agents", place, "present"), "spans [from, to] have to follow one another")
        return tuple((self._us(start), self._us(end)) for start, end in group.present)

    def _document(self) -> dict[str, Any]:
        """The workspace document that the scenario's desk stands for."""
        desk = self.scenario.desk
        others = desk.model_dump(exclude={"agents", "choice", "queues", "channels"}, exclude_unset=True)
        return {
            "workspace": "simulation",
            "timezone": "UTC",
            **{key: value for key, value in others.items() if value is not None},
            "classify": {"language_skill": None},
            "channels": {
                channel: {"affinity_seconds": 0, **given} if isinstance(given, dict) else given
                for channel, given in {**_NO_CHANNELS, **desk.channels}.items()
            },
            "queues": {slug: self._queue(queue) for slug, queue in desk.queues.items()},
            "agents": {agent.slug: agent.keys for agent in self.agents},
        }

    def _says_when_lost(self, channel: Channel) -> bool:
        """Whether the scenario itself says how long after they left customers of the channel are given up."""
        given = self.scenario.desk.channels.get(channel)
        return isinstance(given, dict) and "abandons_after_seconds" in given

    def _read(self, plain: dict[str, Any]) -> tuple[dict[str, Any], Document]:
        """The document with the holidays of the years around virtual time, plain and read."""
        try:
            found = expanded(Written(plain, None), read_document(plain), START.year)
            return found.value, read_document(found)
        except DocumentErrors as refused:
            raise DocumentErrors([self._moved(error) for error in refused.errors]) from refused

    def _queue(self, given: Any) -> Any:
        """A queue that assigns at once: simulated agents accept what they are shown."""
        if not isinstance(given, dict):
            return {} if given is None else given
        offer = given.get("offer", {})
        offering = {**offer, "auto_accept": True} if isinstance(offer, dict) else offer
        return {"choice": self.scenario.desk.choice, **given, "offer": offering}

    def _moved(self, error: DocumentError) -> DocumentError:
        """A mistake in the document, where it is in the scenario."""
        steps: list[str | int] = [each.replace("~1", "/").replace("~0", "~") for each in error.pointer.split("/")[1:]]
        if len(steps) > 1 and steps[0] == "agents":
            written = {agent.slug: agent.path for agent in self.agents}
            steps[1:2] = written[str(steps[1])]
        path = ("desk", *steps)
        return DocumentError(pointer_of(path), error.detail, self.written.line_of(path))

    # -- the classes -------------------------------------------------------------------------------------------------

    def _queues_of_classes(self, document: Document) -> list[str]:
        """Each class's queue, after a look at every name that it uses."""
        queues = document.queues
        found: list[str] = []
        for place, one in enumerate(self.scenario.classes):
            path: Steps = ("classes", place)
            if any(other.name == one.name for other in self.scenario.classes[:place]):
                self._refuse((*path, "name"), f"two classes are called {one.name!r}")
            if one.queue is None and len(queues) > 1:
                self._refuse(path, f"which queue? There are {', '.join(queues)}")
            if one.queue is not None and one.queue not in queues:
                self._refuse((*path, "queue"), f"there is no queue {one.queue!r} in the desk")
            for key, needed in (("requires", one.requires), ("prefers", one.prefers)):
                for skill in needed:
                    if skill not in document.skills:
                        self._refuse((*path, key, skill), f"there is no skill {skill!r} among the desk's skills")
            found.append(one.queue or next(iter(queues)))
        return found

    def _kind(self, place: int, queue: str, priority: str, document: Document) -> Kind:
        one = self.scenario.classes[place]
        path: Steps = ("classes", place)
        named = one.priority if isinstance(one.priority, str) else None
        promised = first_response(document, Matter(queue, one.channel, named)) if self.scenario.sla else None
        target = document.queues[queue].wait_target_seconds if promised is None else promised.seconds
        return Kind(
            name=one.name,
            slug=f"class-{place + 1}",
            queue=queue,
            channel=one.channel,
            priority=priority,
            weight=one.weight,
            requires=one.requires,
            prefers=one.prefers,
            balk=one.balk,
            drawn=Drawn(
                rates=self._rates(place, one),
                service=self._draw((*path, "service"), one.service),
                patience=None if one.patience is None else self._draw((*path, "patience"), one.patience),
            ),
            target_us=target * 1_000_000 if self.scenario.sla else None,
            promised=promised is not None,
        )

    def _rates(self, place: int, one: Class) -> Rates:
        if not isinstance(one.rate, tuple):
            return Rates(((0, one.rate / self.unit_us),))
        starts = [self._us(step.from_) for step in one.rate]
        if starts[0] != 0 or any(later <= earlier for earlier, later in pairwise(starts)):
            self._refuse(("classes", place, "rate"), "steps begin at 0 and follow one another")
        return Rates(tuple((start, step.rate / self.unit_us) for start, step in zip(starts, one.rate, strict=True)))

    def _draw(self, path: Steps, distribution: Any) -> Draw:
        try:
            return draw_of(distribution, self.folder)
        except ValueError as error:
            self._refuse((*path, "file"), str(error))
