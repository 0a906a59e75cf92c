"""What commands print: one JSON document, or tables for people."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_json(value: Any) -> None:
    """One document on standard output, and nothing else there."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z) + b"\n")
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """A line for people about what happens, on standard error."""
    print(text, file=sys.stderr)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, none: str = "Nothing.") -> None:
    """Rows under plain headings; `none` when there are none."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell(value)) for value in row))
    console = Console()
    if table.row_count:
        console.print(table, highlight=False)
    else:
        console.print(none)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Names and values, one a line."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields.items():
        table.add_row(name, escape(cell(value)))
    Console().print(table, highlight=False)


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
