"""A local stack that the commands of a module find as theirs, with a workspace and a ticket."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from pointsman.cli.demo.document import make_document
from pointsman.local.folder import FOLDER_VARIABLE, StackFolder
from tests.integration.cli.typed import typed, typed_until

SMALL_FLOOR = """
workspace: acme
connectors:
  site-chat: {channel: chat, kind: json}
  quiet: {channel: chat, kind: json, default: {queue: other}}
queues: {general: {offer: {timeout_seconds: 60}}, other: {offer: {timeout_seconds: 600}}}
classify: {language_skill: null}
agents:
  anna: {name: Anna, capacity: 8, queues: [general, other]}
  boris: {name: Boris, capacity: 8, queues: [general]}
wrap_up_seconds: {chat: 0}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackFolder]:
    """A stack for this module, found by the commands as the local one."""
    with pytest.MonkeyPatch.context() as patch:
        folder = StackFolder(tmp_path_factory.mktemp("stack") / ".pointsman")
        patch.setenv(FOLDER_VARIABLE, str(folder.root))
        for name in ("POINTSMAN_URL", "POINTSMAN_TOKEN", "POINTSMAN_WORKSPACE", "POINTSMAN_PROFILE"):
            patch.delenv(name, raising=False)
        pointsman = (sys.executable, "-m", "pointsman.cli.main")
        subprocess.run([*pointsman, "up", "--detach"], check=True, capture_output=True)
        try:
            yield folder
        finally:
            subprocess.run([*pointsman, "down"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def small_floor(stack: StackFolder) -> None:
    """Two agents, two queues, two connectors."""
    document = stack.root.parent / "acme.yaml"
    document.write_text(SMALL_FLOOR)
    applied = typed("apply", str(document))
    assert applied.code == 0, applied.err


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, stack: StackFolder) -> Path:
    """The file of a workspace that is applied."""
    path = tmp_path_factory.mktemp("documents") / "acme.yaml"
    path.write_bytes(orjson.dumps(make_document("acme", 4, 1)))  # JSON is YAML
    applied = typed("apply", str(path), "--json").json
    assert applied["version"] == 1
    return path


@pytest.fixture(scope="module")
def ticket(document: Path) -> str:
    """The ticket of a message that was sent."""
    sent = typed("send", "--connector", "site-chat", "--text", "Where is my parcel?", "--json").json
    found: str = sent["messages"][0]["ticket_id"]
    typed_until(lambda: [clock["metric"] for clock in typed("ticket", found, "--json").json["clocks"]])
    typed_until(lambda: typed("top", "--json").json["queues"]["returns"]["waiting"] == 1)
    return found
