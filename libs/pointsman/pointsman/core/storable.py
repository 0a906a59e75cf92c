"""What every part of an installation can hold: text without NUL and without half a character, numbers of 64 bits, a
bounded number of levels.

PostgreSQL has no NUL in a text, UTF-8 no lone surrogate, and our JSON no number beyond 64 bits. Such a value is refused
where it enters: further in it would stop whatever writes it.
"""

from collections.abc import Iterator
from math import isfinite
from typing import Any

INTEGER_MIN, INTEGER_MAX = -(2**63), 2**64 - 1
LEVELS_MAX = 64
"""Of lists and mappings inside one another."""

Path = tuple[str | int, ...]


def why_unstorable(text: str) -> str | None:
    """Why a text cannot be kept; None when it can."""
    if "\0" in text:
        return "has the character NUL, which no text can keep"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "has half a character (a lone surrogate)"
    return None


def unstorable(value: Any) -> Iterator[tuple[Path, str]]:
    """(path, why) for every part of a JSON value that cannot be kept, keys included, in no particular order."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, part = waiting.pop()
        why = None
        if isinstance(part, str):
            why = why_unstorable(part)
        elif isinstance(part, int):
            why = None if INTEGER_MIN <= part <= INTEGER_MAX else "is beyond 64 bits"
        elif isinstance(part, float):
            why = None if isfinite(part) else "is no finite number"
        elif isinstance(part, dict | list) and part and len(path) >= LEVELS_MAX:
            why = f"is more than {LEVELS_MAX} levels deep"
        elif isinstance(part, dict):
            for name, below in part.items():
                if isinstance(name, str) and (wrong := why_unstorable(name)) is not None:
                    yield (*path, name), f"its name {wrong}"
                waiting.append(((*path, name), below))
        elif isinstance(part, list):
            waiting.extend(((*path, place), below) for place, below in enumerate(part))
        if why is not None:
            yield path, why


def mended(text: str) -> str:
    """The text without NUL, and with U+FFFD for half a character."""
    if why_unstorable(text) is None:
        return text
    return text.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
