"""`python -m pointsman_intake worker|api`: the worker with its delivery loop, or the HTTP API alone on its port."""

import asyncio
import sys

import uvloop

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, REQUESTS
from pointsman.runtime import telemetry
from pointsman.runtime.broker import BrokerLink
from pointsman.runtime.gc_tuning import relax_collector
from pointsman.runtime.worker import Worker, serve_worker
from pointsman_intake.deliver import DeliveryLoop, reporting
from pointsman_intake.fetching import FetchingLoop
from pointsman_intake.settings import IntakeSettings
from pointsman_intake.worker import IntakeLogic


async def api() -> int:
    """The edge, serving intake only."""
    # Here, since a worker that imports the HTTP stack takes twice as long to start.
    from pointsman.edge.serve import serve
    from pointsman.edge.settings import EdgeSettings

    return await serve(EdgeSettings(edge_services="intake"))


async def worker() -> int:
    """The lanes, what delivers and what fetches."""
    settings = IntakeSettings()
    link = BrokerLink(settings)
    lanes = Worker(
        settings,
        service="intake",
        reads=(DESK, COMMANDS),
        writes=None,
        logic=IntakeLogic(),
        codec=codec,
        slot_topic=REQUESTS,
        link=link,
    )
    group = reporting(settings, link)
    return await serve_worker(lanes, group, DeliveryLoop(settings, group), FetchingLoop(settings, group))


def main(arguments: list[str]) -> int:
    """Runs one of the two until SIGTERM; the exit code."""
    programs = {"worker": worker, "api": api}
    if len(arguments) != 1 or arguments[0] not in programs:
        print("usage: python -m pointsman_intake worker|api", file=sys.stderr)  # noqa: T201
        return 2
    settings = IntakeSettings()
    telemetry.configure_logs(settings, "intake")
    telemetry.configure_tracing(settings, "intake")
    relax_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(programs[arguments[0]]())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
