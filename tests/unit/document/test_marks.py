"""What does nothing yet is marked wherever a person reads of it, from one list: hours that routing ignores were not."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.contracts.document import document_schema, read_document
from pointsman.contracts.document.connectors import KINDS, SCHEMES
from pointsman.contracts.document.inactive import INACTIVE, UNPROVED_SCHEMES, UNREAD_KINDS, is_active
from pointsman.contracts.document.marking import NOT_YET, marked
from pointsman_intake.connectors import EMAIL_KINDS, JSON_KINDS, META_KINDS, SLACK_KINDS
from pointsman_intake.hooks.schemes import SCHEMES as PROVED
from tests.unit.document.documents import a_document

PAGE = (Path(__file__).parents[3] / "docs" / "workspace.md").read_text("utf-8")
SCHEMA = document_schema()


def properties_marked(part: Any, path: str = "") -> list[str]:
    """(shape and property) of each that the schema marks."""
    shapes = {"": part, **part["$defs"]}
    return sorted(
        f"{shape}.{name}"
        for shape, schema in shapes.items()
        for name, described in schema.get("properties", {}).items()
        if "x-inactive" in described and "Does nothing yet" in described["description"]
    )


def test_the_schema_marks_each_key_of_the_list_and_no_other() -> None:
    names = sorted(pattern.partition("=")[0].rpartition("/")[2] for pattern in INACTIVE)
    assert sorted(mark.rpartition(".")[2] for mark in properties_marked(SCHEMA)) == names


def test_the_page_has_the_marks_of_the_list_and_marking_it_again_changes_nothing() -> None:
    assert marked(PAGE) == PAGE
    rows = [line for line in PAGE.split("\n") if line.startswith("| ") and NOT_YET in line]
    for pattern in INACTIVE:
        key = pattern.partition("=")[0].rpartition("/")[2]
        assert any(key in row.split(" | ")[0] for row in rows), pattern


def test_a_mark_goes_with_its_line_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.contracts.document.marking.INACTIVE", ())
    assert NOT_YET not in marked(PAGE)


def test_a_key_that_no_row_tells_of_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.contracts.document.marking.INACTIVE", ("/agents/*/shoe_size",))
    with pytest.raises(ValueError, match="shoe_size"):
        marked(PAGE)


def test_the_kinds_and_schemes_that_do_nothing_are_those_that_intake_does_not_know() -> None:
    """`kind: zendesk` was accepted without a word and took nothing."""
    assert set(UNREAD_KINDS) == set(KINDS) - JSON_KINDS - EMAIL_KINDS - SLACK_KINDS - META_KINDS
    assert set(UNPROVED_SCHEMES) == set(SCHEMES) - set(PROVED)
    known = JSON_KINDS | EMAIL_KINDS | SLACK_KINDS | META_KINDS
    assert known <= set(KINDS)
    assert set(PROVED) <= set(SCHEMES)


def test_a_connector_that_brings_nothing_in_is_told() -> None:
    desk = {"channel": "social", "kind": "zendesk", "verify": {"scheme": "zendesk"}, "send": {"kind": "provider"}}
    chat = {"channel": "chat", "kind": "json", "send": {"kind": "webhook", "url_from": "url", "secret": "key"}}
    document = read_document(a_document(connectors={"desk": desk, "chat": chat}))
    assert document.inactive() == [
        "/connectors/desk/kind",
        "/connectors/desk/verify/scheme",
        "/connectors/desk/send/kind",
    ]


def test_what_is_built_is_active() -> None:
    assert is_active("/queues/*/hours")
    assert is_active("/retention")
    assert not is_active("/agents/*/hours")
    assert not is_active("/connectors/*/send/kind")
