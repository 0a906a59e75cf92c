"""What the flood and the positions are found guilty of."""

from pathlib import Path
from typing import Any, cast

import pytest

from pointsman.cli.chaos.findings import Findings
from pointsman.cli.chaos.flood import Flood, Sent
from pointsman.cli.chaos.ledger import Ledger
from pointsman.cli.chaos.stack import ChaosStack
from pointsman.cli.chaos.verify_records import verify_positions
from tests.unit.chaos.facts import Log, evidence


class NoDatabase:
    """Stands where a connection would: nothing had an effect but what is given."""

    def __init__(self, effects: dict[str, int]) -> None:
        self._effects = effects

    async def __aenter__(self) -> "NoDatabase":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def fetch(self, statement: str, ids: list[str]) -> list[dict[str, Any]]:
        return [{"cause": id, "count": self._effects[id]} for id in ids if id in self._effects]


async def found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ended: dict[str, int], effects: dict[str, int], left: list[str]
) -> Findings:
    stack = ChaosStack(tmp_path)
    monkeypatch.setattr(stack, "database", lambda: NoDatabase(effects))
    flood = Flood(stack, Ledger(), ["chaos-1"], 1)
    flood.ended = ended
    flood.on_their_way = {id: Sent("chaos-1", cast(Any, ()), "cluster") for id in left}
    findings = Findings()
    await flood.verify(findings)
    return findings


async def test_a_command_without_an_end_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = await found(tmp_path, monkeypatch, ended={"a": 200}, effects={"a": 1}, left=["b"])
    assert dict(findings.counts) == {"commands_unended": 1}
    assert findings.examples["commands_unended"][0]["id"] == "b"


async def test_a_command_that_had_its_effect_twice_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = await found(tmp_path, monkeypatch, ended={"a": 200, "b": 200}, effects={"a": 2, "b": 1}, left=[])
    assert dict(findings.counts) == {"commands_doubled": 1}


@pytest.mark.parametrize("status", [404, 503, 0])
async def test_a_command_that_was_refused_and_had_an_effect_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    findings = await found(tmp_path, monkeypatch, ended={"a": status, "b": 404}, effects={"a": 1}, left=[])
    assert dict(findings.counts) == {"commands_applied_though_refused": 1}


@pytest.mark.parametrize(("decided", "guilty"), [(90, False), (89, True), (91, True)])
def test_a_position_that_passed_another_number_of_records_is_found(decided: int, guilty: bool) -> None:
    row = {"service": "routing", "lane": 0, "topic": "commands", "cluster": "c", "first_offset": 10}
    snapshot = evidence(Log(), positions=[{**row, "next_offset": 100, "decided": decided}])
    findings = Findings()
    verify_positions(snapshot, findings)
    assert dict(findings.counts) == ({"positions_ahead": 1} if guilty else {})
