"""`pointsman replay`: the document that it plays under is read as `apply` reads it, holidays included."""

from pathlib import Path

import orjson
import pytest

from pointsman.cli.main import run
from pointsman.testing.time import NOON
from tests.unit.routing.replay.day import DOCUMENT, events
from tests.unit.routing.replay.test_history import assigned, offered, opened, resolved

CLOSED = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:{day}\nEND:VEVENT\nEND:VCALENDAR\n"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    file = tmp_path / "day.jsonl"
    told = events(*opened(), offered(5), assigned(9), resolved(60))
    file.write_bytes(b"\n".join(told))
    return file


def config(folder: Path, **queue: str) -> Path:
    """The day's document with a queue that is shut on the holidays of a file, beside it."""
    office = {"always": True, "ical": {"file": "closed.ics"}}
    file = folder / "acme.json"
    file.write_bytes(orjson.dumps(DOCUMENT | {"calendars": {"office": office}, "queues": {"general": queue}}))
    return file


def test_a_holiday_of_the_histories_year_shuts_the_queue(
    history: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "closed.ics").write_text(CLOSED.format(day=f"{NOON:%Y%m%d}"))
    document = config(tmp_path, hours="office")
    assert run(["replay", str(history), "--config", str(document), "--replications", "1", "--json"]) == 0
    result = orjson.loads(capfd.readouterr().out)
    assert (result["same"]["served"], result["other"]["served"]) == (1, 0)


def test_a_wrong_document_is_told_with_its_place(
    history: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "closed.ics").write_text("<html></html>")
    document = config(tmp_path)
    assert run(["replay", str(history), "--config", str(document)]) == 2
    assert f"{document}:1: /calendars/office/ical/text: is not an iCal file" in capfd.readouterr().err
