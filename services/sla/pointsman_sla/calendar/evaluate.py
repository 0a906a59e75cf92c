"""Worked cases: files of vectors whose answers are known, and the arithmetic itself over HTTP.

A vector is `{id, op, calendar, …}`. `op` is `due` (`start`, `seconds`, `pauses?` → the instant), `elapsed` (`start`,
`end`, `pauses?` → business seconds) or `subtract` (`end` or `start`, `seconds`, `pauses?` → the instant that much
business time earlier). Expectations: `expect` (for `due` also named `expect_first`), `expect_breach`,
`expect_warning` with `warn_before` (business seconds before the target), `expect_escalation` with `then_escalate_after`
(business seconds after it) and `paused_business_seconds`. Instants are ISO 8601 with an offset or `Z`, or wall time
with `[Zone]`: of a time that comes twice the first is meant, and either may be got. `holidays_of` and `ical` without
`dates` are looked up.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pointsman.core.instant import rfc3339
from pointsman.core.zones import zone_of
from pointsman_sla.calendar.borrowed import with_dates
from pointsman_sla.calendar.compiled import compile_calendar
from pointsman_sla.calendar.reach import due, elapsed, subtract
from pointsman_sla.micros import MICROS, instant, micros

_ZONED = re.compile(r"(.+?)\[([^\]]+)\]")


class VectorError(ValueError):
    """The vector is not understood: what, and where in it."""


def evaluate(vectors: Any) -> dict[str, Any]:
    """Runs a file of vectors. `{results: [{id, op, got, expect, ok, …}], passed, failed}`; raises `VectorError` when it
    is no such file. A vector that cannot be evaluated has failed, and says why in `error`."""
    items = vectors.get("vectors") if isinstance(vectors, Mapping) else vectors
    if isinstance(items, str) or not isinstance(items, Sequence):
        raise VectorError("/vectors: not a list of vectors")
    shared = vectors.get("calendars", {}) if isinstance(vectors, Mapping) else {}
    results = []
    for place, vector in enumerate(items):
        if not isinstance(vector, Mapping):
            raise VectorError(f"/vectors/{place}: not an object")
        head = {"id": vector.get("id", str(place)), "op": vector.get("op")}
        try:
            results.append({**head, **_one(vector, shared)})
        except (ValueError, OverflowError) as error:  # an answer past the year 9999 overflows
            results.append({**head, "got": None, "expect": vector.get("expect"), "ok": False, "error": str(error)})
    passed = sum(result["ok"] for result in results)
    return {"results": results, "passed": passed, "failed": len(results) - passed}


def _one(vector: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    definition = vector.get("calendar")
    if isinstance(definition, str):
        if definition not in shared:
            raise VectorError(f"/calendar: no calendar named {definition!r}")
        definition = shared[definition]
    if not isinstance(definition, Mapping):
        raise VectorError("/calendar: missing")
    calendar = compile_calendar(with_dates(definition, *_years(vector)))
    zone = calendar.zone
    pauses = _pauses(vector.get("pauses"), zone)
    checks: list[tuple[str, str, Any, Any]] = []  # what was got under which name, beside what was expected
    op = vector.get("op")
    if op == "due":
        start, amount = _at(vector.get("start"), zone, "/start"), _amount(vector, "seconds")
        answer = due(calendar, start, amount, pauses)
        checks.append(_instant_check(vector, "got", "expect", answer.due_at, zone))
        if "expect_first" in vector:
            checks.append(_instant_check(vector, "got", "expect_first", answer.due_at, zone))
        checks.append(_instant_check(vector, "got_breach", "expect_breach", answer.breach_at, zone))
        if "warn_before" in vector:
            warning = due(calendar, start, max(0, amount - _amount(vector, "warn_before")), pauses).due_at
            checks.append(_instant_check(vector, "got_warning", "expect_warning", warning, zone))
        if "then_escalate_after" in vector:
            escalation = due(calendar, start, amount + _amount(vector, "then_escalate_after"), pauses).due_at
            checks.append(_instant_check(vector, "got_escalation", "expect_escalation", escalation, zone))
    elif op == "elapsed":
        start, end = _at(vector.get("start"), zone, "/start"), _at(vector.get("end"), zone, "/end")
        checks.append(_seconds_check(vector, "got", "expect", elapsed(calendar, start, end, pauses)))
        paused = calendar.overlap(start, end, pauses)
        checks.append(_seconds_check(vector, "got_paused_business_seconds", "paused_business_seconds", paused))
    elif op == "subtract":
        end = _at(vector.get("end", vector.get("start")), zone, "/end")
        at = subtract(calendar, end, _amount(vector, "seconds"), pauses)
        checks.append(_instant_check(vector, "got", "expect", at, zone))
    else:
        raise VectorError(f"/op: {op!r} is none of due, elapsed, subtract")
    result: dict[str, Any] = {"got": None, "expect": None, "ok": True}
    asked = False
    for got_name, expect_name, got, expected in checks:
        result[got_name] = got
        if expected is not None:
            asked = True
            result["expect" if expect_name == "expect_first" else expect_name] = vector[expect_name]
            result["ok"] = bool(result["ok"] and got in expected)
    if not asked:
        raise VectorError("the vector expects nothing")
    return result


def _pauses(given: Any, zone: str) -> list[tuple[int, int]]:
    if given is None:
        return []
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise VectorError("/pauses: not a list of [from, to]")
    for place, pause in enumerate(given):
        if isinstance(pause, str) or not isinstance(pause, Sequence) or len(pause) != 2:
            raise VectorError(f"/pauses/{place}: a pause is [from, to]")
    return [
        (_at(low, zone, f"/pauses/{place}/0"), _at(high, zone, f"/pauses/{place}/1"))
        for place, (low, high) in enumerate(given)
    ]


def _instant_check(vector: Mapping[str, Any], got: str, expect: str, at: int, zone: str) -> tuple[str, str, Any, Any]:
    wanted = vector.get(expect)
    either = None if wanted is None else {written(_at(wanted, zone, f"/{expect}", fold)) for fold in (0, 1)}
    return got, expect, written(at), either


def _seconds_check(vector: Mapping[str, Any], got: str, expect: str, amount: int) -> tuple[str, str, Any, Any]:
    wanted = vector.get(expect)
    value = amount // MICROS if amount % MICROS == 0 else amount / MICROS
    return got, expect, value, None if wanted is None else (wanted,)


def written(at: int) -> str:
    """The instant in RFC 3339, UTC."""
    return rfc3339(instant(at))


def _amount(vector: Mapping[str, Any], name: str) -> int:
    value = vector.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise VectorError(f"/{name}: not a number of seconds")
    return round(value * MICROS)


def _years(vector: Mapping[str, Any]) -> tuple[int, int]:
    """The first and the last year that its instants name."""
    named = [int(text[:4]) for name in ("start", "end") if (text := str(vector.get(name, "")))[:4].isdecimal()]
    return (min(named), max(named)) if named else (2000, 2000)


def _at(text: Any, zone: str, where: str, fold: int = 0) -> int:
    """The instant. Wall time takes the zone in brackets, else the calendar's; `fold` says which when it comes twice."""
    if not isinstance(text, str):
        raise VectorError(f"{where}: missing, or not an instant")
    match = _ZONED.fullmatch(text)
    written_zone = match[2] if match else zone
    try:
        at = datetime.fromisoformat(match[1] if match else text)
        return micros(at if at.tzinfo else at.replace(tzinfo=zone_of(written_zone), fold=fold))
    except ValueError as error:
        raise VectorError(f"{where}: {text!r} is not an instant: {error}") from error
