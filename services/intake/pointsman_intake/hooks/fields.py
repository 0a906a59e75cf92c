"""Reading providers' JSON, in which anything may be missing or of another type."""

from datetime import UTC, datetime
from typing import Any

from pointsman.core.instant import EPOCH, FOREVER, Instant

Fields = dict[str, Any]


def object_of(fields: Fields, name: str) -> Fields:
    """The object under this name, else an empty one."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def objects_of(fields: Fields, name: str) -> list[Fields]:
    """The objects in the list under this name."""
    listed = fields.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def text_of(fields: Fields, name: str) -> str:
    """The text under this name, else an empty one."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def instant_of(value: object) -> Instant | None:
    """An instant as providers write it: seconds (with a fraction) or milliseconds since the epoch, or ISO 8601."""
    try:
        if isinstance(value, str) and "T" in value:
            at = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)
        else:
            number = float(str(value))
            at = datetime.fromtimestamp(number / 1000 if number > 10**11 else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if EPOCH <= at <= FOREVER else None
