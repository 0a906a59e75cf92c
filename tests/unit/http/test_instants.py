"""An instant that a call gives: RFC 3339, in range, in UTC, and answered with `Z`."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from pointsman.core.instant import FOREVER, parse_rfc3339, rfc3339
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.instants import GivenInstant
from pointsman.runtime.http.json import dump_json


class Until(Body):
    until: GivenInstant


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T11:30:00+02:00",
        "2026-03-01T09:30:00Z",
        "2026-03-01t09:30:00z",
        "2026-03-01T04:00:00-05:30",
        "2026-03-01 09:30:00Z",
        "2026-03-01T09:30:00.000000000Z",
    ],
)
def test_an_instant_is_answered_with_z_whatever_its_offset_was(text: str) -> None:
    """`+02:00` came back as `+02:00`."""
    given = Until.model_validate({"until": text})
    assert given.until == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    for written in (dump_json(given), dump_json({"until": given.until}), given.model_dump_json().encode()):
        assert json.loads(written) == {"until": "2026-03-01T09:30:00Z"}


@pytest.mark.parametrize(
    "value",
    [
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "1969-12-31T23:59:59Z",
        "2026-03-01T09:30:00",
        "2026-03-01",
        "2026-02-30T00:00:00Z",
        "2026-03-01T24:00:01Z",
        "2026-03-01T09:30:00+99:00",
        "now",
        "",
        "2" * 1_000_000,
        1_767_225_600,
        10**30,
        None,
        [],
    ],
)
def test_what_is_no_instant_in_range_is_refused_in_few_words(value: Any) -> None:
    """They answered 500 or 503 in snooze, pend, presence, lists, silences and due."""
    with pytest.raises(ValidationError) as refused:
        Until.model_validate({"until": value})
    assert len(refused.value.errors()[0]["msg"]) < 300


def test_the_first_and_the_last_instant_are_instants() -> None:
    for text in ("1970-01-01T00:00:00Z", "9999-01-01T00:00:00Z"):
        assert rfc3339(parse_rfc3339(text)) == text
    assert parse_rfc3339("9999-01-01T00:00:00Z") == FOREVER
