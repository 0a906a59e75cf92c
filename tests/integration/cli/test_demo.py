"""The demo, and its day played again under another document."""

from pathlib import Path

import orjson
import pytest

from pointsman.local.folder import StackFolder
from tests.integration.cli.typed import typed

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(300), pytest.mark.usefixtures("stack")]


def test_the_demo_plays_a_day_and_proves_that_nothing_was_lost() -> None:
    day = typed("demo", "--seconds", "8", "--rate", "12", "--json")
    assert day.out, day.err
    summary = orjson.loads(day.out)
    assert [check for check in summary["checks"] if not check["ok"]] == []
    assert day.code == 0
    assert summary["accepted"] == sum(summary["by_channel"].values()) == sum(summary["by_language"].values())
    assert summary["quarantined"] == 1
    assert summary["post_to_offer_ms"]["p50"] > 0
    assert abs(sum(summary["shares"].values()) - 1) < 0.01


def test_the_demos_day_is_recorded_and_played_again(tmp_path: Path, stack: StackFolder) -> None:
    workspace = (stack.root / "workspace").read_text().strip()
    history, document = tmp_path / "history.jsonl", tmp_path / "same.json"
    recorded = typed("replay", str(history), "--record", "--workspace", workspace)
    assert (recorded.code, recorded.out) == (0, ""), recorded.err
    document.write_text(typed("config", "show", "--workspace", workspace, "--json").out)
    result = typed(
        "replay", str(history), "--config", str(document), "--replications", "2", "--processes", "1", "--json"
    ).json
    assert result["tickets"] > 20
    assert result["changed_count"] == 0, "it is the document that held"
    # A replay does not decline offers or let them expire: whose day hung on that fares otherwise.
    assert result["reproduced"]["fate"] > 0.9
    assert abs(result["same"]["served"] - result["recorded"]["served"]) < 0.1 * result["tickets"]
    assert typed("replay", str(history), "--config", str(tmp_path / "none.yaml")).code == 2
    assert typed("replay", str(history)).code == 2
