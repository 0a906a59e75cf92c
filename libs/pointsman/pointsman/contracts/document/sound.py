"""What is left of a document when all that has a wrong shape is taken out: what it says of the rest is still checked,
so that all mistakes are told at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pointsman.contracts.document.workspace import Document

ROUNDS_MAX = 10
"""A part that is unfolded only when its neighbours are right shows its mistake in the next round."""

Path = tuple[str | int, ...]

_OUT = object()


@dataclass
class Sound:
    """A document without its `broken` paths, which are those of the document as written."""

    document: Document
    broken: frozenset[Path] = frozenset()
    _kept: dict[Path, list[int]] = field(default_factory=dict)

    def as_written(self, path: Sequence[str | int]) -> Path:
        """Where something of this document stands in what was written: items of lists may have gone."""
        found: Path = ()
        for step in path:
            kept = self._kept.get(found)
            found = (*found, kept[step] if kept is not None and isinstance(step, int) and step < len(kept) else step)
        return found

    def holds(self, path: Path) -> bool:
        """Whether nothing was taken out at or below a path."""
        return not any(broken[: len(path)] == path or path[: len(broken)] == broken for broken in self.broken)


def sound_part(value: dict[str, Any]) -> Sound | None:
    """The document without what has a wrong shape; None when too little is left."""
    broken: set[Path] = set()
    for _ in range(ROUNDS_MAX):
        kept: dict[Path, list[int]] = {}
        rest = _without(value, (), broken, kept)
        rest["workspace"] = "acme" if ("workspace",) in broken else rest.get("workspace", "acme")
        try:
            return Sound(Document.model_validate(rest), frozenset(broken), kept)
        except ValidationError as refused:
            so_far = Sound(_NOTHING, frozenset(), kept)
            found = {_spoilt(rest, problem) for problem in refused.errors(include_url=False, include_input=False)}
            paths = {so_far.as_written(path) for path in found}
            if () in paths or paths <= broken:
                return None
            broken |= paths
    return None


_NOTHING = Document(workspace="acme")


def _without(value: Any, path: Path, broken: set[Path], kept: dict[Path, list[int]]) -> Any:
    if path in broken:
        return _OUT
    if isinstance(value, dict):
        parts = {key: _without(part, (*path, key), broken, kept) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part is not _OUT}
    if isinstance(value, list):
        items = [(place, _without(item, (*path, place), broken, kept)) for place, item in enumerate(value)]
        items = [(place, item) for place, item in items if item is not _OUT]
        if len(items) < len(value):
            kept[path] = [place for place, _ in items]
        return [item for _, item in items]
    return value


def _spoilt(value: Any, problem: Any) -> Path:
    """What goes with a mistake: its key, or the mapping or list that it makes useless."""
    path: list[str | int] = []
    for step in problem["loc"]:
        there = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if not there and not (isinstance(value, dict) and step in value):
            continue  # a step of pydantic's own: a union's member, `[key]`, or a key that is missing
        value = value[step]
        path.append(step)
    return tuple(path)
