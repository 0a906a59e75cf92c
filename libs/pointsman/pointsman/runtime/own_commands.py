"""The runtime's own commands: `facts.resend`, and `dead_letter.replay`, which reads a dead letter in the lane's next
batch and closes it in the same transaction."""

from typing import Any

import orjson

from pointsman.core.cause import Cause, TimerCause
from pointsman.core.envelope import Arrived
from pointsman.runtime.dead_letter_timers import TIMERS, timer_of
from pointsman.runtime.deciding import Decider
from pointsman.runtime.transaction import Outcome

RESEND, REPLAY = "facts.resend", "dead_letter.replay"
OWN = frozenset({RESEND, REPLAY})
NUMBER_MAX = 2**63 - 1


def is_own(record: Arrived) -> bool:
    """Whether the record is such a command."""
    return record.topic == "commands" and record.header("ce_type") in OWN


def replayed_letter(record: Arrived, service: str) -> str | None:
    """The id of the dead letter that the command asks the service to read again; None when it asks another one, asks
    something else, or cannot be read."""
    try:
        body = orjson.loads(record.value or b"")
        return str(body["dead_letter_id"]) if body["service"] == service else None
    except (ValueError, KeyError, TypeError):
        return None


def cause_of(decider: Decider, letter: Arrived) -> Cause | None:
    """What a dead letter is about, for `gather`; None when it cannot be read."""
    if letter.topic == TIMERS:
        return timer_of(letter.value)
    cause = decider.decoded_cause(letter)
    return None if cause is None else cause._replace(again=True)


def carry_out(decider: Decider, record: Arrived) -> None:
    """Carries out one of them in the batch that has begun."""
    decider.passed(record)
    kind = record.header("ce_type")
    try:
        body = orjson.loads(record.value or b"")
        if kind == RESEND:
            source, partition, first = str(body["source"]), int(body["partition"]), int(body["first"])
            if not 0 <= first <= NUMBER_MAX:
                raise ValueError(f"{first} is no number of a fact")
            decider.resend_requests.append((source, partition, first))
        elif body["service"] == decider.service:
            _replay(decider, record, str(body["dead_letter_id"]))
    except (ValueError, KeyError, TypeError) as error:
        decider.dead_letter(record, record.header("ce_workspace"), "undecodable", f"{kind}: {error!r}")


def _replay(decider: Decider, record: Arrived, id: str) -> None:
    if decider.answered_before(record):
        return
    refused, letter = decider.refusal_of(record), decider.replays.get(id)
    if refused is not None:
        _settle(decider, record, 422, _still_failing(refused.detail))
    elif letter is None:
        detail = f"no open dead letter {id} in this lane"
        _settle(decider, record, 404, {"status": 404, "code": "not-found", "detail": detail})
    else:
        wrong = _decide_again(decider, letter)
        if wrong is None:
            decider.begun().replayed.append(id)
            _settle(decider, record, 200, {"id": id, "state": "replayed"})
        else:
            _settle(decider, record, 422, _still_failing(wrong))


def _decide_again(decider: Decider, letter: Arrived) -> str | None:
    """What went wrong, or None."""
    if letter.topic != TIMERS:
        return decider.decide_record(letter, decider.begun().now, replayed=True)
    return _timer_again(decider, timer_of(letter.value))


def _timer_again(decider: Decider, timer: TimerCause) -> str | None:
    """Decides a timer that was set aside, unless it was moved or ended since."""
    if decider.timers.stands(decider.state, timer):
        decision = decider.decision_of(timer, decider.begun().now)
        if isinstance(decision, str):
            return decision
        decider.emit(timer, decision, None)
    decider.state.journal.pop(decider.timers.aside, timer.id)
    return None


def _still_failing(detail: str) -> dict[str, Any]:
    return {"status": 422, "code": "still-failing", "detail": detail[-500:]}


def _settle(decider: Decider, record: Arrived, status: int, body: dict[str, Any]) -> None:
    command, workspace = record.header("ce_id") or "", record.header("ce_workspace") or ""
    decider.settle(Outcome(command, workspace, status, body, None, record.header("reply_to")))
