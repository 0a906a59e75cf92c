"""What every rule of lint looks at: the document, its people, its kinds of tickets."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pointsman.contracts.document import Document
from pointsman_routing.lint.finding import Finding, Path
from pointsman_routing.lint.staff import Staff
from pointsman_routing.lint.work import ANY_LANGUAGE, AskedQueues, Work, stages_of, works_of


class WorkKind(NamedTuple):
    """A kind of work, its stages, and who could take it at first and at the end."""

    work: Work
    stages: list[AskedQueues]
    first: int
    last: int


class DocumentView(NamedTuple):
    """Made once for all rules."""

    document: Document
    staff: Staff
    kinds: list[WorkKind]

    @classmethod
    def of(cls, document: Document, *, keeps_hours: bool) -> "DocumentView":
        staff = Staff(document, keeps_hours=keeps_hours)
        kinds = []
        for work in works_of(document):
            stages = stages_of(document, work)
            first, last = (staff.able(stage.queues, stage.requires) for stage in (stages[0], stages[-1]))
            kinds.append(WorkKind(work, stages, first, last))
        return cls(document, staff, kinds)

    @property
    def hinted(self) -> bool:
        """Whether a connector may name any queue, category and skill."""
        return any(connector.hints for connector in self.document.connectors.values())

    def by_path(self, kinds: Iterable[WorkKind]) -> Iterator[tuple[Path, list[WorkKind], bool]]:
        """Kinds by what makes them; and whether these are all languages of it."""
        of_path: dict[Path, list[WorkKind]] = {}
        for kind in kinds:
            of_path.setdefault(kind.work.path, []).append(kind)
        for path, found in of_path.items():
            every = sum(kind.work.path == path for kind in self.kinds)
            yield path, found, len(found) == every


Check = Callable[[DocumentView], Iterator[Finding]]


def needed(requires: dict[str, int]) -> str:
    """A requirement set in words."""
    return " and ".join(f"{skill} at level {level}" for skill, level in sorted(requires.items()))


def in_languages(kinds: list[WorkKind], whole: bool) -> str:
    """` in it, de`: of which languages it is true; nothing when it is true of all."""
    named = sorted({kind.work.language for kind in kinds} - {ANY_LANGUAGE})
    return "" if whole or not named else f" in {', '.join(named)}"
