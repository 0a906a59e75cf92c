"""Attributes that few tickets have: they share one slot, so that a waiting ticket pays for none of them."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar, overload

T = TypeVar("T")

SparseValues = tuple[Any, ...]
"""The values, each at its attribute's place; None where the ticket has none at all."""


class HasSparse(Protocol):
    """What such attributes are of."""

    sparse: SparseValues | None


class Sparse(Generic[T]):
    """An attribute that is mostly None. Assigning it replaces `sparse`, never changes it: undo keeps the old one."""

    def __init__(self, place: int, places: int) -> None:
        self._place, self._places = place, places

    @overload
    def __get__(self, thing: None, owner: type) -> Sparse[T]: ...

    @overload
    def __get__(self, thing: HasSparse, owner: type) -> T | None: ...

    def __get__(self, thing: HasSparse | None, owner: type) -> Sparse[T] | T | None:
        if thing is None:
            return self
        sparse = thing.sparse
        return None if sparse is None else sparse[self._place]

    def __set__(self, thing: HasSparse, value: T | None) -> None:
        sparse, place = thing.sparse, self._place
        if sparse is None:
            if value is not None:
                thing.sparse = (None,) * place + (value,) + (None,) * (self._places - place - 1)
        elif sparse[place] is not value:
            changed = (*sparse[:place], value, *sparse[place + 1 :])
            thing.sparse = None if value is None and changed.count(None) == self._places else changed
