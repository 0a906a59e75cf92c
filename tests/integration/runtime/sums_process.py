"""The service of sums as a process of its own, to be killed: `python -m tests.integration.runtime.sums_process`."""

import sys
import time

from pointsman.core.cause import Cause
from pointsman.core.decision import Decision
from pointsman.core.instant import Instant
from pointsman.runtime.settings import RuntimeSettings
from pointsman.runtime.worker import run_worker
from tests.integration.runtime.sums import COMMANDS, DESK, REQUESTS, SumsCodec, SumsLane, SumsState

DECISION_SECONDS = 0.0002


class BusySums(SumsLane):
    """A decision takes so long that batches end by their time, with records left over."""

    def decide(self, state: SumsState, cause: Cause, now: Instant) -> Decision:
        ends = time.thread_time() + DECISION_SECONDS
        while time.thread_time() < ends:
            continue
        return super().decide(state, cause, now)


if __name__ == "__main__":
    sys.exit(
        run_worker(
            RuntimeSettings(),
            service="sums",
            reads=(COMMANDS, REQUESTS),
            writes=DESK,
            logic=BusySums(),
            codec=SumsCodec(),
        )
    )
