"""Dependencies point one way (ARCHITECTURE.md):

`core ← contracts ← a service's model and decide ← its store and api ← its __main__`, and
`core ← runtime ← a service's store, api, worker, __main__`. The runtime imports no contract and no service; services
never import each other; what decides does no I/O.
"""

from pathlib import Path

import pytest
from tests.unit.house.checkout import ROOT, files, imports_of, module_of, shown

SERVICES = ("intake", "routing", "sla", "metrics")

MAY_IMPORT = {
    "core": {"core"},
    "contracts": {"core", "contracts"},
    "runtime": {"core", "runtime"},
    "client": {"core", "client"},
    "edge": {"core", "contracts", "runtime", "edge"},
    "local": {"core", "contracts", "runtime", "local"},
    "testing": {"core", "contracts", "runtime", "client", "local", "edge", "testing"},
    "cli": {"core", "contracts", "runtime", "client", "local", "edge", "cli", "testing"},
}

DECIDES = {
    "intake": (),
    "routing": ("desk", "classify"),
    "sla": ("calendar", "clocks", "alerts", "canary", "job", "near_timers", "rules", "state"),
    "metrics": ("fold",),
}
"""The packages and modules of each service that decide: pure, with time, ids and randomness as arguments."""

IO_MODULES = {
    *("aiokafka", "alembic", "asyncio", "asyncpg", "fastapi", "httpx", "multiprocessing", "random", "secrets"),
    *("socket", "sqlalchemy", "starlette", "subprocess", "threading", "time", "uuid", "uvicorn"),
}

RANDOM_IDS = ("pointsman.core.ids", "secrets.token_bytes")
"""The one place where the core draws randomness: ids of things that begin outside the log."""


def _library_files() -> list[Path]:
    return list(files("libs/pointsman/pointsman", suffix=".py"))


def _service_files(service: str) -> list[Path]:
    return list(files(f"services/{service}", suffix=".py"))


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_each_part_of_the_library_imports_only_what_is_below_it(part: str) -> None:
    wrong = []
    for path in files(f"libs/pointsman/pointsman/{part}", suffix=".py"):
        for line, module in imports_of(path):
            names = module.split(".")
            if names[0] == "pointsman" and len(names) > 1 and names[1] not in MAY_IMPORT[part]:
                wrong.append(f"{shown(path)}:{line} imports {module}")
    assert wrong == []


def test_the_library_imports_no_service() -> None:
    wrong = [
        f"{shown(path)}:{line} imports {module}"
        for path in _library_files()
        for line, module in imports_of(path)
        if module.startswith("pointsman_")
    ]
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_no_other_service(service: str) -> None:
    wrong = [
        f"{shown(path)}:{line} imports {module}"
        for path in _service_files(service)
        for line, module in imports_of(path)
        if module.startswith("pointsman_") and module.split(".")[0] != f"pointsman_{service}"
    ]
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_store_knows_no_api_and_nothing_imports_a_composition(service: str) -> None:
    package = f"pointsman_{service}"
    wrong = []
    for path in _service_files(service):
        of_store = module_of(path).startswith(f"{package}.store")
        for line, module in imports_of(path):
            above = any(module.startswith(f"{package}.{name}") for name in ("api", "worker", "cli"))
            if module.startswith(f"{package}.__main__") or (of_store and above):
                wrong.append(f"{shown(path)}:{line} imports {module}")
    assert wrong == []


def _is_part(path: Path, part: Path) -> bool:
    """Whether the file is the module, or in the package, of this name."""
    return path == part.with_suffix(".py") or part in path.parents


def _deciding_files() -> list[Path]:
    deciding = list(files("libs/pointsman/pointsman/core", suffix=".py"))
    for service, packages in DECIDES.items():
        for name in packages:
            package = ROOT / f"services/{service}/pointsman_{service}"
            found = [path for path in files(f"services/{service}", suffix=".py") if _is_part(path, package / name)]
            assert found, f"pointsman_{service}.{name} is not there: move it out of DECIDES"
            deciding += found
    return deciding


def test_what_decides_does_no_io_and_reads_no_clock() -> None:
    wrong = []
    for path in _deciding_files():
        for line, module in imports_of(path):
            if (module_of(path), module) == RANDOM_IDS:
                continue
            if module.split(".")[0] in IO_MODULES or module.startswith("pointsman.runtime."):
                wrong.append(f"{shown(path)}:{line} imports {module}")
    assert wrong == []
