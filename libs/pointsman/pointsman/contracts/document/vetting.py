"""A document as somebody brings it, made a version: everything that is wrong with it is told at once."""

from collections.abc import Iterable, Mapping
from typing import Any

from pointsman.contracts.document.errors import DocumentError, DocumentErrors
from pointsman.contracts.document.expansion import expanded
from pointsman.contracts.document.reading import Written, examined, in_order
from pointsman.contracts.document.workspace import Document


def vetted(
    written: Written,
    *,
    year: int | None,
    standing: Mapping[str, Any] | None = None,
    also: Iterable[DocumentError] = (),
) -> tuple[Document, Written]:
    """(the document, what a version keeps: with the dates of its calendars as of `year`; None: as they are).

    Raises `DocumentErrors` with all mistakes of shapes, names, kinds and calendars, and those that the caller found
    beside the document (`also`). `standing` as in `read_document`.
    """
    document, mistakes = examined(written, standing=standing)
    mistakes = [*also, *mistakes]
    whole = written
    if document is not None and year is not None:
        try:
            whole = expanded(written, document, year)
        except DocumentErrors as errors:
            mistakes += errors.errors
    if mistakes or document is None:
        raise DocumentErrors(in_order([*{mistake.pointer: mistake for mistake in reversed(mistakes)}.values()][::-1]))
    return document, whole
