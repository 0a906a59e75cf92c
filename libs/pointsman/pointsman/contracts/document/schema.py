"""The document's JSON Schema (2020-12), for editors: published as docs/workspace.schema.json by `make docs`."""

from typing import Any

from pointsman.contracts.document.marking import mark_schema
from pointsman.contracts.document.workspace import Document
from pointsman.core.fields import describe

SCHEMA_ID = "urn:pointsman:workspace-document"


def document_schema() -> dict[str, Any]:
    """The schema of what a person may write, short forms included: what `read_document` accepts in shape."""
    schema = Document.model_json_schema(by_alias=True, mode="validation")
    _accept_short_forms(schema["$defs"])
    describe(schema)
    mark_schema(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
        "title": "Pointsman workspace document",
    }


def _accept_short_forms(definitions: dict[str, Any]) -> None:
    """The forms that validators unfold before pydantic looks."""
    agent = definitions["Agent"]["properties"]["queues"]
    agent["anyOf"] = [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/Place"}]}},
        {"type": "null"},
    ]
    targets = definitions["Policy"]["properties"]["targets"]
    targets["additionalProperties"]["additionalProperties"] = {
        "anyOf": [{"type": "integer", "minimum": 1}, {"$ref": "#/$defs/Target"}]
    }
