"""What `apply` reads from a file before anything is sent."""

from pathlib import Path

import orjson
import pytest

from pointsman.cli.document_file import read_document_file
from pointsman.cli.errors import WrongInput


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "acme.yaml"
    path.write_text(text)
    return path


def test_a_document_is_sent_as_it_was_written_so_that_lines_are_right(tmp_path: Path) -> None:
    text = "# ours\nworkspace: acme\nqueues: {billing: {}}\n"
    document = read_document_file(written(tmp_path, text))
    assert (document.workspace, document.content, document.media_type) == ("acme", text.encode(), "application/yaml")


def test_an_ical_file_goes_with_it_as_text(tmp_path: Path) -> None:
    (tmp_path / "it.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    path = written(tmp_path, "workspace: acme\ncalendars: {office: {tz: UTC, ical: {file: it.ics}}}\n")
    document = read_document_file(path)
    assert document.media_type == "application/json"
    ical = {"text": "BEGIN:VCALENDAR\nEND:VCALENDAR\n"}
    assert orjson.loads(document.content)["calendars"]["office"]["ical"] == ical
    assert document.line_of("/calendars/office/tz") == 2


def test_where_tickets_go_is_sent_beside_the_documents_keys(tmp_path: Path) -> None:
    document = read_document_file(written(tmp_path, "workspace: acme\nskills: [a, b]\n"))
    moved = document.with_moves({"queues": {"billing": "general"}})
    assert orjson.loads(moved.content) == {
        "workspace": "acme",
        "skills": ["a", "b"],
        "moves": {"queues": {"billing": "general"}},
    }
    assert moved.line_of("/skills/1") == 2
    assert document.with_moves({}) is document


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("workspace: acme\nqueues: {billing\n", "acme.yaml:3: is not YAML"),
        ("workspace: acme\nworkspace: two\n", "acme.yaml:2: /workspace"),
        ("queues: {}\n", "begins with `workspace: NAME`"),
        ("- acme\n", "begins with `workspace: NAME`"),
        ("workspace: acme\ncalendars: {office: {ical: {file: no.ics}}}\n", "/calendars/office/ical/file"),
    ],
)
def test_what_is_no_document_is_named_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(WrongInput) as raised:
        read_document_file(written(tmp_path, text))
    assert says in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="cannot be read"):
        read_document_file(tmp_path / "no.yaml")
