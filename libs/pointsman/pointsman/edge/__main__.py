"""`python -m pointsman.edge`: settings from the environment, then serve."""

import asyncio
import sys

import uvloop

from pointsman.edge.serve import serve
from pointsman.edge.settings import EdgeSettings
from pointsman.runtime import telemetry
from pointsman.runtime.gc_tuning import relax_collector


def main() -> int:
    """The exit code."""
    settings = EdgeSettings()
    telemetry.configure_logs(settings, "edge")
    telemetry.configure_tracing(settings, "edge")
    relax_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
