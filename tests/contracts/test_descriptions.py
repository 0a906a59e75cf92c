"""Every property of the workspace document's schema and every field of the HTTP interface says what it means."""

import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.core.fields import UNITS, describe, fields_of, words

DOCS = Path(__file__).parents[2] / "docs"
PUBLISHED = {
    path.name: json.loads(path.read_bytes()) for path in [*DOCS.glob("openapi/*.json"), DOCS / "workspace.schema.json"]
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_every_field_has_a_description(name: str) -> None:
    fields = list(fields_of(PUBLISHED[name]))
    assert len(fields) > 50
    assert [(shape, field) for shape, field, described in fields if not described.get("description")] == []


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_what_has_a_unit_says_it_with_an_example(name: str) -> None:
    ends = {end: unit for end, unit, _ in UNITS}
    untold = []
    for shape, field, described in fields_of(PUBLISHED[name]):
        for end, unit in ends.items():
            said = described["description"]
            if field.endswith(end) and not (unit in said and "e.g." in said):
                untold.append((shape, field, said))
    assert untold == []


def test_no_words_are_kept_for_what_is_not_there() -> None:
    known: set[str] = set()
    for document in PUBLISHED.values():
        known |= {word for shape, field, _ in fields_of(document) for word in (field, f"{shape}.{field}")}
    assert set(words()) - known == set()


def test_a_field_keeps_its_own_words_and_a_shape_may_have_others() -> None:
    own: dict[str, Any] = {"description": "Mine."}
    document: dict[str, Any] = {
        "title": "T",
        "$defs": {
            "Step": {"properties": {"at": {}}},
            "Other": {"properties": {"at": {}, "queue": own, "ttl_seconds": {}}},
        },
    }
    describe(document)
    step, other = (document["$defs"][shape]["properties"] for shape in ("Step", "Other"))
    assert step["at"] != other["at"]
    assert other["queue"] == {"description": "Mine."}
    assert other["ttl_seconds"]["description"].endswith("(s; e.g. 3600).")
