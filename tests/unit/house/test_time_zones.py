"""Every zone is read from the edition that the process chose: nothing makes zones of its own."""

import ast

from tests.unit.house.checkout import files, nodes_of, shown

ALLOWED = "libs/pointsman/pointsman/core/zones.py"
MAKING = {"ZoneInfo", "zoneinfo.ZoneInfo", "available_timezones", "zoneinfo.available_timezones", "gettz", "tz.gettz"}


def test_only_one_module_makes_zones() -> None:
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in files("libs", "services", suffix=".py")
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in MAKING and shown(path) != ALLOWED
    ]
    assert found == []
