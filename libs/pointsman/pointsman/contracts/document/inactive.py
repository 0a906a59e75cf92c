"""Which keys are valid and do nothing yet. A feature that is built deletes its line here, and nothing else."""

from collections.abc import Iterator
from typing import Any

INACTIVE: tuple[str, ...] = (
    "/agents/*/hours",
    "/teams/*/hours",
    "/connectors/*/verify/trust",
    "/connectors/*/send/kind=smtp",
    "/retention",
    "/surveys",
    "/auth/issuers",
)
"""Patterns of JSON pointers; `*` is any one key or place. `=value` asks that the value is (or holds) that."""


def inactive_pointers(document: dict[str, Any]) -> list[str]:
    """The pointers of keys that are present and not built, in the order of the table; an empty value does not count."""
    found = [pointer for pattern in INACTIVE for pointer in _matches(pattern, document)]
    return list(dict.fromkeys(found))


def _matches(pattern: str, document: dict[str, Any]) -> Iterator[str]:
    path, _, value = pattern.partition("=")
    for pointer, found in _walk(path.split("/")[1:], document, ""):
        if value and not (found == value or (isinstance(found, list) and value in found)):
            continue
        if found in ({}, [], None, False):
            continue
        yield pointer


def _walk(steps: list[str], value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if not steps:
        yield pointer, value
        return
    head, rest = steps[0], steps[1:]
    if head == "*":
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            yield from _walk(rest, item, f"{pointer}/{escaped(key)}")
    elif isinstance(value, dict) and head in value:
        yield from _walk(rest, value[head], f"{pointer}/{head}")


def escaped(key: str | int) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")
