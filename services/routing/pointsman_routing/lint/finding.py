"""What lint says of a valid document: where, why it matters, and how to mend it."""

from typing import Any, Literal, NamedTuple

from pointsman.contracts.document.errors import pointer_of

Severity = Literal["error", "warning"]
Path = tuple[str | int, ...]
"""Keys and places from the document's root: a JSON pointer before it is written."""


class Finding(NamedTuple):
    """One thing that is allowed and probably not meant. `message` says why it matters, `mend` how to mend it.

    `error`: some tickets can never be served as written. `warning`: the rest.
    """

    rule: str
    severity: Severity
    path: Path
    message: str
    mend: str

    def plain(self, line: int | None = None) -> dict[str, Any]:
        """As `lint --json` and `POST /config:check` have it."""
        where = {"pointer": pointer_of(self.path)} | ({} if line is None else {"line": line})
        return {"rule": self.rule, "severity": self.severity, **where, "message": self.message, "mend": self.mend}


def some(names: list[str], count_max: int = 5) -> str:
    """The first names, and how many more there are."""
    more = len(names) - count_max
    return ", ".join(names[:count_max]) + (f" and {more} more" if more > 0 else "")
