"""`pointsman lint`: what it prints, and how it ends."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman.cli.main import run
from tests.unit.routing.lint.documents import GOOD

BAD = """\
workspace: acme
skills: [billing]
agents:
  anna: {skills: {billing: 5}}
  boris:
    capacity: 0
"""


def test_a_good_document_ends_with_0(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.json").write_bytes(orjson.dumps(GOOD))
    assert run(["lint", str(tmp_path / "good.json"), "--json"]) == 0
    assert orjson.loads(capfd.readouterr().out) == {"workspace": "acme", "findings": [], "ok": True}


def test_findings_have_place_line_and_remedy_and_end_with_1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    assert run(["lint", str(file), "--json"]) == 1
    said = orjson.loads(capfd.readouterr().out)
    assert not said["ok"]
    assert [(one["rule"], one["pointer"], one["line"]) for one in said["findings"]] == [
        ("single-holder", "/skills/0", 2),
        ("idle-agent", "/agents/boris", 5),
    ]
    assert all(one["message"] and one["mend"] and one["severity"] == "warning" for one in said["findings"])
    assert run(["lint", str(file)]) == 1
    shown = capfd.readouterr()
    assert f"{file}:5: warning: idle-agent: /agents/boris\n  boris has a capacity of 0" in shown.out
    assert shown.err == "2 to look at.\n"


def test_a_document_with_mistakes_ends_with_2_and_all_of_them_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("workspace: acme\nskils: []\nagents:\n  anna: {capacity: lots}\n")
    assert run(["lint", str(file), "--json"]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert f"{file}:2: /skils: unknown key; did you mean 'skills'?" in said.err
    assert f"{file}:4: /agents/anna/capacity: 'lots' is not a whole number" in said.err


def test_a_calendars_file_is_read_beside_the_document(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "acme.yaml"
    calendar = "{always: true, ical: {file: it.ics}}"
    file.write_text(f"workspace: acme\nagents: {{anna: {{}}}}\ncalendars:\n  office: {calendar}\n")
    assert run(["lint", str(file)]) == 2
    assert "it.ics cannot be read" in capfd.readouterr().err
    (tmp_path / "it.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    assert run(["lint", str(file)]) == 0
    (tmp_path / "it.ics").write_text("<html>Sign in</html>\n")
    assert run(["lint", str(file)]) == 2
    assert f"{file}:4: /calendars/office/ical/text: is not an iCal file" in capfd.readouterr().err
    (tmp_path / "it.ics").write_text("x" * 1_000_001)
    assert run(["lint", str(file)]) == 2
    assert f"{file}:4: /calendars/office/ical/text: at most 1000000 characters" in capfd.readouterr().err
    (tmp_path / "it.ics").write_bytes(b"x" * 5_000_000)
    assert run(["lint", str(file)]) == 2
    assert "/calendars/office/ical/file" in capfd.readouterr().err


def test_rates_are_compared_with_the_people(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file, rates = tmp_path / "good.json", tmp_path / "rates.csv"
    file.write_bytes(orjson.dumps(GOOD))
    rates.write_text("category,language,per_hour,handle_seconds\nrefund,it,100,600\n")
    assert run(["lint", str(file), "--rates", str(rates), "--json"]) == 1
    (finding,) = orjson.loads(capfd.readouterr().out)["findings"]
    assert (finding["rule"], finding["pointer"]) == ("overload", "/classify/categories/refund")
    rates.write_text("category,language,per_hour,handle_seconds\nrefunds,it,100,600\n")
    assert run(["lint", str(file), "--rates", str(rates)]) == 2
    assert f"{rates}: line 2: the document has no category 'refunds'" in capfd.readouterr().err
    assert run(["lint", str(file), "--rates", str(tmp_path / "none.csv")]) == 2


def test_the_end_of_public_holidays_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nobody was told that the dates of a version end two years after it was made."""
    file = tmp_path / "good.json"
    year = datetime.now(UTC).year
    calendars: dict[str, Any] = {"office": {"always": True, "holidays_of": {"country": "IT", "dates": ["2001-01-01"]}}}
    file.write_bytes(orjson.dumps({**GOOD, "calendars": {**GOOD.get("calendars", {}), **calendars}}))
    assert run(["lint", str(file), "--json"]) == 0
    pointer = "/calendars/office/holidays_of"
    said = orjson.loads(capfd.readouterr().out)
    assert said["horizons"] == [{"pointer": pointer, "until": f"{year + 2}-12-31", "renews": True}]
    assert run(["lint", str(file)]) == 0
    assert f"{pointer}: public holidays are known until {year + 2}-12-31, moved on" in capfd.readouterr().err
    calendars["office"]["holidays_of"] = {"country": "IT", "years": [2026, 2027]}
    file.write_bytes(orjson.dumps({**GOOD, "calendars": {**GOOD.get("calendars", {}), **calendars}}))
    assert run(["lint", str(file), "--json"]) == 1
    (found,) = orjson.loads(capfd.readouterr().out)["findings"]
    assert (found["rule"], found["pointer"]) == ("holidays-end", f"{pointer}/years")
    assert "2027-12-31" in found["message"]
