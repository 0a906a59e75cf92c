"""Routing's processes: `python -m pointsman_routing worker`. Composition only; the API runs in the edge process."""

import sys

from pointsman.contracts import codec
from pointsman.contracts.topics import COMMANDS, DESK, REQUESTS, SLA
from pointsman.runtime.worker import run_worker
from pointsman_routing import classify, gc_tuning
from pointsman_routing.settings import RoutingSettings
from pointsman_routing.webhooks.sender import WebhookSender
from pointsman_routing.worker import DeskLane


def main(arguments: list[str]) -> int:
    """The exit status: the worker's, or 2 for wrong usage."""
    if arguments != ["worker"]:
        sys.stderr.write("usage: python -m pointsman_routing worker\n")
        return 2
    classify.load()
    gc_tuning.set_for_residents()
    settings, logic = RoutingSettings(), DeskLane()
    return run_worker(
        settings,
        service="routing",
        reads=(REQUESTS, COMMANDS, SLA),
        writes=DESK,
        logic=logic,
        codec=codec,
        beside=lambda worker: [WebhookSender(settings, worker.clock, worker.lanes.keys, logic.told)],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
