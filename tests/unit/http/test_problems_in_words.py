"""The detail of a problem is its first error in words, for whoever sees only that line."""

import re
from pathlib import Path
from typing import Any

import pytest

from pointsman.runtime.http.problems import Problem, invalid, invalid_request

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("pointer", "said"),
    [
        ("/customer/email", "customer.email: is wrong"),
        ("/attachments/0/url", "attachments.0.url: is wrong"),
        ("/a~1b/c~0d", "a/b.c~d: is wrong"),
        ("?queue", "queue: is wrong"),
        ("header:If-Match", "the header If-Match: is wrong"),
        ("path:id", "id: is wrong"),
        ("", "is wrong"),
    ],
)
def test_the_detail_says_where_and_what(pointer: str, said: str) -> None:
    assert invalid([{"pointer": pointer, "detail": "is wrong"}]).document("req_1")["detail"] == said


def test_it_has_the_line_and_how_many_more_there_are() -> None:
    first: dict[str, Any] = {"pointer": "/queues/a/order", "detail": "is none", "line": 7}
    errors = [first, *[{"pointer": "/x", "detail": "y"}] * 2]
    assert invalid(errors[:2]).detail == "queues.a.order: is none (line 7); and 1 more error"
    assert invalid(errors).detail == "queues.a.order: is none (line 7); and 2 more errors"


def test_what_a_refusal_says_of_the_whole_is_kept() -> None:
    moves = {"status": 409, "code": "holds-tickets", "detail": "tickets are in the way"}
    errors = [{"pointer": "/moves/agents/anna", "detail": "say where its tickets go"}]
    refused = Problem.of_refusal({**moves, "errors": errors})
    assert refused.detail == "tickets are in the way: moves.agents.anna: say where its tickets go"
    again = Problem.of_refusal({**moves, "detail": "anna: say where its tickets go", "errors": errors})
    assert again.detail == "anna: say where its tickets go"


def test_a_missing_field_is_named() -> None:
    found = [{"type": "missing", "loc": ("body", "external_id"), "msg": "Field required"}]
    assert invalid_request(found).detail == "external_id: Field required"


def test_no_problem_says_only_that_there_are_errors() -> None:
    said = re.compile(r'"[^"]*\b(has|have) (errors|mistakes)"')
    sources = [path for folder in ("libs", "services") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in sources if said.search(path.read_text("utf-8"))] == []
