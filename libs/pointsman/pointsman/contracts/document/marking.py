"""What does nothing yet is marked from one list (`inactive`): in the schema, and in the tables of docs/workspace.md."""

import re
from collections.abc import Iterator
from typing import Any

from pointsman.contracts.document.inactive import INACTIVE

NOT_YET = "does nothing yet"
VALUES_LISTED_MAX = 8
_MARK = re.compile(r"; \*\*does nothing yet[^*]*\*\*")
_HEADING = re.compile(r"^## (.*)$")
_TOKEN = re.compile(r"`([^`]+)`")


def mark_schema(schema: dict[str, Any]) -> None:
    """Each property that does nothing yet, or does with some values, says so: in its description and as `x-inactive`
    (true, or the values)."""
    for pattern in INACTIVE:
        path, _, values = pattern.partition("=")
        described = _property(schema, path.split("/")[1:])
        told = values.split("|") if values else []
        described["x-inactive"] = told or True
        said = f"Does nothing yet with {', '.join(told)}." if told else "Does nothing yet."
        described["description"] = f"{described.get('description', '')} {said}".strip()


def _property(schema: dict[str, Any], steps: list[str]) -> dict[str, Any]:
    """The property that a pattern leads to."""
    at = schema
    for step in steps:
        shape = _resolved(schema, at)
        at = _entry(shape) if step == "*" else shape["properties"][step]
    return at


def _entry(shape: dict[str, Any]) -> dict[str, Any]:
    """What each value of a mapping is."""
    of_names: list[dict[str, Any]] = [*shape.get("patternProperties", {}).values()]
    entry: dict[str, Any] = of_names[0] if of_names else shape["additionalProperties"]
    return entry


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while True:
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rpartition("/")[2]]
        elif "anyOf" in part:
            part = next(one for one in part["anyOf"] if one.get("type") != "null")
        else:
            return part


def marked(text: str) -> str:
    """The page with the marks of what does nothing yet, and no others. Raises `ValueError` for a key of which no table
    has a row."""
    lines = [_MARK.sub("", line) for line in text.split("\n")]
    for pattern in INACTIVE:
        path, _, values = pattern.partition("=")
        section, *below = [step for step in path.split("/")[1:] if step != "*"]
        rows = list(_rows(lines, section, ".".join(below)))
        if not rows:
            raise ValueError(f"{pattern}: docs/workspace.md has no row of this key")
        for row in rows:
            cells = lines[row].split(" | ")
            told = f"; **{_told(values.split('|') if values else [], below, _TOKEN.findall(cells[0]))}**"
            if told not in cells[1]:
                cells[1] += told
                lines[row] = " | ".join(cells)
    return "\n".join(lines)


def _told(values: list[str], below: list[str], named: list[str]) -> str:
    """The mark: of some values, or, where a row names several keys, of the one."""
    if len(values) > VALUES_LISTED_MAX:
        return f"{NOT_YET} with {len(values)} of them, which the schema names (`x-inactive`)"
    if values:
        return f"{NOT_YET} with {', '.join(values)}"
    return f"{NOT_YET}: {below[-1]}" if below and below[-1] in named and len(named) > 1 else NOT_YET


def _rows(lines: list[str], section: str, key: str) -> Iterator[int]:
    """The tables' rows that tell of a key: named in full, or by its own name under the heading of its section."""
    whole = f"{section}.{key}" if key else section
    heading = ""
    for place, line in enumerate(lines):
        if found := _HEADING.match(line):
            heading = found[1]
        elif line.startswith("| `"):
            named = _TOKEN.findall(line.split(" | ")[0])
            under = f"`{section}`" in heading
            if any(name == whole or name.startswith(f"{whole}.") for name in named) or (under and key in named):
                yield place
