"""`python -m pointsman_metrics worker`: the worker of metrics."""

import sys

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, SLA
from pointsman.runtime.worker import run_worker
from pointsman_metrics.prometheus import ExposedFigures
from pointsman_metrics.settings import MetricsSettings
from pointsman_metrics.worker import MetricsLogic


def worker() -> int:
    """Runs until SIGTERM; the exit code."""
    settings = MetricsSettings()
    return run_worker(
        settings,
        service="metrics",
        reads=(DESK, SLA, COMMANDS),
        writes=None,
        logic=MetricsLogic(),
        codec=codec,
        beside=lambda worker: [ExposedFigures(settings, worker, worker.lanes.keys)],
    )


if __name__ == "__main__":
    sys.exit(worker())
