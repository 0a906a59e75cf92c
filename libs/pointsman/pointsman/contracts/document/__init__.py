"""The workspace document: its model with defaults, its reader with lines, its differences.

`read_document` for what a person wrote; `Document.model_validate` for a version that was applied before.
"""

from pointsman.contracts.document.calendars import Calendar
from pointsman.contracts.document.change import diff, merge_patched
from pointsman.contracts.document.classification import CATCH_ALL, SHIPPED_CATEGORIES
from pointsman.contracts.document.errors import DocumentError, DocumentErrors
from pointsman.contracts.document.opening import is_open, next_change
from pointsman.contracts.document.people import Agent, Place
from pointsman.contracts.document.promises import Policy, Target, Warn
from pointsman.contracts.document.queues import Queue
from pointsman.contracts.document.reading import Written, read_document, read_plain
from pointsman.contracts.document.schema import document_schema
from pointsman.contracts.document.workspace import Document

__all__ = [
    "CATCH_ALL",
    "SHIPPED_CATEGORIES",
    "Agent",
    "Calendar",
    "Document",
    "DocumentError",
    "DocumentErrors",
    "Place",
    "Policy",
    "Queue",
    "Target",
    "Warn",
    "Written",
    "diff",
    "document_schema",
    "is_open",
    "merge_patched",
    "next_change",
    "read_document",
    "read_plain",
]
