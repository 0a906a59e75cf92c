"""The published JSON Schema accepts what the reader accepts, short forms too; any YAML reader reads the examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pointsman.contracts.document import DocumentErrors, Written, document_schema, read_document, read_plain
from tests.snippets import ALL

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "deploy" / "examples").glob("*.yaml"))
WRITTEN = [*EXAMPLES, Path(__file__).with_name("promised.yaml")]
SCHEMA = jsonschema.Draft202012Validator(document_schema())


def document(path: Path) -> Any:
    value = read_plain(path.read_bytes()).value
    for calendar in value.get("calendars", {}).values():
        calendar.pop("ical", None)  # the command puts the file's text there
    return value


def otherwise_written(value: Any) -> Iterator[tuple[str, Any]]:
    """(where, the whole document with one place written in another form): a list as one of its items and the other way
    round, `{seconds: n}` as n, names as a list of them, and a key left out."""
    if isinstance(value, list):
        for item in value[:3]:
            yield "", item
            yield "", [item]
    if isinstance(value, (str, int, float)):
        yield "", [value]
    if isinstance(value, dict):
        for short in ("seconds", "rank"):
            if short in value:
                yield "", value[short]
        yield "", list(value)
        for key in value:
            yield f"/{key}-", {other: kept for other, kept in value.items() if other != key}
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        for where, other in otherwise_written(part):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = other
            yield f"/{key}{where}", copy


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_an_example_is_valid(path: Path) -> None:
    assert [error.message for error in SCHEMA.iter_errors(document(path))] == []


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_whatever_form_is_read_is_valid(path: Path) -> None:
    """`channel: chat` was "too long"."""
    accepted = 0
    for where, other in otherwise_written(document(path)):
        try:
            read_document(Written(json.loads(json.dumps(other)), None))
        except DocumentErrors:
            continue
        accepted += 1
        section = where.split("/")[1].removesuffix("-")
        changed = {"workspace": "acme"} | {key: part for key, part in other.items() if key == section}
        assert [error.message for error in SCHEMA.iter_errors(changed)] == [], where
    assert accepted > 40


@pytest.mark.parametrize(
    "short",
    [
        {"sla": {"policies": [{"name": "a", "match": {"channel": "chat"}}]}},
        {"sla": {"policies": [{"name": "a", "match": {"priority": "high", "tags": "vip", "language": "en"}}]}},
        {"classify": {"rules": [{"when": {"channel": "chat", "customer_tier": "vip"}, "set": {"tags": "vip"}}]}},
        {"classify": {"rules": [{"when": {"metadata": {"kind": "order"}, "to": "a@b.example"}, "set": {"tags": "x"}}]}},
        {"teams": {"rome": {"queues": "general"}}},
        {"agents": {"anna": {"queues": ["general"]}}},
        {"agents": {"anna": {"queues": {"general": 1}}}},
    ],
    ids=json.dumps,
)
def test_a_single_value_stands_for_the_list_of_it(short: dict[str, Any]) -> None:
    written = {"workspace": "acme", **short}
    read_document(json.dumps(written).encode())
    assert [error.message for error in SCHEMA.iter_errors(written)] == []


def test_what_is_too_long_is_too_long_in_the_schema() -> None:
    written = {"workspace": "acme", "sla": {"policies": [{"name": "a", "match": {"channel": ["chat"] * 4}}]}}
    with pytest.raises(DocumentErrors):
        read_document(json.dumps(written).encode())
    assert list(SCHEMA.iter_errors(written)) != []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_other_readers_of_yaml_read_the_same(path: Path) -> None:
    """YAML 1.1 takes an unquoted `on` for true; many pipelines read with PyYAML."""
    assert yaml.safe_load(path.read_text()) == read_plain(path.read_bytes()).value


@pytest.mark.parametrize("snippet", [snippet for snippet in ALL if snippet.language == "yaml"], ids=str)
def test_other_readers_of_yaml_read_the_snippets(snippet: Any) -> None:
    assert yaml.safe_load(snippet.text) == read_plain(snippet.text.encode()).value
