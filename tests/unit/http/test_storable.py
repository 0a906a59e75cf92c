"""What PostgreSQL cannot hold is found wherever it stands in a call, and nothing else is."""

from typing import Any

import orjson
import pytest
from starlette.requests import Request

from pointsman.core.storable import LEVELS_MAX, mended, unstorable, why_unstorable
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.storable import may_be_unstorable, refuse_body, refuse_unstorable


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def refused(body: bytes) -> list[str]:
    """The pointers of what is wrong with a body."""
    try:
        refuse_body(body)
    except Problem as problem:
        # The answer can be written, whatever was sent.
        written = orjson.loads(problem.response("r").body)
        return sorted(error["pointer"] for error in written["errors"])
    return []


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (rb'{"a": ["\u0000"]}', ["/a/0"]),
        (rb'{"a": "\ud83d"}', ["/a"]),
        (rb'{"a": "\ude00\ud83d"}', ["/a"]),
        (rb'{"a": "\\ud83d\ude00"}', ["/a"]),
        (rb'{"a": "\ud83d\\ude00"}', ["/a"]),
        (b'{"a": "\xed\xa0\x80"}', ["/a"]),
        ('{"a": "\\u0000"}'.encode("utf-16"), ["/a"]),
        (rb'{"a\u0000/~": 1}', ["/a~1~0"]),
        (rb'{"a\ud800": 1}', ["/a\ufffd"]),
        (rb'{"a": "\u0000", "b": {"c": "\udfff"}}', ["/a", "/b/c"]),
    ],
)
def test_a_text_that_no_table_keeps_is_pointed_at(body: bytes, pointers: list[str]) -> None:
    assert refused(body) == pointers


@pytest.mark.parametrize(
    "body",
    [
        rb'{"a": "\ud83d\ude00 \\ud83d \\u0000"}',
        '{"a": "\U0001f600 한국어 é"}'.encode(),
        b'{"a": "\\\\ude00"}',
        b"no",
        b"",
    ],
)
def test_whole_characters_pass_and_what_is_no_json_is_left_to_its_parser(body: bytes) -> None:
    assert refused(body) == []


def test_ordinary_bodies_cost_no_second_parsing() -> None:
    assert not may_be_unstorable('{"a": "\\ud83d\\ude00 \U0001f600 한국어 é \\n"}'.encode())


def test_a_text_is_mended_without_loss_of_its_neighbours() -> None:
    assert mended("a\0b\ud800c😀") == "ab\ufffdc😀"
    assert why_unstorable(mended("\udfff\0")) is None


def test_numbers_beyond_64_bits_and_endless_nesting_are_found() -> None:
    assert {path for path, _ in unstorable({"a": 2**64, "b": [-(2**63) - 1, 2**64 - 1], "c": float("nan")})} == {
        ("a",),
        ("b", 0),
        ("c",),
    }
    assert not list(unstorable(nested(LEVELS_MAX)))
    assert list(unstorable(nested(100_000)))


@pytest.mark.parametrize(
    ("path", "query", "headers", "pointers"),
    [
        (b"/t/%00", b"", [], ["path:id"]),
        (b"/t/%ed%a0%80", b"", [], ["path:id"]),
        (b"/t/%EF%BF%BD", b"", [], []),
        (b"/t/1", b"q=a%00&b=1&q=%ED%A0%80&c%00=1", [], ["?c", "?q", "?q"]),
        (b"/t/1", b"q=%EF%BF%BD%F0%9F%98%80", [], []),
        (b"/t/1", b"", [(b"if-match", b"a\0")], ["header:if-match"]),
    ],
)
async def test_paths_queries_and_headers_are_pointed_at(
    path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], pointers: list[str]
) -> None:
    """`GET /tickets/%00/explain` ended the worker of every workspace of the lane, again and again."""
    from urllib.parse import unquote

    decoded = unquote(path.decode())
    scope = {
        "type": "http",
        "path": decoded,
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "path_params": {"id": decoded.rpartition("/")[2]},
    }
    found = []
    try:
        await refuse_unstorable(Request(scope))
    except Problem as problem:
        found = sorted(error["pointer"] for error in problem.errors)
    assert found == pointers
