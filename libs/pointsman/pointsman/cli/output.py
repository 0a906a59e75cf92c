"""What commands print: one JSON document, or tables for people."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pointsman.cli.tables import table


def print_json(value: Any) -> None:
    """One document on standard output, and nothing else there."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z) + b"\n")
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """A line for people about what happens, on standard error."""
    print(text, file=sys.stderr)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, none: str = "Nothing.") -> None:
    """Rows under plain headings, as wide as the terminal; `none` when there are none. Standard error names the columns
    that had no room."""
    console = Console(highlight=False, soft_wrap=True)
    told = list(rows)
    if not told:
        console.print(none)
        return
    (head, *lines), left_out = table(columns, told, console.width, datetime.now(UTC))
    console.print(Text(head, style="bold"))
    for line in lines:
        console.print(Text(line))
    if left_out:
        say(f"Without {', '.join(left_out)}: a wider terminal shows more, --json everything.")


def print_fields(fields: Mapping[str, Any]) -> None:
    """Names and values, one a line."""
    fields_table = Table(box=None, pad_edge=False, show_header=False)
    fields_table.add_column(style="bold")
    fields_table.add_column(overflow="fold")
    for name, value in fields.items():
        fields_table.add_row(name, escape(cell(value)))
    Console().print(fields_table, highlight=False)


def cell(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.1f}".rstrip("0").rstrip(".")
    if isinstance(value, dict):
        return ", ".join(f"{name} {cell(item)}" for name, item in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value) or "–"
    return str(value)
