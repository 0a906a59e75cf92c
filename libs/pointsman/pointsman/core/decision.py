"""What a decision says: facts, an answer or a refusal. Values only; the runtime applies them.

`decide(state, cause, now) -> Decision` is the form of every domain core. State changes are made on the resident state
through its journal and collected by the service's store; the decision carries what others hear of.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from pointsman.core.instant import Instant


class FactOrCommand(Protocol):
    """A frozen contract model: a fact or a command (pointsman.contracts.base)."""

    @property
    def type(self) -> str: ...

    def wire(self) -> dict[str, Any]:
        """The body as JSON-ready data, with its `type` and `version`."""

    def wire_json(self) -> bytes:
        """The same as JSON."""


class Emission(NamedTuple):
    """All facts that one cause makes about one subject: one record, one number, one row of `fact`.

    `agents` are every agent concerned, for readers that skip by header.
    """

    workspace: str
    subject: str
    at: Instant
    facts: tuple[FactOrCommand, ...]
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An expected "no": an outcome with an HTTP status (403, 404, 409, 412, 422) and a documented problem type.

    `code` is the slug of docs/problems/<code>.md; `extra` are further members of the problem (the current holder, …).
    """

    status: int
    code: str
    detail: str
    extra: dict[str, Any] = field(default_factory=dict)

    def problem(self) -> dict[str, Any]:
        return {"status": self.status, "code": self.code, "detail": self.detail, **self.extra}


class Decision(NamedTuple):
    """What one cause led to. `answer` is the body of a command's outcome, with `status`; a refusal has no facts."""

    emissions: tuple[Emission, ...] = ()
    answer: dict[str, Any] | None = None
    status: int = 200
    refusal: Refusal | None = None


NOTHING = Decision()


def refuse(status: int, code: str, detail: str, **extra: Any) -> Decision:
    """The decision that refuses a command and changes nothing."""
    return Decision(refusal=Refusal(status, code, detail, extra))
