"""What is made without validation is what validation makes of the same values, and JSON has one form."""

from pathlib import Path

import orjson
import pytest

from pointsman.contracts.base import made
from pointsman.contracts.codec import dump
from pointsman.contracts.generate import EXAMPLES
from pointsman.contracts.registry import REGISTRY

FACTS = sorted(path for path in EXAMPLES.rglob("*.json") if path.parent.name in REGISTRY)


@pytest.mark.parametrize("path", FACTS, ids=lambda path: path.stem)
def test_made_equals_validated(path: Path) -> None:
    example = orjson.loads(path.read_bytes())
    model = REGISTRY[path.parent.name][example.pop("type")]
    validated = model.model_validate({name: value for name, value in example.items() if name in model.model_fields})
    again = made(model, **{name: getattr(validated, name) for name in model.model_fields})
    assert again == validated
    assert again.wire() == validated.wire()
    assert repr(again) == repr(validated)


@pytest.mark.parametrize("path", FACTS, ids=lambda path: path.stem)
def test_the_json_that_is_written_is_that_of_the_wire(path: Path) -> None:
    example = orjson.loads(path.read_bytes())
    model = REGISTRY[path.parent.name][example["type"]]
    fields = {name: value for name, value in example.items() if name in model.model_fields}
    needed = {name: fields[name] for name, field in model.model_fields.items() if field.is_required()}
    for given in (fields, needed):
        contract = model.model_validate(given)
        assert contract.wire_json() == dump(contract.wire())


@pytest.mark.parametrize("path", FACTS, ids=lambda path: path.stem)
def test_what_is_not_given_has_its_default(path: Path) -> None:
    example = orjson.loads(path.read_bytes())
    model = REGISTRY[path.parent.name][example.pop("type")]
    needed = {name: example[name] for name, field in model.model_fields.items() if field.is_required()}
    validated = model.model_validate(needed)
    assert made(model, **{name: getattr(validated, name) for name in needed}) == validated
