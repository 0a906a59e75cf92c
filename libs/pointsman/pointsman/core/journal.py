"""The journal: inverses of what a decision changed, so that it can be taken back instead of reloaded.

A resident state changes only through its journal. `mark()` names a place, `undo(mark)` runs the inverses made since
then, newest first, and leaves the state as it was at the mark. A dry run is: mark, apply, look, undo.
"""

from collections.abc import MutableMapping, MutableSet
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_ABSENT: Any = object()

Mark = int


class Journal:
    """Inverses in the order in which the changes were made. Not safe for threads; one lane owns one journal."""

    __slots__ = ("_inverses",)

    def __init__(self) -> None:
        self._inverses: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._inverses)

    def mark(self) -> Mark:
        """A name for this place in the history."""
        return len(self._inverses)

    def set(self, thing: object, name: str, value: Any) -> None:
        """Sets an attribute; the inverse restores the old value."""
        self._inverses.append((setattr, thing, name, getattr(thing, name)))
        setattr(thing, name, value)

    def put(self, mapping: MutableMapping[K, V], key: K, value: V) -> None:
        """Sets a key of a mapping; the inverse restores or removes it (its place in the order may differ)."""
        old = mapping.get(key, _ABSENT)
        self._inverses.append((_restore, mapping, key, old))
        mapping[key] = value

    def pop(self, mapping: MutableMapping[K, V], key: K) -> V | None:
        """Removes a key if it is there and returns its value; the inverse puts it back."""
        old = mapping.pop(key, _ABSENT)
        if old is _ABSENT:
            return None
        self._inverses.append((_restore, mapping, key, old))
        return old  # type: ignore[no-any-return]

    def add(self, members: MutableSet[K], member: K) -> None:
        """Adds a member of a set; the inverse removes it, unless it was there before."""
        if member not in members:
            members.add(member)
            self._inverses.append((members.discard, member))

    def discard(self, members: MutableSet[K], member: K) -> None:
        """Removes a member of a set; the inverse adds it, if it was there."""
        if member in members:
            members.discard(member)
            self._inverses.append((members.add, member))

    def note(self, *inverse: Any) -> None:
        """Notes the inverse of a change that the caller has made itself (an index, a heap): a function and what it is
        called with."""
        self._inverses.append(inverse)

    def undo(self, mark: Mark = 0) -> None:
        """Takes back everything since the mark."""
        while len(self._inverses) > mark:
            inverse, *arguments = self._inverses.pop()
            inverse(*arguments)

    def forget(self) -> None:
        """Drops all inverses: what was changed is now committed."""
        self._inverses.clear()


def _restore(mapping: MutableMapping[Any, Any], key: Any, old: Any) -> None:
    if old is _ABSENT:
        mapping.pop(key, None)
    else:
        mapping[key] = old
