"""Filters of lists that name something: who misspells a name is told so, and does not read an empty list as "none"."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from pointsman.core.nearest import no_such
from pointsman.runtime.http.problems import Problem

Known = Callable[[str], Awaitable[Collection[str] | None]]
"""Filter → the names that there are now; None when that cannot be told."""
Found = Callable[[str, str], Awaitable[Any]]
"""(filter, name) → whether the list has something of it, were nothing else asked for: what a name was once that is
gone stays findable."""


async def refuse_unknown(
    filters: Mapping[str, str | None], known: Known, found: Found, *, pointer: str = "?{}"
) -> None:
    """For a list that turned out empty. Raises `Problem` 422 when one of its filters names what there never was."""
    errors = []
    for name, value in filters.items():
        if value is None:
            continue
        names = await known(name)
        if names is None or value in names or await found(name, value):
            continue
        errors.append({"pointer": pointer.format(name), "detail": no_such(name, value, names)})
    if errors:
        raise Problem(422, "invalid-request", errors[0]["detail"], errors)
