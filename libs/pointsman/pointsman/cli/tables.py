"""Tables for people, right at any width: what does not fit is left out from the right, and nothing is folded.

What a value is, its column's name says: `…_seconds` are durations, `…probability`, `…share`, `occupancy` parts of one.
Text that is an instant is told from now. Ids stay whole, since they are copied; only running text is cut, with `…`.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len, set_cell_size

GAP = "  "
TEXT_COLUMNS_MIN = 24
"""Running text is cut down to so many columns before another column is left out."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_SHARES = ("probability", "share", "occupancy")
_NEAR_SECONDS = 86_400 * 2


class Exact(str):
    """A figure that is shown as it is written, to the right like a number: of a proof nothing is rounded."""

    __slots__ = ()


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], width: int, now: datetime
) -> tuple[list[str], list[str]]:
    """(the lines, its heading first; the names of the columns that had no room)."""
    told = [list(row) for row in rows]
    texts = [[shown(name, value, now) for name, value in zip(columns, row, strict=True)] for row in told]
    heads = [heading(name) for name in columns]
    numeric = [_numeric(name, [row[at] for row in told]) for at, name in enumerate(columns)]
    widths = [max(map(cell_len, (head, *(row[at] for row in texts)))) for at, head in enumerate(heads)]
    least = [
        max(
            cell_len(head),
            *(
                min(TEXT_COLUMNS_MIN, cell_len(row[at])) if _running(raw[at]) else cell_len(row[at])
                for raw, row in zip(told, texts, strict=True)
            ),
        )
        for at, head in enumerate(heads)
    ]
    kept = list(range(len(columns)))
    while _total(widths, kept) > width and kept:
        over = _total(widths, kept) - width
        spare = [at for at in kept if widths[at] > least[at]]
        longest = max(spare, key=lambda at: widths[at], default=None)
        if longest is not None:
            widths[longest] = max(least[longest], widths[longest] - over)
        elif len(kept) > 1:
            kept.pop()
        else:
            break
    lines = [_line(cells, widths, numeric, kept) for cells in (heads, *texts)]
    return lines, [heads[at] for at in range(len(columns)) if at not in kept]


def heading(name: str) -> str:
    """A column's name as people read it: the unit stands with the values."""
    if name == "breach_probability":
        return "likely"
    for end in ("_seconds", "_at"):
        name = name.removesuffix(end)
    return name.replace("_", " ")


def shown(name: str, value: Any, now: datetime) -> str:
    """One value of the column as people read it."""
    if isinstance(value, Exact):
        return str(value)
    if value is None or value == "":
        return "–" if value is None else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        if name.endswith("_seconds"):
            return duration(value)
        if any(name.endswith(share) for share in _SHARES):
            return f"{value * 100:.0f} %"
        return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}".rstrip("0").rstrip(".")
    if isinstance(value, dict):
        return ", ".join(f"{key} {shown(key, item, now)}" for key, item in value.items()) or "–"
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(name, item, now) for item in value) or "–"
    text = str(value)
    return instant(text, now) if _INSTANT.fullmatch(text) else " ".join(text.split())


def duration(seconds: float) -> str:
    """`45 s`, `12 m`, `3 h 20 m`, `5 d 2 h`; below ten seconds with a tenth, below one in milliseconds."""
    sign, whole = ("-" if seconds < 0 else ""), abs(seconds)
    if whole < 1:
        return f"{sign}{whole * 1000:.0f} ms" if whole else "0 s"
    if whole < 10 and whole != int(whole):
        return f"{sign}{whole:.1f} s"
    if whole < 120:
        return f"{sign}{whole:.0f} s"
    if whole < 3600:
        return f"{sign}{whole / 60:.0f} m"
    (large, much), (small, little) = (("h", 3600), ("m", 60)) if whole < 172_800 else (("d", 86_400), ("h", 3600))
    rest = int(whole % much // little)
    return f"{sign}{int(whole // much)} {large}" + (f" {rest} {small}" if rest else "")


def instant(text: str, now: datetime) -> str:
    """`22 m ago`, `in 3 h`; what is days away to the second, `2026-12-01 02:16:31Z`."""
    at = datetime.fromisoformat(text)
    seconds = (at - now).total_seconds()
    if abs(seconds) >= _NEAR_SECONDS:
        return to_the_second(text)
    if abs(seconds) < 1:
        return "now"
    return f"in {duration(int(seconds))}" if seconds > 0 else f"{duration(int(-seconds))} ago"


def to_the_second(text: str) -> str:
    """An instant as a proof tells it, whenever it is read: `2026-12-01 02:16:31Z`."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _numeric(name: str, values: Iterable[Any]) -> bool:
    given = [value for value in values if value is not None]
    return bool(given) and all(
        isinstance(value, (int, float, Exact)) and not isinstance(value, bool) for value in given
    )


def _running(value: Any) -> bool:
    """Whether it is running text: several words, and no instant."""
    if isinstance(value, (list, tuple, dict)):
        return len(value) > 1
    return isinstance(value, str) and " " in value and not isinstance(value, Exact)


def _total(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[at] for at in kept) + len(GAP) * (len(kept) - 1)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool], kept: Sequence[int]) -> str:
    parts = []
    for at in kept:
        text, wide = cells[at], widths[at]
        if cell_len(text) > wide:
            text = set_cell_size(text, wide - 1).rstrip() + "…"
        pad = " " * (wide - cell_len(text))
        parts.append(pad + text if numeric[at] else text + pad)
    return GAP.join(parts).rstrip()
