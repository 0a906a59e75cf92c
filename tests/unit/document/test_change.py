"""Differences, merge patches and single entries."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.contracts.document import change
from pointsman.contracts.document.change import diff, entry_of, merge_patched, with_entry, without_entry
from tests.unit.document.documents import a_document


def test_a_difference_names_its_key_and_both_values() -> None:
    old = a_document(queues={"a": {"order": "fifo"}, "b": {}}, skills=["x"])
    new = a_document(queues={"a": {"order": "priority"}, "c": {}}, skills=["x", "y"])
    assert diff(old, new) == [
        {"pointer": "/queues/a/order", "change": "changed", "old": "fifo", "new": "priority"},
        {"pointer": "/queues/c", "change": "added", "new": {}},
        {"pointer": "/queues/b", "change": "removed", "old": {}},
        {"pointer": "/skills", "change": "changed", "old": ["x"], "new": ["x", "y"]},
    ]


def test_a_key_with_a_slash_is_escaped() -> None:
    assert diff({}, {"a/b~": 1})[0]["pointer"] == "/a~1b~0"


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches_do_what_rfc_7386_lists(document: object, patch: object, result: object) -> None:
    assert merge_patched(document, patch) == result


def test_an_entry_is_got_put_and_removed() -> None:
    document = a_document(agents={"anna": {"capacity": 2}})
    assert entry_of(document, "agents", "anna") == {"capacity": 2}
    assert with_entry(document, "agents", "ben", {})["agents"] == {"anna": {"capacity": 2}, "ben": {}}
    assert without_entry(document, "agents", "anna")["agents"] == {}


def test_a_policy_is_found_by_its_name_and_keeps_its_place() -> None:
    document = a_document(sla={"policies": [{"name": "a"}, {"name": "b"}]})
    changed = with_entry(document, "policies", "a", {"reopen": "restart"})
    assert changed["sla"]["policies"] == [{"reopen": "restart", "name": "a"}, {"name": "b"}]
    assert with_entry(document, "policies", "c", {})["sla"]["policies"][-1] == {"name": "c"}
    assert without_entry(document, "policies", "a")["sla"]["policies"] == [{"name": "b"}]


def test_sections_below_others_are_made_when_they_are_not_there() -> None:
    assert with_entry(a_document(), "categories", "bug", {})["classify"] == {"categories": {"bug": {}}}


def test_unknown_sections_and_entries_are_told() -> None:
    with pytest.raises(change.UnknownSection):
        entry_of(a_document(), "secrets", "x")
    with pytest.raises(change.UnknownEntry):
        without_entry(a_document(), "agents", "anna")


_PLAIN = st.recursive(
    st.booleans() | st.integers(0, 3) | st.sampled_from("xyz"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab/~"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), _PLAIN), st.dictionaries(st.sampled_from("abc"), _PLAIN))
def test_there_is_a_difference_exactly_when_documents_differ_and_nothing_is_changed_in_place(
    old: dict[str, object], new: dict[str, object]
) -> None:
    before = copy.deepcopy((old, new))
    assert (diff(old, new) == []) == (repr(_sorted(old)) == repr(_sorted(new)))
    merge_patched(old, new)
    assert (old, new) == before


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
