"""What a rule's function gives back to `decide`: nothing, an answer, or a refusal."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pointsman.core.decision import Decision


class Answer(NamedTuple):
    """The body of a command's outcome, asked for when the decision is complete, and its HTTP status."""

    body: Callable[[], dict[str, Any]]
    status: int = 200


Result = Answer | Decision | None
"""None: done, nothing to answer. A `Decision` is a refusal."""
