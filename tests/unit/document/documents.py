"""Documents for tests: the example that is shipped, and small ones."""

from pathlib import Path
from typing import Any

from pointsman.contracts.document import DocumentError, DocumentErrors, read_document

ACME = Path(__file__).parents[3] / "deploy" / "examples" / "acme.yaml"


def a_document(**sections: Any) -> dict[str, Any]:
    """A plain document of the workspace `acme` with the given sections."""
    return {"workspace": "acme", **sections}


def refused(source: str | bytes | dict[str, Any], **options: Any) -> tuple[DocumentError, ...]:
    """The mistakes for which a document is refused."""
    try:
        read_document(source, **options)
    except DocumentErrors as errors:
        return errors.errors
    raise AssertionError("the document was accepted")


def only_error(source: str | bytes | dict[str, Any], **options: Any) -> DocumentError:
    """The one mistake for which a document is refused."""
    errors = refused(source, **options)
    assert len(errors) == 1, errors
    return errors[0]
