"""A replication as a recorded history, as `pointsman replay` and `pointsman predict` read it: what a server would have
told of it (docs/simulation.md). Agents answer when the work is done."""

from pathlib import Path

import orjson

from pointsman.contracts.document import Document
from pointsman.contracts.shapes import PRIORITIES
from pointsman.core.decision import Emission
from pointsman.core.instant import rfc3339
from pointsman_routing.replay.history import READ, VERSION
from pointsman_routing.simulation.customers import customers
from pointsman_routing.simulation.plan import Plan
from pointsman_routing.simulation.replication import WORKSPACE, ContactCentre

MINUTE_US = 60_000_000


class NotRecordable(ValueError):
    """The scenario's priorities are not those of a workspace document."""


def record(plan: Plan, number: int, path: Path) -> int:
    """Plays a replication and writes what the desk said: how many events. Raises `NotRecordable`."""
    _recordable(plan)
    lines = [orjson.dumps({"history": VERSION, "workspace": WORKSPACE, "document": plan.document})]

    def heard(emission: Emission) -> None:
        for place, fact in enumerate(emission.facts):
            if fact.type in READ:
                data = {name: value for name, value in fact.wire().items() if name not in ("type", "version")}
                about = {"type": fact.type, "subject": emission.subject, "time": rfc3339(emission.at)}
                lines.append(orjson.dumps({"id": f"{len(lines)}.{place}", **about, "data": data}))

    streams = [customers(kind, plan.unit_us, plan.seed, number) for kind in plan.kinds]
    ContactCentre(plan, streams, lambda _: None, heard=heard).play()
    path.write_bytes(b"\n".join(lines) + b"\n")
    return len(lines) - 1


def _recordable(plan: Plan) -> None:
    """On the desk a scenario's classes may have other priorities' names (`standing`); a history tells these."""
    queues = Document.model_validate(plan.document).queues
    for kind in plan.kinds:
        means = plan.priority_classes.get(kind.queue, {})
        written = {p: minutes * MINUTE_US for p, minutes in queues[kind.queue].head_start_minutes.items()}
        if tuple(means) != PRIORITIES or any(means[p].head_start_us != written[p] for p in PRIORITIES):
            said = f"{kind.queue} has other priorities on the desk: give each queue classes of all four priorities"
            raise NotRecordable(said)
