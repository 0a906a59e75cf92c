"""Runs the tests of an older release on the schemas as this release's before-parts leave them.

`python tests/upgrade/run.py REF [what pytest takes]`, from the checkout: the older release is checked out beside, gets
a .venv of its own, and makes its databases as ever; then this release's `pointsman migrate` brings them on, as it does
during an upgrade, while processes of the older release run. Its exit code is pytest's.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

NEWER = Path(__file__).parents[2]
OF_THE_SCHEMA_ITSELF = ("tests/integration/runtime/test_retention.py", "tests/integration/stack")
"""These compare an older release's tables with its own declarations, or migrate databases of their own."""
ALL = ("tests/integration", "-m", "not long", *(f"--ignore={path}" for path in OF_THE_SCHEMA_ITSELF))


def main(reference: str, asked: list[str]) -> int:
    with TemporaryDirectory(prefix="pointsman-older-") as folder:
        older = Path(folder) / "checkout"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", older, reference], cwd=NEWER, check=True)
        try:
            subprocess.run(["make", "setup", f"PYTHON={sys.executable}"], cwd=older, check=True)
            environment = os.environ | {
                "PYTHONPATH": str(Path(__file__).parent),
                "POINTSMAN_NEWER_COMMAND": str(Path(sys.executable).parent / "pointsman"),
            }
            command = [older / ".venv/bin/pytest", "-p", "newer_schema", *(asked or ALL)]
            return subprocess.run(command, cwd=older, env=environment, check=False).returncode
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", older], cwd=NEWER, check=True)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not sys.argv[1]:
        sys.exit("say from which release: make upgrade-test FROM=REF")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and what was checked out goes
    sys.exit(main(sys.argv[1], sys.argv[2:]))
