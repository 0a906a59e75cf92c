"""How long the rules of a workspace may take: no expression of one workspace stalls a lane for the others.

RE2 is linear in the text, but its factor is up to the expression: ten milliseconds for a message of a document that
means well, minutes for one that does not. So a message's rules have `RULES_SECONDS_MAX` of processor time. What a
message takes beyond `FREE_SECONDS` is charged to its workspace, which gets back `SHARE` of a second each second and
saves up to `SAVED_SECONDS_MAX`; who has nothing left has the free time alone, until there is some again.

A measured time is no input of a decision. What it cuts off is told by the evidence of that decision, and so recorded
where a reader and a replay find it (docs/adr/0018). The processor's time of this thread counts, not the clock's:
a busy host cuts nothing off. A message of little work, as nearly all are, is not measured on the way at all.
"""

import time
from collections.abc import Callable

from prometheus_client import Counter

RULES_SECONDS_MAX = 0.1
FREE_SECONDS = 0.002
SHARE = 0.1
SAVED_SECONDS_MAX = 0.5
LOOK_UNITS = 100_000
"""Steps of expressions times bytes of text between two looks at the time: about a millisecond at worst."""

CUT_OFF = Counter("pointsman_rules_cut_off_total", "Messages of which not all rules were asked: their time was over.")


class RuleTime:
    """One workspace's time in one process. `spent` tells the thread's processor time, `passed` the time that goes on;
    both in seconds."""

    def __init__(
        self,
        spent: Callable[[], float] = time.thread_time,
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spent, self._passed = spent, passed
        self._saved, self._saved_at = SAVED_SECONDS_MAX, passed()
        self._began, self._until, self._units = 0.0, 0.0, 0

    def begin(self) -> None:
        """A message's rules are asked from now on."""
        self._units, self._began = 0, self._spent()
        self._until = self._began + FREE_SECONDS + max(0.0, min(self._left(), RULES_SECONDS_MAX - FREE_SECONDS))

    def over(self, units: int) -> bool:
        """Whether there is no time for an expression of so many steps times bytes."""
        self._units += units
        if self._units < LOOK_UNITS:
            return False
        self._units = 0
        return self._spent() > self._until

    def end(self, *, cut_off: bool) -> None:
        """All rules were asked, or the time was over."""
        charged = self._spent() - self._began - FREE_SECONDS
        if charged > 0:
            self._saved = self._left() - charged
        if cut_off:
            CUT_OFF.inc()

    def _left(self) -> float:
        """What the workspace has by now; less than nothing while it has taken too much."""
        now = self._passed()
        self._saved = min(SAVED_SECONDS_MAX, self._saved + (now - self._saved_at) * SHARE)
        self._saved_at = now
        return self._saved
