"""Names of which there are only so many, though documents of earlier releases may have others: asked where a document
comes in, and never of one that stands."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pointsman.contracts.document.connectors import KINDS, SCHEMES
from pointsman.contracts.document.workspace import Document
from pointsman.core.nearest import nearest

Path = tuple[str | int, ...]

_PLACEHOLDER = "{language}"


def unknown_names(document: Document, standing: Mapping[str, Any] | None = None) -> Iterator[tuple[Path, str]]:
    """(path, detail) of each kind, scheme and placeholder that there is not, unless it stands in the version that is
    changed (`standing`): who changes something else is not kept from it."""
    for slug, connector in document.connectors.items():
        path: Path = ("connectors", slug, "kind")
        if connector.kind not in KINDS and connector.kind != _at(standing, path):
            yield path, not_there("kind of connector", connector.kind, KINDS)
        path = ("connectors", slug, "verify", "scheme")
        scheme = connector.verify.scheme
        if scheme is not None and scheme not in SCHEMES and scheme != _at(standing, path):
            yield path, not_there("scheme", scheme, SCHEMES)
    path = ("classify", "language_skill")
    template = document.classify.language_skill
    if template is not None and set("{}") & set(template.replace(_PLACEHOLDER, "")) and template != _at(standing, path):
        yield path, f"{template!r} has a placeholder that nothing fills; the only one is {_PLACEHOLDER}"


def not_there(kind: str, name: str, known: Iterable[str]) -> str:
    """That there is no such thing, with what was perhaps meant, else what there is."""
    return f"there is no {kind} {name[:60]!r}{meant(name, known) or '; known: ' + ', '.join(sorted(known))}"


def meant(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing when nothing is near."""
    near = nearest(name, [*known], count=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _at(standing: Mapping[str, Any] | None, path: Path) -> Any:
    value: Any = standing
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
