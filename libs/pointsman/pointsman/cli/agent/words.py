"""What an agent types behind a command, as the calls want it: an instant, a colleague, labels."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_AHEAD = re.compile(r"(\d{1,4})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LABELS = ("category", "priority", "language")


class NotPossible(Exception):
    """The line asks for what is not possible here; the message says why."""


def until(word: str | None, now: datetime) -> datetime:
    """`30m`, `2h`, `1d` from now, or an instant of RFC 3339. Raises `NotPossible`."""
    if found := _AHEAD.fullmatch(word or ""):
        return now + timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        at = datetime.fromisoformat(word or "")
    except ValueError:
        raise NotPossible("until when? As 30m, 2h, 1d or 2027-01-31T09:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def target(words: Sequence[str]) -> tuple[dict[str, Any], str]:
    """(whom to, why) of `queue billing they know the bank` or `agent boris …`. Raises `NotPossible`."""
    kind, _, rest = " ".join(words).partition(" ")
    name, _, reason = rest.strip().partition(" ")
    if kind not in ("queue", "agent") or not name:
        raise NotPossible("to whom? As: transfer 1 queue billing REASON, or transfer 1 agent boris REASON")
    if not reason.strip():
        raise NotPossible(f"why? The reason comes after {name}")
    return {kind: name}, reason.strip()


def labels(words: Sequence[str]) -> dict[str, Any]:
    """`category=refund priority=high +vip -new` as the call has it. Raises `NotPossible`."""
    said: dict[str, Any] = {}
    tags: dict[str, list[str]] = {"add": [], "remove": []}
    for word in " ".join(words).split():
        name, equals, value = word.partition("=")
        if equals and name in LABELS and value:
            said[name] = value
        elif word[0] in "+-" and len(word) > 1:
            tags["add" if word[0] == "+" else "remove"].append(word[1:])
        else:
            raise NotPossible(f"{word}: labels are category=…, priority=…, language=…, +tag and -tag")
    said |= {"tags": tags} if tags["add"] or tags["remove"] else {}
    if not said:
        raise NotPossible("which? As category=refund priority=high +vip -new")
    return said
