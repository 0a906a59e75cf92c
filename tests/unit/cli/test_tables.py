"""Tables are right at 80 columns: nothing is folded, ids are whole, what has no room is left out from the right."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pointsman.cli.tables import duration, instant, shown, table
from pointsman.cli.top import drawn

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TICKET = "tkt_01m8qp7b4b0000004jhe9j1042"

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.floats(0, 1),
    st.just(TICKET),
    st.just("2026-11-22T08:38:00.123456Z"),
    st.text("abc öß退款 ,.", max_size=120),
    st.lists(st.sampled_from(("ticket.opened", "offer.made")), max_size=6),
    st.dictionaries(st.sampled_from(("chat", "email")), st.integers(0, 9)),
)
NAMES = ("id", "state", "wait_seconds", "opened_at", "breach_probability", "reason", "in_hand", "policy", "title")


@given(st.lists(st.tuples(*[VALUES] * len(NAMES)), min_size=1, max_size=5), st.integers(40, 200))
def test_no_line_is_wider_than_the_terminal_and_columns_go_from_the_right(rows: list[Any], width: int) -> None:
    rows = [(TICKET, *row[1:]) for row in rows]
    lines, left_out = table(NAMES, rows, width, NOW)
    assert len(lines) == len(rows) + 1
    assert max(map(cell_len, lines)) <= width
    assert all(line.startswith(TICKET) for line in lines[1:])
    every = table(NAMES, rows, 10_000, NOW)[0][0].split("  ")
    heads = [head.strip() for head in every if head.strip()]
    assert left_out == heads[len(heads) - len(left_out) :]


def test_numbers_are_to_the_right_and_shares_and_durations_have_units() -> None:
    rows = [("a", 7, 0.256, 95.0), ("b", 1234, 1.0, 12_000)]
    lines, _ = table(("queue", "waiting", "breach_probability", "oldest_seconds"), rows, 80, NOW)
    assert lines == [
        "queue  waiting  likely    oldest",
        "a            7    26 %      95 s",
        "b        1,234   100 %  3 h 20 m",
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (0.0421, "42 ms"), (2.5, "2.5 s"), (95, "95 s"), (1320, "22 m"), (7200, "2 h"), (180_000, "2 d 2 h")],
)
def test_a_duration_has_its_unit(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_an_instant_is_told_from_now_or_to_the_second() -> None:
    assert instant("2026-11-22T08:38:00.123456Z", NOW) == "22 m ago"
    assert instant("2026-11-22T12:00:00Z", NOW) == "in 3 h"
    assert instant("2026-10-01T12:00:00.654321Z", NOW) == "2026-10-01 12:00:00Z"
    assert shown("reason", None, NOW) == "–"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_top_says_its_clock_workspace_and_lag_and_who_never_signed_in(width: int) -> None:
    due = [{"breach_at": "2026-11-22T09:22:00Z", "ticket_id": TICKET, "metric": "first_response", "policy": "standard"}]
    figures = {
        "workspace": "acme",
        "now": (NOW - timedelta(seconds=1.5)).isoformat(),
        "queues": {"billing": {"waiting": 3, "oldest_seconds": 125.0}},
        "agents": {"available": 2, "away": 0, "offline": 1, "in_hand": 4},
        "due_soon": 1, "breached": 0, "named": 25, "due": due,
    }  # fmt: skip
    lines = drawn(figures, width, NOW)
    assert max(map(cell_len, lines)) <= width
    assert lines[0].startswith("acme   08:59:58 UTC   lag 1.5 s")
    if width >= 80:
        assert "2 available, 0 away, 1 offline, 22 never signed in" in lines[1]
        assert any(f"in 22 m  {TICKET}  first_response" in line for line in lines)
    gone = drawn({**figures, "away_since": NOW}, 80, NOW)
    assert "server away since 09:00:00, asking again" in gone[0]
