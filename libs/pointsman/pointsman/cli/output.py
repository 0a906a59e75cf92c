"""What commands print: one JSON document, or tables for people."""

import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pointsman.cli.tables import shown, table


def print_json(value: Any) -> None:
    """One document on standard output, and nothing else there."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z) + b"\n")
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """A line for people about what happens, on standard error."""
    print(text, file=sys.stderr)


def say_lines(text: str) -> None:
    """A sentence on standard output, in lines as wide as the terminal; no word is broken."""
    width = Console().width
    print(textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False))


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
    """Names and values, one a line, as tables have them; text that is long goes on below itself."""
    fields_table = Table(box=None, pad_edge=False, show_header=False)
    fields_table.add_column(style="bold")
    fields_table.add_column(overflow="fold")
    now = datetime.now(UTC)
    for name, value in fields.items():
        fields_table.add_row(name, escape(shown(name, value, now)))
    Console().print(fields_table, highlight=False)
