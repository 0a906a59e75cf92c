"""What is wrong with a document: where (JSON pointer and line) and what, in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from pointsman.contracts.document.inactive import escaped
from pointsman.core.nearest import nearest
from pointsman.core.storable import mended


@dataclass(frozen=True)
class DocumentError:
    """One mistake. `pointer` is a JSON pointer (RFC 6901; empty: the document), `line` counts from 1."""

    pointer: str
    detail: str
    line: int | None = None

    def plain(self) -> dict[str, Any]:
        """As problem+json's `errors` has it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class DocumentErrors(ValueError):
    """The document is refused. `errors` is not empty and has at most `ERRORS_MAX` items."""

    def __init__(self, errors: Sequence[DocumentError]) -> None:
        self.errors = tuple(errors[:ERRORS_MAX])
        first = self.errors[0]
        line = f" (line {first.line})" if first.line else ""
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        super().__init__(f"{first.pointer or 'the document'}{line}: {first.detail}{more}")


ERRORS_MAX = 100


def pointer_of(path: Sequence[str | int]) -> str:
    """The JSON pointer of a path of keys and places."""
    return "".join(f"/{escaped(mended(str(step)))}" for step in path)


def worded(problem: ErrorDetails) -> str:
    """A pydantic error in the document's words."""
    kind, context, given = problem["type"], problem.get("ctx", {}), problem["input"]
    match kind:
        case "missing":
            return "is required"
        case "string_pattern_mismatch":
            return _name_refused(given, str(problem["loc"][-1]))
        case "literal_error":
            return f"{_shown(given)} is not one of {str(context['expected']).replace(chr(39), '')}"
        case "value_error":
            return str(context["error"])
        case "too_long":
            there_are = context["actual_length"] or len(given)  # Pydantic does not count a mapping's.
            return f"at most {context['max_length']} items; there are {there_are}"
        case "string_too_long":
            return f"at most {context['max_length']} characters"
        case "string_type" | "int_type" | "float_type" | "bool_type" | "int_parsing" | "bool_parsing":
            wanted = {"str": "text", "int": "a whole number", "flo": "a number", "boo": "true or false"}[kind[:3]]
            return f"{_shown(given)} is not {wanted}"
        case "union_tag_not_found":
            return f"has no {context['discriminator']!s}"
        case "union_tag_invalid":
            return f"{context['tag']!r} is not one of {str(context['expected_tags']).replace(chr(39), '')}"
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{_shown(given)} is not a mapping of keys"
        case "tuple_type" | "list_type":
            return f"{_shown(given)} is not a list"
        case _:
            message = problem["msg"]
            return f"{_shown(given)}: {message[0].lower()}{message[1:]}"


def _name_refused(given: Any, key: str) -> str:
    if key in ("secret", "url_from", "challenge_secret"):
        return (
            f"{_shown(given)} is no name of a secret of this workspace (lower-case letters, digits and single hyphens);"
            " a document cannot name another workspace's secret"
        )
    return f"{_shown(given)} is no name here: letters, digits and single hyphens, as in billing or lang-it"


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}…"


def unknown_key(key: str, model: type[BaseModel] | None) -> str:
    """An unknown key, with the key that was perhaps meant."""
    known = [field.alias or name for name, field in model.model_fields.items()] if model else []
    near = nearest(key, known, count=1)
    if near:
        return f"unknown key; did you mean {near[0]!r}?"
    return f"unknown key; known here: {', '.join(known)}" if known else "unknown key"
