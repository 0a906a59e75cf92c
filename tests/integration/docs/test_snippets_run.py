"""Every shell snippet and program of the pages is run, word for word and page by page, against a stack of its own.

The reader has `pointsman` on the path and has applied `acme.yaml`; customers write meanwhile, and a colleague answers.
A call that is not answered 2xx ends the page. Only streams and programs that go on for ever are ended here.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pointsman.cli.server import local_token
from pointsman.local.folder import StackFolder
from tests.snippets import ALL, ROOT, Snippet, snippets

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
SHARED = ("Makefile", "requirements.lock", "deploy", "docs", "libs", "services", ".venv")
PROGRAM_SECONDS = 5
PAGES = sorted({snippet.page for snippet in ALL if snippet.language in ("sh", "python") and not snippet.not_run})

# What the reader types is not changed: curl itself says here when a call is refused, and ends what never ends.
CURL = f"""#!/bin/bash
for word in "$@"; do
  if [ "$word" = -N ]; then
    {shutil.which("curl")} --fail-with-body --max-time 3 "$@"; code=$?
    [ $code = 28 ] && exit 0 || exit $code
  fi
done
exec {shutil.which("curl")} --fail-with-body --max-time 90 "$@"
"""
# Findings of `lint` are no failure of the page.
EITHER = """
pointsman() {{
  {python} -m pointsman.cli.main "$@" || {{ code=$?; [ "$1" = lint ] && [ $code = 1 ] || return $code; }}
}}
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout with a stack, `acme.yaml` and what else the pages name."""
    # What is installed here is what the reader has: `make` must find nothing to install into this very `.venv`.
    subprocess.run(["make", "setup"], cwd=ROOT, check=True, capture_output=True, timeout=600)
    folder = tmp_path_factory.mktemp("reader")
    for name in SHARED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "bin").mkdir()
    (folder / "bin" / "curl").write_text(CURL)
    (folder / "bin" / "curl").chmod(0o755)
    for name in ("acme.yaml", "tried.yaml"):
        shutil.copy(HERE / "acme.yaml", folder / name)
    (scenario,) = (snippet for snippet in snippets("docs/simulation.md") if snippet.example_of == "scenario")
    short = scenario.text.replace("replications: 20", "replications: 1").replace("horizon: 2500", "horizon: 300")
    (folder / "scenario.yaml").write_text(short)
    (folder / "mail.eml").write_text("From: ada@example.com\nMessage-ID: <1@example.com>\nSubject: Hello\n\nWhere?\n")
    for name in ("crm-hook.txt", "new-hook.txt"):
        (folder / name).write_text("whsec_" + "QUJD" * 10 + "\n")
    try:
        yield folder
    finally:
        typed(folder, "pointsman down")


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("POINTSMAN_", "MAKE"))}
    path = f"{folder / 'bin'}:{ROOT / '.venv' / 'bin'}:{kept['PATH']}"
    return {**kept, "PATH": path, "COLUMNS": "100", "HOME": str(folder)}


def typed(folder: Path, script: str, **more: str) -> str:
    """What the lines print, typed one after the other into one shell; none of them may fail."""
    script = "set -eo pipefail\n" + script
    ran = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment(folder) | more, check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
    )  # fmt: skip
    assert ran.returncode == 0, f"{script}\n--- said:\n{ran.stdout}"
    return ran.stdout


@contextmanager
def busy(folder: Path) -> Iterator[None]:
    """Customers write, two messages each, and Boris answers others, as long as the block lasts."""
    status = StackFolder(folder / ".pointsman").status()
    assert status.key_file is not None
    key_file, over = Path(status.key_file), threading.Event()
    site = {"Authorization": f"Bearer {local_token(key_file, 'connector', 'acme', 'site-chat', 3600)}"}
    boris = {"Authorization": f"Bearer {local_token(key_file, 'agent', 'acme', 'boris', 3600)}"}
    run = os.urandom(4).hex()

    def write() -> None:
        with httpx.Client(base_url=str(status.url), trust_env=False) as client:
            number = 0
            while not over.wait(0.3):
                number += 1
                message = {"connector": "site-chat", "thread": f"{run}-{number}", "customer": {"handle": "kim"}}
                for part, text in enumerate(("Hello", "Is anybody there?")):
                    more = {"external_id": f"{run}-{number}-{part}", "text": text}
                    client.post("/intake/v1/messages", json=message | more, headers=site)
                begun = {"connector": "site-chat", "customer": {"handle": "lee"}, "text": "It left.", "public": True}
                client.post("/routing/v1/tickets", json=begun, headers=boris)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        yield
    finally:
        over.set()
        writing.join()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(desk: Path, page: str) -> None:
    typed(desk, "pointsman up --detach && pointsman apply acme.yaml --reason again")
    shell = [snippet for snippet in snippets(page) if snippet.language == "sh" and not snippet.not_run]
    ending = [number for number, snippet in enumerate(shell) if "make down" in snippet.text]
    for number in ending:  # what follows it needs the stack again
        typed(desk, shell[number].text)
        typed(desk, "pointsman up --detach && pointsman apply acme.yaml --reason again")
    kept = [snippet for number, snippet in enumerate(shell) if number not in ending]
    with busy(desk):
        said = typed(
            desk, EITHER.format(python=shlex.quote(sys.executable)) + "\n".join(snippet.text for snippet in kept)
        )
        for snippet in snippets(page):
            if snippet.language == "python" and not snippet.not_run:
                goes_on(desk, snippet)
    if page == "README.md":
        assert '"state":"accepted"' in said
        assert "It is on its way." in said
        assert '"state":"delivered"' in said


def goes_on(folder: Path, snippet: Snippet) -> None:
    """A program of a page works until it is ended."""
    status = StackFolder(folder / ".pointsman").status()
    role, sub = {
        "docs/agent-apps.md": ("agent", "anna"),
        "docs/connectors.md": ("connector", "site-chat"),
        "docs/events.md": ("supervisor", "sue"),
    }[snippet.page]
    token = local_token(Path(str(status.key_file)), role, "acme", sub, 3600)
    told = {"POINTSMAN_URL": str(status.url), "POINTSMAN_TOKEN": token}
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", snippet.text], cwd=folder, env=environment(folder) | told,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        out, _ = program.communicate(timeout=PROGRAM_SECONDS)
    except subprocess.TimeoutExpired:
        program.send_signal(signal.SIGKILL)
        program.communicate()
    else:
        raise AssertionError(f"{snippet} ended by itself with {program.returncode}: {out}")
