"""Which room of a service may know which (ARCHITECTURE.md), and what the shared rooms do not know at all."""

import ast

import pytest
from tests.unit.house.checkout import ROOT, files, imports_of, module_of, nodes_of, shown

from pointsman.contracts.topics import COMMANDS, OUTCOMES, TOPICS

LAYERS = {
    "intake": (
        "model connectors shapes validation settings retention outbound_reply pg_notify waking",
        "file_names parsed cloudevents accept",
        "normalise storable quarantine agent_threads reply_mail deliver",
        "json_messages mail ingest worker",
        "hooks fetching gate",
        "parsing cli",
        "api",
    ),
    "sla": (
        "micros settings retention holiday_names canary job",
        "calendar alerts",
        "clocks",
        "ledger near_timers predict notify",
        "state",
        "rules store",
        "gathering",
        "worker api cli",
    ),
    "metrics": ("settings retention fold reports exports", "store cli", "worker live", "prometheus", "api"),
}
"""The rooms of each service, from the ground up: one imports only those below. Benches may import all."""

BESIDE = ("__main__", "migrations", "__init__")
RUNTIMES_OWN = {COMMANDS.name, OUTCOMES.name}
"""What the runtime itself writes and reads: commands, and what came of them."""


def _room(module: str, package: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == package else ""


@pytest.mark.parametrize("service", sorted(LAYERS))
def test_each_room_imports_only_those_below_it(service: str) -> None:
    package = f"pointsman_{service}"
    layer_of = {room: layer for layer, rooms in enumerate(LAYERS[service]) for room in rooms.split()}
    wrong = []
    for path in files(f"services/{service}/{package}", suffix=".py"):
        room = _room(module_of(path), package) or "__init__"
        if room in BESIDE or room.startswith("bench") or room in ("load", "overload"):
            continue
        assert room in layer_of, f"say in which layer {shown(path)} is"
        for line, module in imports_of(path):
            other = _room(module, package)
            if other and other != room and not layer_of.get(other, len(LAYERS[service])) < layer_of[room]:
                wrong.append(f"{shown(path)}:{line} imports {module}")
    assert wrong == []


def test_what_an_alert_is_knows_nothing_of_the_lane() -> None:
    """`alerts/` of sla: values and their book, no more. What is done with them is in `rules/`."""
    allowed = ("pointsman.core", "pointsman.contracts", "pointsman_sla.alerts", "pointsman_sla.micros")
    wrong = [
        f"{shown(path)}:{line} imports {module}"
        for path in files("services/sla/pointsman_sla/alerts", suffix=".py")
        for line, module in imports_of(path)
        if module.startswith("pointsman") and not module.startswith(allowed)
    ]
    assert wrong == []


def test_the_runtime_names_no_topic_of_its_cargo() -> None:
    cargo = set(TOPICS) - RUNTIMES_OWN
    found = [
        f"{shown(path)}:{node.lineno}: {node.value!r}"
        for path in files("libs/pointsman/pointsman/runtime", suffix=".py")
        for node in nodes_of(path)
        if isinstance(node, ast.Constant) and node.value in cargo
    ]
    assert found == []


def test_a_room_that_is_named_is_there() -> None:
    missing = [
        f"{service}: {room}"
        for service, layers in LAYERS.items()
        for rooms in layers
        for room in rooms.split()
        if not any((ROOT / f"services/{service}/pointsman_{service}" / f"{room}{end}").exists() for end in (".py", ""))
    ]
    assert missing == []
