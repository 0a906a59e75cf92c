"""Expressions are linear in time and know where words of every script begin and end."""

from time import perf_counter

import pytest

from pointsman.contracts.document.expression import Searched, compile_expression


def _found(expression: str, text: str) -> str | None:
    return compile_expression(expression).search(Searched(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Refund, please", "Refund"),
        ("a refund.", "refund"),
        ("refunded", None),
        ("хочу возврат денег", "возврат"),
        ("возвраты", None),
        ("我要退款吗", "退款"),
        ("退款", "退款"),
        ("il rimborso?", "rimborso"),
        ("rimborsò", None),
    ],
)
def test_a_word_boundary_is_one_in_every_script(text: str, found: str | None) -> None:
    assert _found(r"\b(refund|rimborso|возврат|退款)\b", text) == found


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [
        (r"^foo\b.*\bbar\b$", "foo bar", "foo bar"),
        (r"^foo\b.*\bbar\b$", "foobar", None),
        (r"\bcan['’]t\b", "I can’t pay", "can’t"),
        (r"order \d+\b", "order 123, please", "order 123"),
        (r"\b[A-Z]{2}-\d+\b", "see RX-17.", "RX-17"),
        (r"\bnot (?:at all|yet)\b", "not yet!", "not yet"),
        (r"\Ahello\b", "Hello there", "Hello"),
        (r"\bend\z", "the end", "end"),
        (r"\w+@\w+", "Jörg@acme", "Jörg@acme"),
        (r"\b\w{4}\b", "das Büro", "Büro"),
        (r"a.c\b", "abc", "abc"),
        (r"\b[^a-c]x", "ax dx", "dx"),
        (r"\bna\Qi.v\Ee", "a nai.ve", "nai.ve"),
        (r"(?-i)\bIT\b", "it IT", "IT"),
        (r"\bcafé\b", "un cafe\u0301 !", "café"),
        (r"(?s)one.two\b", "one\ntwo", "one\ntwo"),
        (r"one.two\b", "one\ntwo", None),
        (r"\S+\b", "abc def", "abc"),
        (r"\bx\Wy\b", "x-y", "x-y"),
    ],
)
def test_everything_else_means_what_it_means_without_boundaries(expression: str, text: str, found: str | None) -> None:
    assert _found(expression, text) == found


def test_an_expression_that_would_explode_elsewhere_is_quick() -> None:
    start = perf_counter()
    assert _found(r"\b(a+)+$", "a" * 20_000 + "!") is None
    assert perf_counter() - start < 2
