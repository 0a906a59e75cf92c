"""`pointsman lint` tells what is wrong with a calendar with its key and line, before anything is sent."""

from pathlib import Path

import pytest

from pointsman.cli.main import run
from tests.unit.document.wrong_calendars import HEAD, WRONG


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_calendar_is_told_with_its_place(tmp_path: Path, capfd: pytest.CaptureFixture[str], case: str) -> None:
    text, pointer, line = WRONG[case]
    file = tmp_path / "acme.yaml"
    file.write_text(HEAD + text)
    assert run(["lint", str(file)]) == 2
    said = capfd.readouterr().err
    assert f"{file}:{line}: {pointer}: " in said
    assert said.count("\n") == 1
