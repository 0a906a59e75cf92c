"""What is installed from wheels works far from the checkout: in a path with spaces, on this Python and on the newest
that is here."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import orjson
import pytest
from packaging.version import Version

CHECKOUT = Path(__file__).parents[3]
MEMBERS = ("libs/pointsman", "services/intake", "services/routing", "services/sla", "services/metrics")
DOCUMENT = CHECKOUT / "deploy/examples/small.yaml"

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(600)]

PAGES = [page for page in (CHECKOUT / "docs" / "problems").glob("*.md") if page.stem != "README"]


def version_of(python: Path) -> Version | None:
    """None when it is no interpreter that runs here."""
    asked = "import platform; print(platform.python_version())"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False)
    return Version(done.stdout.strip()) if done.returncode == 0 and done.stdout else None


def newest() -> Path | None:
    """The newest interpreter on the path or among pyenv's that is newer than this one."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin")
    found = {python.resolve() for folder in folders for python in folder.glob("python3.[0-9][0-9]")}
    known = {python: version for python in found if (version := version_of(python)) is not None}
    here = Version(".".join(map(str, sys.version_info[:3])))
    newer = {python: version for python, version in known.items() if version > here and not version.is_prerelease}
    return max(newer, key=lambda python: newer[python], default=None)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    for member in MEMBERS:
        ran([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], CHECKOUT / member)
    return sorted(folder.glob("*.whl"))


def ran(command: list[str | Path], folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("POINTSMAN_", "PYTHON"))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("which", ["this", "newest"])
def test_wheels_make_a_whole_installation_outside_the_checkout(which: str, wheels: list[Path], tmp_path: Path) -> None:
    python = Path(sys.executable) if which == "this" else newest()
    if python is None:
        pytest.skip("no newer Python is here")
    home = tmp_path / "a path with spaces"
    home.mkdir()
    uv = Path(sys.executable).parent / "uv"
    venv = home / "venv"
    ran([uv, "venv", "--quiet", "--python", python, venv], home)
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", venv / "bin" / "python"]
    ran([*install, "--require-hashes", "-r", CHECKOUT / "requirements.lock"], home)
    ran([*install, "--no-deps", *wheels], home)

    pointsman = venv / "bin" / "pointsman"
    assert "demo" in ran([pointsman, "--help"], home)
    (home / "my document.yaml").write_bytes(DOCUMENT.read_bytes())
    try:
        ran([pointsman, "up", "--detach"], home)
        ran([pointsman, "apply", "my document.yaml"], home)
        status = orjson.loads(ran([pointsman, "status", "--json"], home))
        assert {process["state"] for process in status["processes"]} == {"running"}
        with httpx.Client(base_url=status["url"], trust_env=False, timeout=30) as client:
            assert client.get("/readyz").status_code == 200
            assert "Pointsman" in client.get("/docs").text
            problem = client.get("/routing/v1/tickets").json()["type"]
            for page in (problem, *(f"/problems/{page.stem}" for page in PAGES)):
                assert client.get(page).text.startswith("# "), page
        assert "support" in ran([pointsman, "queues"], home)
    finally:
        ran([pointsman, "down"], home)
