"""`python -m pointsman_sla worker`: the worker of sla."""

import sys

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, SLA
from pointsman.runtime.worker import run_worker
from pointsman_sla.settings import SlaSettings
from pointsman_sla.worker import SlaLane


def worker() -> int:
    """Runs until SIGTERM; the exit code."""
    return run_worker(SlaSettings(), service="sla", reads=(DESK, COMMANDS), writes=SLA, logic=SlaLane(), codec=codec)


if __name__ == "__main__":
    sys.exit(worker())
