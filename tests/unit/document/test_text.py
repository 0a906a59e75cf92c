"""YAML and JSON as text: what is read, and what is refused before anybody looks at keys."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.contracts.document import DocumentErrors, read_document, read_plain
from pointsman.contracts.document.parts import DOCUMENT_BYTES_MAX
from tests.unit.document.documents import ACME, only_error


def test_yaml_is_of_version_1_2() -> None:
    written = read_plain("a: no\non: yes\nday: 2026-12-08\ntime: 09:30\nn: 007\nf: 1.5\nb: true\nz: ~\nt: '5'\n")
    assert written.value == {
        "a": "no", "on": "yes", "day": "2026-12-08", "time": "09:30", "n": 7, "f": 1.5, "b": True, "z": None, "t": "5",
    }  # fmt: skip


def test_anchors_may_be_used() -> None:
    assert read_plain("a: &x {b: [1, 2]}\nc: *x\n").value == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "twice"),
        ("a: [1\n", None, "YAML"),
        ("a: *nothing\n", 1, "names nothing"),
        ("a: !!python/object:os.system x\n", 1, "tag"),
        ("a: {<<: {b: 1}}\n", 1, "merge"),
        ("a: 1\n---\nb: 2\n", 2, "several"),
        ("? [a]\n: 1\n", 1, "key"),
        ("a: .inf\n", 1, "number"),
        ("a: \x07\n", None, "YAML"),
        ('{"a": 1,\n "a": 2}', 2, "twice"),
        ('{"a": 1,\n b: 2}', 2, "JSON"),
        ('{"a": NaN}', None, "JSON"),
        ('{"a": ' + "9" * 5000 + "}", None, "digits"),
        ("{" * 3 + '"a": 1', None, "JSON"),
    ],
)
def test_text_that_is_refused(text: str, line: int | None, says: str) -> None:
    with pytest.raises(DocumentErrors) as refused:
        read_plain(text)
    error = refused.value.errors[0]
    assert says in error.detail
    if line is not None:
        assert error.line == line


def test_aliases_that_multiply_are_stopped() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "values" in only_error(bomb).detail


@pytest.mark.parametrize(
    "text", ["[" * 5000, "a: " + "[" * 100 + "]" * 100, '{"a":' * 5000, '{"a":' * 100 + "1" + "}" * 100]
)
def test_depth_is_limited(text: str) -> None:
    only_error(text)


def test_size_is_limited() -> None:
    assert "at most" in only_error(b"# " + b"x" * DOCUMENT_BYTES_MAX).detail


def test_it_has_to_be_utf_8() -> None:
    assert only_error(b"workspace: acme\nx: \xff\n").line == 2


def test_a_byte_order_mark_is_no_matter() -> None:
    assert read_document(b"\xef\xbb\xbfworkspace: acme").workspace == "acme"


@pytest.mark.parametrize("text", ["", "just text", "- a\n- b\n", "[]", "3"])
def test_it_has_to_be_a_mapping(text: str) -> None:
    assert "mapping" in only_error(text).detail


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    for form in ("yaml", "json"):
        with suppress(DocumentErrors):
            read_document(text, format=form)


@pytest.mark.parametrize(
    ("text", "pointer", "line"),
    [
        ('a: 1\nb: "x\\0y"\n', "/b", 2),
        ('a:\n  - "\\x00"\n', "/a/0", 2),
        ('a: 1\n"k\\0": 2\n', "/k", 2),
        ("a: 1\nb: 1e999\n", "/b", 2),
        ('{"a": 1,\n "b": "\\u0000"}', "/b", 2),
        ('{"a": 1,\n "b": ["\\ud800"]}', "/b/0", 2),
        ('{"a": 1,\n "b": 1e999}', "/b", 2),
        ('{"a\\ud800": 1,\n "a\\ud800": 2}', "/a\ufffd", 2),
    ],
)
def test_what_no_table_can_keep_is_a_mistake_with_its_line(text: str, pointer: str, line: int) -> None:
    """They became a 500, or a dead letter of every service that keeps its part of the document."""
    with pytest.raises(DocumentErrors) as refused:
        read_plain(text)
    (error,) = refused.value.errors
    assert (error.pointer, error.line) == (pointer, line)
    error.pointer.encode()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_a_good_document_raises_anything_else(data: st.DataObject) -> None:
    text = ACME.read_text("utf-8")
    place = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 12))
    damaged = text[:place] + data.draw(st.text("{}[]:,-'\"&*!|> \nab0", max_size=6)) + text[place + length :]
    with suppress(DocumentErrors):
        read_document(damaged)


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["workspace", "queues", "agents", "sla", "classify", "rules", "policies", "a", "when"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    )
)
def test_no_value_raises_anything_else(value: object) -> None:
    with suppress(DocumentErrors):
        read_document({"workspace": "acme", "classify": value, "sla": value, "queues": {"a": value}})
