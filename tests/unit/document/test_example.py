"""The shipped example uses every feature, and is what it says."""

import jsonschema
import pytest
import yaml

from pointsman.contracts.document import Document, document_schema, read_document, read_plain
from pointsman.contracts.document.inactive import INACTIVE
from tests.unit.document.documents import ACME


def test_it_is_accepted_and_reads_as_written() -> None:
    document = read_document(ACME.read_bytes())
    assert document.queues["money"].offer.timeout_seconds == 40
    assert document.queues["money"].offer.then is not None
    assert document.queues["money"].offer.then.notify == "leads"
    assert document.sla.policies[1].targets["resolution"]["default"].calendar == "round-the-clock"
    assert document.calendars["desk-hours"].days["2026-12-31"] == ()
    assert document.sla.ladders["wake-somebody"][0].on == "warning"
    assert document.classify.rules[1].when.not_ is not None


def test_the_published_schema_accepts_it() -> None:
    schema = document_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(read_plain(ACME.read_bytes()).value)


def test_the_published_schema_refuses_an_unknown_key() -> None:
    document = {"workspace": "acme", "queuez": {}}
    assert not jsonschema.Draft202012Validator(document_schema()).is_valid(document)


def test_the_whole_document_with_its_defaults_reads_as_the_same_document() -> None:
    document = read_document(ACME.read_bytes())
    assert Document.model_validate(document.plain()).plain() == document.plain()


def test_every_key_that_is_not_built_is_told() -> None:
    pointers = read_document(ACME.read_bytes()).inactive()
    for pattern in INACTIVE:
        head = pattern.partition("*")[0].partition("=")[0].rstrip("/")
        if pattern.endswith("=strict"):
            continue  # Alternatives to what the example uses.
        assert any(pointer.startswith(head) for pointer in pointers), pattern


@pytest.mark.parametrize("name", sorted(path.name for path in ACME.parent.glob("*.yaml")))
def test_pyyaml_reads_an_example_as_we_do(name: str) -> None:
    """To YAML 1.1 a bare `on` is `true`, and 08:30 a number: PyYAML must not read another document."""
    text = (ACME.parent / name).read_text("utf-8")
    assert yaml.safe_load(text) == read_plain(text).value
