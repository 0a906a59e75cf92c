"""How many records a batch takes: about as many as can be decided in the time of a batch.

The time is the thread's own processor time, so that a busy machine does not make batches small and their overhead
large; a bound on real time keeps a waiting command from waiting longer.
"""

import time

FIRST_RECORDS = 64
REAL_TIME_FACTOR = 5
GROWTH_MAX = 2.0


class BatchSize:
    """Of one lane. `begin` a batch, ask `over` after each record, `end` it with the number of records decided."""

    def __init__(self, batch_seconds: float) -> None:
        self._batch_seconds = batch_seconds
        self._records = float(FIRST_RECORDS)
        self._began = self._began_really = 0.0

    @property
    def records_max(self) -> int:
        """What the next batch should take; a little more than is expected to fit."""
        return max(8, int(self._records * 1.25))

    def begin(self) -> None:
        self._began, self._began_really = time.thread_time(), time.monotonic()

    def over(self) -> bool:
        return (
            time.thread_time() - self._began > self._batch_seconds
            or time.monotonic() - self._began_really > self._batch_seconds * REAL_TIME_FACTOR
        )

    def end(self, records: int) -> None:
        used = time.thread_time() - self._began
        if records == 0 or used <= 0:
            return
        fit = records * self._batch_seconds / used
        self._records += 0.5 * (min(fit, self._records * GROWTH_MAX) - self._records)
