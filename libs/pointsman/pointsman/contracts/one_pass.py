"""Reads a record's value in one pass: JSON to contracts, without dicts between, by the models' own validators.

It takes what this version's writers write. Whatever else comes (a type or a version of tomorrow, one that is not told,
what is no JSON), it says `NotTaken`, and who asked looks at it item by item.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from pointsman.contracts.base import Contract
from pointsman.contracts.registry import REGISTRY


class NotTaken(Exception):
    """The value is to be read item by item."""


def read_facts(topic: str, value: bytes, ignored: frozenset[str]) -> list[Contract]:
    """The facts of a record's value, without those of `ignored` types."""
    try:
        facts = _validator(topic, ignored).validate_json(value)["facts"]
    except ValidationError as error:
        raise NotTaken from error
    return [fact for fact in facts if fact.__class__ is not dict] if ignored else cast(list[Contract], facts)


def read_command(type: str | None, value: bytes) -> Sequence[Contract]:
    """The command of a record's value, of the type that its header tells."""
    model = REGISTRY["commands"].get(type or "")
    if model is None or not value.startswith(begin := model.wire_begin + b","):
        raise NotTaken
    try:
        return [model.model_validate_json(b"{" + value[len(begin) :])]
    except ValidationError as error:
        raise NotTaken from error


@cache
def _validator(topic: str, ignored: frozenset[str]) -> SchemaValidator:
    """Of `{"facts": […]}`: each by its `type` and `version`; one that is ignored becomes an empty dict."""
    choices: dict[Any, Any] = {
        type: core_schema.typed_dict_schema({}) if type in ignored else _of_known_versions(model)
        for type, model in REGISTRY[topic].items()
    }
    fact = core_schema.tagged_union_schema(choices, discriminator="type")
    facts = core_schema.typed_dict_field(core_schema.list_schema(fact))
    return SchemaValidator(core_schema.typed_dict_schema({"facts": facts}))


def _of_known_versions(model: type[Contract]) -> core_schema.CoreSchema:
    known: dict[Any, Any] = dict.fromkeys(range(1, model.version + 1), model.__pydantic_core_schema__)
    return core_schema.tagged_union_schema(known, discriminator="version")
