"""What a cover defers of a clock's ladder, and how it is given back.

While somebody takes care of a clock, steps that they need not hear of are put aside when they fall due. When the cover
ends (or the clock joins an alert in which nobody takes care of it) they fall due anew, at that moment; a ladder that
had ended waits for an acknowledgement once more.
"""

from dataclasses import replace

from pointsman.contracts.shapes import Severity
from pointsman_sla.clocks.ladder import Ladder
from pointsman_sla.clocks.model import STEP, Clock, Escalation
from pointsman_sla.micros import MICROS

END, AGAIN = "end", "again"
"""The places of the points with which a ladder ends, and at which those that had been told hear of a clock again."""


def point_of(place: int | str, severity: Severity, repetition: int = 0) -> str:
    """The name of a ladder's point."""
    return f"{STEP}{place}:{repetition}:{severity}"


def ended(severity: Severity) -> str:
    """What `done` says of a ladder that ended in the alert of this severity."""
    return f"{END}:{severity}"


def has_ended(clock: Clock, severity: Severity) -> bool:
    """Whether the clock's ladder ended in the alert of this severity."""
    return clock.escalation is not None and ended(severity) in clock.escalation.done


def deferred(escalation: Escalation, at: int, name: str) -> Escalation:
    """The point fell due at `at` while somebody took care: it is put aside."""
    return replace(escalation, held=(*escalation.held, (at, name)))


def given_back(clock: Clock, severity: Severity, ladder: Ladder | None, now: int) -> Clock:
    """The clock as if nobody had ever taken care of it in the alert of this severity: what was put aside falls due now,
    in its order; a ladder that had ended, or was about to, waits from now on."""
    on = clock.escalation
    if on is None or ladder is None:
        return clock
    last, waits = ladder.last(clock.metric), False
    end, own = point_of(END, severity), f":{severity}"
    back: list[tuple[int, str]] = []
    for at, name in sorted(on.held):
        if not name.endswith(own):
            continue
        if name == end:
            waits = True
        else:
            back.append((max(at, now + len(back)), name))
    if ended(severity) in on.done:
        waits = True
    if waits and last is not None:
        back.append((now + ladder.wait_seconds(last) * MICROS, end))
    if not back:
        return clock
    on = replace(
        on,
        points=tuple(sorted((*on.points, *back))),
        held=tuple(point for point in on.held if not point[1].endswith(own)),
        done=tuple(name for name in on.done if name != ended(severity)),
    )
    return replace(clock, escalation=on)


def told_again(clock: Clock, severity: Severity, now: int) -> Clock:
    """Those that had been told are to hear of the clock when it goes on."""
    on, name = clock.escalation, point_of(AGAIN, severity)
    if on is None or any(point[1] == name for point in on.points):
        return clock
    return replace(clock, escalation=replace(on, points=tuple(sorted((*on.points, (now, name))))))
