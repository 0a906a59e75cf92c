"""Cursors of lists and versions in entity tags: what we gave out comes back, anything else is refused."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.runtime.http.idempotency import etag_of, version_of_etag
from pointsman.runtime.http.pages import INT4, decode_cursor, encode_cursor
from pointsman.runtime.http.problems import Problem, invalid_request


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.integers(-(2**53), 2**53))
def test_a_cursor_comes_back_as_it_was(text: str, number: int) -> None:
    assert decode_cursor(encode_cursor(text, number), str, int) == (text, number)


@given(st.text(max_size=60))
def test_no_other_text_is_a_cursor_or_breaks_anything(text: str) -> None:
    try:
        decode_cursor(text, str, int)
    except Problem as problem:
        assert (problem.status, problem.code) == (422, "invalid-cursor")  # noqa: PT017


@pytest.mark.parametrize("cursor", [encode_cursor("a"), encode_cursor("a", "b"), encode_cursor("a", 1, 2)])
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as raised:
        decode_cursor(cursor, str, int)
    assert raised.value.errors[0]["pointer"] == "?cursor"


OURS = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parts", "shape"),
    [
        (("a\0",), (str,)),
        ((2**63,), (int,)),
        ((10**400,), (int,)),
        (("\ud800",), (str,)),
        ((-(2**63) - 1,), (int,)),
        ((2**31,), (INT4,)),
        ((True,), (int,)),
        ((1.5,), (int,)),
        ((None,), (str,)),
        (("9999-12-31T23:59:59-12:00",), (datetime,)),
        (("0001-01-01T00:00:00+14:00",), (datetime,)),
        (("2026-03-01",), (datetime,)),
        ((5,), (datetime,)),
    ],
)
def test_a_cursor_with_a_part_that_no_column_can_be_compared_with_is_refused(parts: Any, shape: Any) -> None:
    """NUL, a number of twenty digits or an instant beyond the calendar in a cursor was a 500."""
    with pytest.raises(Problem) as raised:
        decode_cursor(urlsafe_b64encode(json.dumps(parts).encode()).decode(), *shape)
    assert (raised.value.status, raised.value.code) == (422, "invalid-cursor")


def test_a_cursor_s_instant_comes_back_in_utc() -> None:
    assert decode_cursor(encode_cursor("2026-03-01T02:00:00+02:00", 2**31 - 1), datetime, INT4) == (OURS, 2**31 - 1)


@given(st.integers(0, 2**31 - 1))
def test_a_version_comes_back_from_its_tag_weak_or_not(version: int) -> None:
    assert version_of_etag(etag_of(version)) == version
    assert version_of_etag("W/" + etag_of(version)) == version


@pytest.mark.parametrize("tag", ["", '""', '"abc"', '"-1"', '"1", "2"', '"²"', "²", f'"{2**31}"', '"' + "9" * 5000])
def test_a_tag_that_we_never_gave_matches_nothing(tag: str) -> None:
    with pytest.raises(Problem) as raised:
        version_of_etag(tag)
    assert raised.value.status == 412


def test_errors_point_into_the_body_or_name_the_parameter() -> None:
    found = [
        {"type": "missing", "loc": ("body", "customer", "a/b~c"), "msg": "Field required"},
        {"type": "less_than_equal", "loc": ("query", "limit"), "msg": "too large"},
        {"type": "missing", "loc": ("header", "If-Match"), "msg": "Field required"},
    ]
    pointers = [error["pointer"] for error in invalid_request(found).errors]
    assert pointers == ["/customer/a~1b~0c", "?limit", "header:If-Match"]
