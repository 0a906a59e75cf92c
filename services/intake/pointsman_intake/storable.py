"""What providers and mail say, made into values that can be kept.

They prove their bytes, and the bytes are kept as they came; what we read out of them has no NUL, no half characters, no
number beyond what our JSON holds, and nothing of a length that could not be a key.
"""

from dataclasses import fields, replace
from typing import Any, TypeVar

from pointsman.core.storable import INTEGER_MAX, INTEGER_MIN, mended
from pointsman_intake.model import Person, Report
from pointsman_intake.parsed import KEY_LENGTH_MAX, ParsedMessage, ParsedWebhook

V = TypeVar("V", ParsedMessage, Report)

IDENTITY_LENGTH_MAX = 320
"""A longer one is nobody's: it is left out rather than cut, since what is left would be another's."""


def kept(parsed: V) -> V:
    """The message or report, as it can be kept."""
    return replace(parsed, **{field.name: _value(getattr(parsed, field.name)) for field in fields(parsed)})


def kept_read(read: ParsedWebhook) -> ParsedWebhook:
    """Everything that was in one webhook, as it can be kept."""
    return replace(
        read,
        messages=tuple(map(kept, read.messages)),
        reports=tuple(map(kept, read.reports)),
        token=None if read.token is None else mended(read.token)[:KEY_LENGTH_MAX],
    )


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return mended(value)
    if isinstance(value, int):
        return value if INTEGER_MIN <= value <= INTEGER_MAX else None
    if isinstance(value, Person):
        return _person(value)
    if isinstance(value, tuple):
        return tuple(map(_value, value))
    if isinstance(value, dict):
        return {mended(name): _value(inner) for name, inner in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return replace(value, **{field.name: _value(getattr(value, field.name)) for field in fields(value)})
    return value


def _person(person: Person) -> Person:
    known = {name: _identity(getattr(person, name)) for name in ("id", "email", "phone", "handle")}
    return replace(person, **known, name=None if person.name is None else mended(person.name)[:KEY_LENGTH_MAX])


def _identity(text: str | None) -> str | None:
    return None if text is None or len(text) > IDENTITY_LENGTH_MAX else mended(text)
