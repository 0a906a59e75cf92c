"""One record or timer at a time: numbers, decoding, the decision, and what it adds to the batch.

Nothing here waits. A raise, a refusal and a question are taken back by the state's journal, and the neighbours go on.
"""

import traceback
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import structlog

from pointsman.core.cause import Cause, RecordCause, TimerCause
from pointsman.core.decision import Decision
from pointsman.core.envelope import Arrived, Decoded
from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant
from pointsman.runtime import telemetry
from pointsman.runtime.dead_letter_timers import TIMERS, LaneTimers, letter_of
from pointsman.runtime.logic import Codec, Decided, LaneLogic
from pointsman.runtime.source import Source
from pointsman.runtime.transaction import ABANDONED_BODY, BatchWrites, NewDeadLetter, Outcome

log = structlog.get_logger(__name__)

FAILURES_IN_A_ROW_MAX = 50
FAILED_WORKSPACES_MIN = 3


INTERNAL_ERROR = {"status": 500, "code": "internal-error", "detail": "the command could not be decided; it is kept"}
NUMBER_DIGITS_MAX = 18
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a cause cannot be carried out: `reason` says where it failed (`gather`, `write`, …)."""

    reason: str
    detail: str


class Halted(Exception):
    """The lane must not go on: an alarm was raised, a person has to look."""


class Decider:
    """The deciding side of one lane: its state, the numbers it has seen, the numbers it gives.

    `begin` a batch, `record` and `timer` it, then either `keep` (committed) or `take_back` (rolled back).
    """

    def __init__(
        self,
        service: str,
        lane: int,
        source: str,
        logic: LaneLogic[Any],
        codec: Codec,
        reads: frozenset[str],
        writes: str,
    ) -> None:
        self.service, self.lane = service, lane
        self._logic, self._codec, self._reads = logic, codec, reads
        self._source = Source(source, writes, codec)
        self.state: Any = None
        self.seen: dict[tuple[str, str], int] = {}
        self.gaps: dict[tuple[str, str], Instant] = {}
        self.last_number = 0
        self.settled: dict[str, Outcome] = {}
        self.resend_requests: list[tuple[str, int, int]] = []
        self.replays: dict[str, Arrived] = {}
        self.timers = LaneTimers(logic)
        self.poisoned: dict[tuple[str, int] | str, Refused] = {}
        """What was found to be refused and is not a dead letter yet: records by topic and offset, timers by id."""
        self._failures: Counter[str] = Counter()
        self._failures_before: Counter[str] = Counter()
        self.work: BatchWrites | None = None
        self._in_batch: dict[str, Outcome] = {}
        self._decoded: dict[tuple[str, int, int], Decoded | ValueError] = {}

    def begin(self, now: Instant) -> BatchWrites:
        self.work = BatchWrites(now)
        self._in_batch = {}
        self._failures_before = self._failures.copy()
        return self.work

    def keep(self) -> None:
        """The batch is committed."""
        work = self.begun()
        self.seen.update(work.seen)
        for key, since in work.gaps.items():
            if since is None:
                self.gaps.pop(key, None)
            else:
                self.gaps[key] = since
        self.last_number += len(work.envelopes)
        self.settled.clear()
        self._logic.committed(self.state)
        self.state.journal.forget()
        self.work = None

    def take_back(self) -> None:
        """The batch is rolled back: the state is as before it."""
        self.state.journal.undo()
        self.resend_requests.clear()
        self._failures = self._failures_before.copy()
        self.work = None

    def begun(self) -> BatchWrites:
        """The batch that has begun."""
        assert self.work is not None, "a batch must have begun"
        return self.work

    # -- records -----------------------------------------------------------------------------------------------------

    def record(self, record: Arrived, *, now: Instant) -> None:
        """Decides one record of a topic. The runtime's own commands are not ours (see `own_commands`)."""
        self.passed(record)
        if (record.topic == "commands" or self._next_number(record, now)) and self.concerns(record):
            self.decide_record(record, now)
        else:
            self._decoded.pop(_place(record), None)

    def passed(self, record: Arrived) -> None:
        """The record is dealt with in this batch: its topic's position may pass it."""
        self.begun().passed[record.topic] += 1

    def refuse(self, cause: Arrived | TimerCause, reason: str, detail: str) -> None:
        """The next batch makes a dead letter of it. Raises `Halted` when that was refused as well."""
        key = _key_of(cause)
        if key in self.poisoned:
            telemetry.alarm(self.service, "dead-letter-refused", lane=self.lane, cause=str(key), detail=detail)
            raise Halted(f"the dead letter of {key} is refused: {detail}")
        self.poisoned[key] = Refused(reason, detail)

    def refusal_of(self, cause: Arrived | TimerCause) -> Refused | None:
        """Why the cause becomes a dead letter without being decided; None when it is to be decided."""
        return self.poisoned.get(_key_of(cause))

    def answered_before(self, record: Arrived) -> bool:
        """Whether the command has an outcome already, which is told again."""
        known = self._known(record.header("ce_id") or "")
        if known is not None:
            self._answer_again(known, None, record.header("reply_to"))
        return known is not None

    def _known(self, id: str) -> Outcome | None:
        return self.settled.get(id) or self._in_batch.get(id)

    def concerns(self, record: Arrived) -> bool:
        """Whether the record means anything to this service, as far as its headers say."""
        if record.topic == "commands":
            return record.header("ce_type") in self._logic.takes
        types = record.header("facts")
        return types is None or not self._logic.ignores.get(record.topic, _NONE).issuperset(types.split(","))

    def decoded_cause(self, record: Arrived) -> RecordCause | None:
        """The record as a cause, for `gather`; None when it cannot be read."""
        decoded = self._decode(record)
        return None if isinstance(decoded, ValueError) or not decoded.bodies else _cause(record, decoded)

    def _decode(self, record: Arrived) -> Decoded | ValueError:
        """Decoded once for `gather` and the decision, also when the decision comes in a later batch."""
        key = _place(record)
        decoded = self._decoded.get(key)
        if decoded is None:
            try:
                decoded = self._codec.decode(record.topic, record, self._logic.ignores.get(record.topic, _NONE))
            except self._codec.Undecodable as error:
                decoded = error
            self._decoded[key] = decoded
        return decoded

    def decide_record(self, record: Arrived, now: Instant, replayed: bool = False) -> str | None:
        """Decides and adds to the batch; returns what went wrong, or None."""
        work = self.begun()
        poison = None if replayed else self.refusal_of(record)
        if poison is not None:
            return self._decide_refused(record, poison)
        decoded = self._decode(record)
        self._decoded.pop(_place(record), None)
        if isinstance(decoded, ValueError):
            if not replayed:
                self.dead_letter(record, record.header("ce_workspace"), "undecodable", str(decoded))
            return str(decoded)
        if decoded.unknown_types:
            telemetry.SKIPPED.labels(record.topic).inc(len(decoded.unknown_types))
            work.skipped.append((record, decoded.unknown_types))
        if not decoded.bodies:
            return None
        cause = _cause(record, decoded)
        if record.topic == "commands":
            return self._command(record, cause, now)
        decision = self.decision_of(cause, now)
        if isinstance(decision, str):
            if not replayed:
                self.dead_letter(record, cause.workspace, "raised", decision)
                self._count_failure(cause.workspace)
            return decision
        self._failures.clear()
        self.emit(cause, decision, cause.traceparent)
        return None

    def _decide_refused(self, record: Arrived, poison: Refused) -> str:
        """A dead letter; and who asked for a command is told at once."""
        workspace = record.header("ce_workspace")
        self.dead_letter(record, workspace, poison.reason, poison.detail)
        decoded = self._decoded.pop(_place(record), None)
        id = record.header("ce_id")
        if record.topic == "commands" and id and "\0" not in id and self._known(id) is None:
            body = decoded.bodies[0] if isinstance(decoded, Decoded) and decoded.bodies else None
            kept = not getattr(body, "question", False)
            failed = Outcome(id, workspace or "", 500, INTERNAL_ERROR, None, record.header("reply_to"), kept)
            self.settle(failed)
        self._count_failure(workspace or "")
        return poison.detail

    def _command(self, record: Arrived, cause: RecordCause, now: Instant) -> str | None:
        body = cause.bodies[0]
        reply_to = record.header("reply_to")
        body_hash = getattr(body, "body_hash", None)
        known = self._known(cause.id)
        if known is not None:
            self._answer_again(known, body_hash, reply_to)
            return None
        not_after = getattr(body, "not_after", None)
        question = bool(getattr(body, "question", False))
        if not_after is not None and now > not_after:
            # Its API gives it up, unless that was killed: whoever writes the row first, it says the same.
            if reply_to is not None:
                given_up = Outcome(cause.id, cause.workspace, 503, ABANDONED_BODY, body_hash, reply_to)
                self.settle(replace(given_up, kept=not question))
            return None
        mark = self.state.journal.mark()
        decision = self.decision_of(cause, now)
        if isinstance(decision, str):
            self.dead_letter(record, cause.workspace, "raised", decision)
            self._count_failure(cause.workspace)
            self.settle(Outcome(cause.id, cause.workspace, 500, INTERNAL_ERROR, body_hash, reply_to, kept=not question))
            return decision
        self._failures.clear()
        if decision.refusal is not None or question:
            self.state.journal.undo(mark)
        if decision.refusal is not None:
            refusal = decision.refusal
            self.settle(
                Outcome(
                    cause.id, cause.workspace, refusal.status, refusal.problem(), body_hash, reply_to, kept=not question
                )
            )
            return None
        if not question:
            self.emit(cause, decision, cause.traceparent)
        if decision.answer is not None or reply_to is not None:
            self.settle(
                Outcome(
                    cause.id, cause.workspace, decision.status, decision.answer, body_hash, reply_to, kept=not question
                )
            )
        return None

    def settle(self, outcome: Outcome) -> None:
        self.begun().outcomes.append(outcome)
        self._in_batch[outcome.id] = outcome

    def _answer_again(self, known: Outcome, body_hash: str | None, reply_to: str | None) -> None:
        """A repeat of a settled command: the same answer, or 422 when it asks for something else."""
        if known.body_hash is not None and body_hash is not None and known.body_hash != body_hash:
            detail = "this Idempotency-Key was used with another body"
            problem = {"status": 422, "code": "idempotency-key-reused", "detail": detail}
            self.begun().outcomes.append(
                Outcome(known.id, known.workspace, 422, problem, body_hash, reply_to, kept=False)
            )
        else:
            self.begun().outcomes.append(replace(known, reply_to=reply_to, kept=False))

    def decision_of(self, cause: Cause, now: Instant) -> Decision | str:
        """The decision, or what it raised (then it is undone)."""
        mark = self.state.journal.mark()
        try:
            return self._logic.decide(self.state, cause, now)
        except Exception as error:  # a decision that raises is a dead letter, whatever it raises
            self.state.journal.undo(mark)
            log.error(
                "decision raised", service=self.service, workspace=cause.workspace, cause=cause.id, error=repr(error)
            )
            return described(error)

    def _count_failure(self, workspace: str) -> None:
        self._failures[workspace] += 1
        if self._failures.total() >= FAILURES_IN_A_ROW_MAX and len(self._failures) >= FAILED_WORKSPACES_MIN:
            telemetry.alarm(self.service, "decisions-fail", lane=self.lane, workspaces=len(self._failures))
            raise Halted(f"{self._failures.total()} decisions in a row raised, in {len(self._failures)} workspaces")

    def dead_letter(self, record: Arrived, workspace: str | None, reason: str, detail: str) -> None:
        work = self.begun()
        telemetry.DEAD_LETTERS.labels(self.service, reason).inc()
        id = derived_id("dlq", work.now, record.topic, self.lane, record.offset, record.timestamp_ms)
        log.error("dead letter", service=self.service, topic=record.topic, lane=self.lane, offset=record.offset, id=id)
        work.dead_letters.append(NewDeadLetter(id, record, workspace, reason, detail[:4000]))

    # -- numbers -----------------------------------------------------------------------------------------------------

    def _next_number(self, record: Arrived, now: Instant) -> bool:
        """Whether the record is the next of its source: not greater is dropped, a gap is asked for."""
        number, source = record.header("ce_number"), record.header("ce_source")
        if number is None or source is None or not number.isdecimal() or len(number) > NUMBER_DIGITS_MAX:
            return True  # not numbered: decoding says what is wrong with it
        work, key = self.begun(), (record.topic, source)
        last = work.seen.get(key, self.seen.get(key, 0))
        if int(number) <= last:
            telemetry.DROPPED.labels(record.topic).inc()
            return False
        if int(number) == last + 1:
            work.seen[key] = last + 1
            if key in self.gaps or work.gaps.get(key) is not None:
                work.gaps[key] = None
            return True
        if key not in self.gaps and work.gaps.get(key) is None:
            telemetry.GAPS.labels(record.topic).inc()
            log.warning("gap", topic=record.topic, lane=self.lane, source=source, last=last, got=int(number))
            work.gaps[key] = now
            work.seen.setdefault(key, last)
        return False

    # -- timers ------------------------------------------------------------------------------------------------------

    def timer(self, timer: TimerCause, *, now: Instant) -> None:
        """Decides one timer that came due; one that raises, or is refused, is set aside (see `dead_letter_timers`)."""
        refused = self.refusal_of(timer)
        if refused is None:
            decision = self.decision_of(timer, now)
            if not isinstance(decision, str):
                self._failures.clear()
                lateness_seconds = (now - timer.due).total_seconds()
                telemetry.TIMER_LATENESS.labels(self.service, timer.kind).observe(max(0.0, lateness_seconds))
                self.emit(timer, decision, None)
                return
            refused = Refused("raised", decision)
        self._set_aside(timer, refused)
        self._count_failure(timer.workspace)

    def _set_aside(self, timer: TimerCause, refused: Refused) -> None:
        work = self.begun()
        id = derived_id("dlq", work.now, TIMERS, self.lane, timer.id)
        telemetry.DEAD_LETTERS.labels(self.service, refused.reason).inc()
        telemetry.alarm(
            self.service,
            "timer-set-aside",
            lane=self.lane,
            workspace=timer.workspace,
            timer=timer.id,
            reason=refused.reason,
            detail=refused.detail[-500:],
        )
        letter = letter_of(timer, self.lane)
        work.dead_letters.append(NewDeadLetter(id, letter, timer.workspace, refused.reason, refused.detail[:4000]))
        self.state.journal.put(self.timers.aside, timer.id, timer.kind)

    # -- facts -------------------------------------------------------------------------------------------------------

    def emit(self, cause: Cause, decision: Decision, traceparent: str | None) -> None:
        work = self.begun()
        work.decided.append(Decided(cause, decision))
        for emission in decision.emissions:
            number = self.last_number + len(work.envelopes) + 1
            work.envelopes.append(self._source.record(emission, self.lane, number, cause.id, traceparent))


def described(error: BaseException) -> str:
    """An error as a dead letter tells it."""
    return "".join(traceback.format_exception(error, limit=-4))


def _key_of(cause: Arrived | TimerCause) -> tuple[str, int] | str:
    return cause.id if isinstance(cause, TimerCause) else (cause.topic, cause.offset)


def _place(record: Arrived) -> tuple[str, int, int]:
    return (record.topic, record.offset, record.timestamp_ms)


def _cause(record: Arrived, decoded: Decoded) -> RecordCause:
    return RecordCause(
        decoded.id, record.topic, decoded.workspace, decoded.subject, decoded.at, decoded.bodies, decoded.traceparent
    )
