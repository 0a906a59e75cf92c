"""`python -m pointsman_metrics worker`: the worker of metrics."""

import sys

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, SLA
from pointsman.runtime.worker import run_worker
from pointsman_metrics.settings import MetricsSettings
from pointsman_metrics.worker import MetricsLogic


def worker() -> int:
    """Runs until SIGTERM; the exit code."""
    return run_worker(
        MetricsSettings(),
        service="metrics",
        reads=(DESK, SLA, COMMANDS),
        writes=None,
        logic=MetricsLogic(),
        codec=codec,
    )


if __name__ == "__main__":
    sys.exit(worker())
