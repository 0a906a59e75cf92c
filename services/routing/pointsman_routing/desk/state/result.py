"""What a rule's function gives back to `decide`: nothing, an answer, or a refusal."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pointsman.core.decision import Decision, refuse
from pointsman_routing.desk.state.model import Ticket


class Answer(NamedTuple):
    """The body of a command's outcome, asked for when the decision is complete, and its HTTP status."""

    body: Callable[[], dict[str, Any]]
    status: int = 200


Result = Answer | Decision | None
"""None: done, nothing to answer. A `Decision` is a refusal."""


def invalid(detail: str, pointer: str) -> Decision:
    """422: the request says something that cannot be, at this place of its body."""
    return refuse(422, "invalid", detail, errors=[{"pointer": pointer, "detail": detail}])


def wrong_state(ticket: Ticket, said: str) -> Decision:
    """409: not in the ticket's present state."""
    return refuse(409, "wrong-state", f"{said}; this one is {ticket.state}", state=ticket.state)
