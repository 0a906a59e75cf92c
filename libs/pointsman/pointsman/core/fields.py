"""What fields mean, in the published schemas: the words of `fields.txt`, with unit and example from the name's end.

Most fields are of many shapes and mean the same in each: they are told once. A field that is declared with a
description keeps it.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

UNITS = (
    ("_seconds", "s", 3600),
    ("_minutes", "min", 20),
    ("_days", "days", 90),
    ("_at", "RFC 3339, UTC", "2026-11-22T09:00:00Z"),
    ("_until", "RFC 3339, UTC", "2026-11-22T09:00:00Z"),
    ("_since", "RFC 3339, UTC", "2026-11-22T09:00:00Z"),
    ("_after", "RFC 3339, UTC", "2026-11-22T09:00:00Z"),
    ("_before", "RFC 3339, UTC", "2026-11-22T09:00:00Z"),
)
"""The end of a name, the unit that it says, and an example of such a value."""


@cache
def words() -> Mapping[str, str]:
    """Field, or `Shape.field` → what it means."""
    lines = Path(__file__).with_name("fields.txt").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def describe(document: dict[str, Any]) -> None:
    """Gives every property and parameter of an OpenAPI document or a JSON Schema its description, where it has none."""
    for shape, name, described in fields_of(document):
        if not described.get("description"):
            said = words().get(f"{shape}.{name}") or words().get(name)
            if said is not None:
                described["description"] = with_unit(name, said)


def with_unit(name: str, said: str) -> str:
    """The words with the unit that the name's end says, and an example."""
    for end, unit, example in UNITS:
        if name.endswith(end):
            given = "" if "e.g." in said else f"; e.g. {example}"
            return f"{said} ({unit}{given})."
    return f"{said}."


def fields_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(shape or path, name, what describes it) of every property and parameter."""
    shapes = document.get("components", {}).get("schemas") or document.get("$defs", {})
    for shape, schema in {**shapes, document.get("title", ""): document}.items():
        for name, described in schema.get("properties", {}).items():
            yield shape, name, described
    for path, calls in document.get("paths", {}).items():
        for call in calls.values():
            for described in call.get("parameters", ()):
                yield path, described["name"], described
