"""The effect of a dry run, in lines for people."""

from pathlib import Path
from typing import Any

from pointsman.cli.document_file import read_document_file
from pointsman.cli.effect import counted, effect_lines, placed

NOTHING: dict[str, Any] = {"count": 0, "first": []}
CALM: dict[str, Any] = {
    "refused": None,
    "waiting": 7,
    "compared": 7,
    **dict.fromkeys(("moved", "requeued", "rescinded", "offered", "agents"), NOTHING),
    "reordered": 0,
    "unserved": {**NOTHING, "before": 0},
}


def some(count: int, **item: Any) -> dict[str, Any]:
    return {"count": count, "first": [item]}


def test_a_change_that_concerns_nobody_says_so() -> None:
    assert effect_lines(CALM) == ["No ticket or agent is concerned now (7 waiting)."]


def test_a_refusal_is_all_there_is_to_say() -> None:
    refused = {"refused": {"status": 409, "detail": "billing still hold tickets"}}
    assert effect_lines(refused) == ["It would be refused: billing still hold tickets"]


def test_each_effect_is_counted_and_named() -> None:
    effect = CALM | {
        "moved": {"count": 1, "first": [{"ticket_id": "tkt_1", "from": "billing", "to": "general"}]},
        "rescinded": some(2, ticket_id="tkt_2", agent="anna", reason="the configuration changed"),
        "offered": some(1, ticket_id="tkt_3", agent="boris"),
        "reordered": 3,
        "agents": some(1, agent="boris", gains=4, loses=0),
        "unserved": some(5, ticket_id="tkt_4", queue="general", requires={}) | {"before": 2},
    }
    assert effect_lines(effect) == [
        "1 ticket goes to another queue: tkt_1 (billing → general).",
        "2 offers are taken back: tkt_2 (anna) and 1 more.",
        "1 ticket is offered at once: tkt_3 (boris).",
        "3 tickets stand elsewhere.",
        "1 agent may take other tickets: boris +4 −0.",
        "5 waiting tickets nobody may take (before the change 2): tkt_4 and 4 more.",
    ]


def test_a_finding_stands_at_its_line_of_the_file_not_of_what_was_sent(tmp_path: Path) -> None:
    (tmp_path / "it.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    path = tmp_path / "acme.yaml"
    path.write_text("workspace: acme\ncalendars: {office: {tz: UTC, ical: {file: it.ics}}}\nqueues:\n  dead: {}\n")
    answer = {"version": 1, "findings": [{"line": 1, "pointer": "/queues/dead", "rule": "unreachable-queue"}]}
    (found,) = placed(answer, read_document_file(path))["findings"]
    assert found == {"line": 4, "pointer": "/queues/dead", "rule": "unreachable-queue"}


def test_a_new_document_is_told_in_numbers() -> None:
    document = {
        "workspace": "acme",
        "queues": {"a": {}, "b": {}},
        "agents": {"anna": {}},
        "classify": {"rules": [{}, {}, {}], "categories": None},
        "sla": {"policies": [{}]},
        "webhooks": "not written yet",
    }
    assert counted(document) == "2 queues, 1 agent, 3 rules, 1 policy"
    assert counted({"workspace": "acme"}) == ""
