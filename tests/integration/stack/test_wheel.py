"""What is built has all that it needs outside a checkout: the pages of problems were in the checkout only."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
PAGES = CHECKOUT / "docs" / "problems"

ASK = """
import sys
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
import pointsman.edge.problem_pages as served

assert served.__file__.startswith(sys.argv[1]), served.__file__
with TestClient(Starlette(routes=[Route("/problems/{code}", served.ProblemPages().__call__)])) as client:
    for code in sys.argv[2:]:
        page = client.get(f"/problems/{code}")
        assert page.status_code == 200 and page.text.startswith("# "), (code, page.status_code)
    assert client.get("/problems/nope").status_code == 404
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel was unpacked, far from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [Path(sys.executable).parent / "uv", "build", "--wheel", "--no-build-isolation", "--no-index", "--quiet",
         "--python", sys.executable, "--out-dir", folder / "dist", CHECKOUT / "libs" / "pointsman"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_an_installed_edge_serves_the_page_of_every_problem(installed: Path, tmp_path: Path) -> None:
    codes = [page.stem for page in PAGES.glob("*.md") if page.stem != "README"]
    assert len(codes) > 40
    asked = subprocess.run(
        [sys.executable, "-c", ASK, installed, *codes],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert asked.returncode == 0, asked.stderr
