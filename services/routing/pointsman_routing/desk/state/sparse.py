"""Attributes that few tickets have: they share one slot, so that a waiting ticket pays for none of them."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar, overload

T = TypeVar("T")

Rare = tuple[Any, ...]
"""The values, each at its attribute's place; None where the ticket has none at all."""


class HasRare(Protocol):
    """What such attributes are of."""

    rare: Rare | None


class Rarely(Generic[T]):
    """An attribute that is mostly None. Assigning it replaces `rare`, never changes it: undo keeps the old one."""

    def __init__(self, place: int, places: int) -> None:
        self._place, self._places = place, places

    @overload
    def __get__(self, thing: None, owner: type) -> Rarely[T]: ...

    @overload
    def __get__(self, thing: HasRare, owner: type) -> T | None: ...

    def __get__(self, thing: HasRare | None, owner: type) -> Rarely[T] | T | None:
        if thing is None:
            return self
        rare = thing.rare
        return None if rare is None else rare[self._place]

    def __set__(self, thing: HasRare, value: T | None) -> None:
        rare, place = thing.rare, self._place
        if rare is None:
            if value is not None:
                thing.rare = (None,) * place + (value,) + (None,) * (self._places - place - 1)
        elif rare[place] is not value:
            changed = (*rare[:place], value, *rare[place + 1 :])
            thing.rare = None if value is None and changed.count(None) == self._places else changed
