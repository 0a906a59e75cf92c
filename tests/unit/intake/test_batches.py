"""A batch's items are counted before they are parsed, and what is wrong with them is told within limits."""

import json
from typing import Any

import orjson
import pytest

from pointsman.runtime.http.problems import ERRORS_MAX, Problem
from pointsman_intake.api.batches import CLOUDEVENTS, WHOLE_BYTES_MAX, refuse_many_members, refused_items, split

JSON, NDJSON = "application/json", "application/x-ndjson"
LARGE = {"text": "x" * (WHOLE_BYTES_MAX // 4)}


def refusal(kind: str, body: bytes, count_max: int = 10) -> tuple[int, str]:
    with pytest.raises(Problem) as raised:
        split(kind, body, count_max)
    return raised.value.status, raised.value.code


@pytest.mark.parametrize("items", [[], [1], [{"a": "b"}, [], None, "]", 1.5], [LARGE] * 9])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_its_items_small_or_large(items: list[Any], indent: int | None) -> None:
    body = json.dumps(items, indent=indent).encode()
    assert split(JSON, body, 10) == items
    assert split(CLOUDEVENTS, b" \n" + body + b"\n ", 10) == items


def test_lines_are_items_and_blank_ones_are_none() -> None:
    lines = b'\n\n{"a": 1}\r\n  \n[2]\n' + b"\n" * WHOLE_BYTES_MAX
    assert split(NDJSON, lines, 2) == [{"a": 1}, [2]]
    (item,) = split(NDJSON, b"{", 2)
    assert (item.status, item.code) == (400, "not-json")


def test_items_are_counted_before_they_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    real = json.JSONDecoder.raw_decode

    def counting(self: json.JSONDecoder, text: str, at: int = 0) -> Any:
        parsed.append(at)
        return real(self, text, at)

    monkeypatch.setattr(json.JSONDecoder, "raw_decode", counting)
    monkeypatch.setattr(
        "pointsman_intake.api.batches.orjson.loads", lambda _: pytest.fail("a batch that is too long was parsed")
    )
    assert refusal(JSON, b"[" + b"0," * 4_000_000 + b"0]") == (413, "too-many-messages")
    assert len(parsed) == 11
    assert refusal(NDJSON, b"{}\n" * 1_000_000) == (413, "too-many-messages")


@pytest.mark.parametrize(
    "body", [b"[1,2", b"[1 2]", b"[1,]", b"[1]]", b"[NaN]", b"\xff", b"", b"[" * 300_000], ids=lambda body: body[:8]
)
def test_what_is_no_json_is_400_small_or_large(body: bytes) -> None:
    assert refusal(JSON, body) == (400, "not-json")
    assert refusal(JSON, b" " * WHOLE_BYTES_MAX + body) == (400, "not-json")


def test_what_is_no_array_is_422_small_or_large() -> None:
    for body in (b"{}", orjson.dumps(LARGE) + b" " * WHOLE_BYTES_MAX):
        assert refusal(JSON, body) == (422, "invalid-request")


def test_of_all_errors_of_a_batch_the_first_hundred_are_told() -> None:
    def read(item: int) -> int:
        if item % 2:
            raise Problem(422, "invalid-request", "wrong", [{"pointer": "/a", "detail": "no"}] * 7)
        return item

    done, places, answers = refused_items(read, range(200))
    assert done == places == list(range(0, 200, 2))
    assert [answer["status"] for answer in answers if answer] == [422] * 100
    assert sum(len(answer["error"].get("errors", ())) for answer in answers if answer) == ERRORS_MAX


def test_a_message_with_thousands_of_members_is_refused_at_once() -> None:
    many = {f"m{number}": 1 for number in range(50_000)}
    for message in (many, {"customer": many}, {"attachments": [{}, many]}):
        with pytest.raises(Problem) as raised:
            refuse_many_members(message)
        assert (raised.value.status, len(raised.value.errors)) == (422, ERRORS_MAX)
    refuse_many_members({"metadata": many, "text": "Hello"})
