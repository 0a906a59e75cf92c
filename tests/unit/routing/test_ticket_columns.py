"""A ticket's columns: each attribute has one, and what is written is read as it was."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson

from pointsman.core.instant import parse_rfc3339
from pointsman_routing.desk.state.model import (
    SPARSE,
    TICKET_FIELDS,
    Charge,
    Climb,
    Conversation,
    Labels,
    Offer,
    Pause,
    Ticket,
)
from pointsman_routing.rows import as_json
from pointsman_routing.ticket_columns import COLUMNS, TICKET, ticket_of, ticket_row
from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def _row_of(ticket: Ticket) -> dict[str, Any]:
    """The row as the database gives it: arrays as lists, JSON as text, what is null as None."""
    (told,) = orjson.loads(TICKET.text_of([ticket_row("acme", ticket)]))
    read: dict[str, Callable[[Any], Any]] = {"timestamptz": parse_rfc3339, "jsonb": as_json}
    row = {name: (read.get(kind, lambda as_it_is: as_it_is), told.get(name)) for name, kind in TICKET.columns}
    return {name: None if value is None else of(value) for name, (of, value) in row.items()}


def _plain(ticket: Ticket) -> dict[str, Any]:
    return {name: getattr(ticket, name) for name in (*TICKET_FIELDS, *SPARSE)}


def test_every_attribute_of_a_ticket_has_its_column() -> None:
    """But for those that another table has (the offer), or nobody writes (the place in the index)."""
    carried = {column.attribute.partition(".")[0] for column in COLUMNS}
    assert carried == {*TICKET_FIELDS, *SPARSE} - {"place", "sparse"}
    parts = {column.attribute for column in COLUMNS if column.attribute.startswith(("labels.", "pause."))}
    assert parts == {f"labels.{name}" for name in Labels._fields} | {f"pause.{name}" for name in Pause._fields}


def test_a_ticket_that_just_came_is_read_as_it_was_written() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=())
    ticket = driver.say(requires={"billing": 3})
    assert _plain(ticket_of(driver.desk, _row_of(ticket), None)) == {**_plain(ticket), "place": None}


def test_a_ticket_that_has_everything_is_read_as_it_was_written() -> None:
    driver = DeskDriver(a_workspace(["anna"]), present=())
    ticket, at = driver.say(), driver.now
    offer = Offer("off_1", ticket.id, "anna", 2, "she can", at, at + timedelta(seconds=30))
    given: dict[str, Any] = {
        "state": "pending",
        "labels": Labels("it", "billing", "high", ("vip",), frozenset({("billing", 3)}), frozenset(), 2, ("priority",)),
        "pause": Pause("customer", at, "return", "asked", None),
        "declined": {"boris": at},
        "climbed": (Climb("clk_1", 1, 2, "page", 1, "all", ("night",)),),
        "speaks": Conversation("support", "email", "thread", "cus_1", None),
        "charge": Charge(at, 1, True),
        "recent": ("msg_1", "msg_2"),
        "wide": ("night",),
        "affine": ("anna",),
        "relaxed": "language",
        "unanswerable": True,
        "offer": offer,
    }
    for name, value in given.items():
        setattr(ticket, name, value)
    assert _row_of(ticket)["offer_id"] == "off_1"
    assert _plain(ticket_of(driver.desk, _row_of(ticket), offer)) == {**_plain(ticket), "place": None}
