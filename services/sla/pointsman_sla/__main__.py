"""`python -m pointsman_sla worker|api`: the worker of sla, or its HTTP API alone on its port."""

import asyncio
import sys

import uvloop

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, SLA
from pointsman.runtime import telemetry
from pointsman.runtime.worker import run_worker
from pointsman_sla.notify.sender import NotificationSender
from pointsman_sla.settings import SlaSettings
from pointsman_sla.worker import SlaLane


def api() -> int:
    """The edge, serving sla only; the exit code after SIGTERM."""
    # Here, since a worker that imports the HTTP stack takes twice as long to start.
    from pointsman.edge.serve import serve
    from pointsman.edge.settings import EdgeSettings

    settings = EdgeSettings(edge_services="sla")
    telemetry.configure_logs(settings, "sla")
    telemetry.configure_tracing(settings, "sla")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(settings))


def worker() -> int:
    """The lanes; the exit code after SIGTERM."""
    settings, logic = SlaSettings(), SlaLane()
    return run_worker(
        settings,
        service="sla",
        reads=(DESK, COMMANDS),
        writes=SLA,
        logic=logic,
        codec=codec,
        beside=lambda worker: [NotificationSender(settings, worker.lanes.keys, logic.told)],
    )


def main(arguments: list[str]) -> int:
    """Runs one of the two; the exit code."""
    programs = {"worker": worker, "api": api}
    if len(arguments) != 1 or arguments[0] not in programs:
        sys.stderr.write("usage: python -m pointsman_sla worker|api\n")
        return 2
    return programs[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
