"""The commands on a local stack of their own: what a person would type, in the order of a first day."""

import csv
import io
import re
from pathlib import Path

import orjson
import pytest

from pointsman.cli.server import ask
from pointsman.local.folder import StackFolder
from tests.integration.cli.typed import typed, typed_until
from tests.unit.cli.test_help import ALL

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300), pytest.mark.usefixtures("stack")]


def tickets_as(monkeypatch: pytest.MonkeyPatch, stack: StackFolder, token: str, *command: str) -> int:
    """The exit code of a command that speaks with this token."""
    url = stack.status().url
    assert url is not None
    with monkeypatch.context() as patch:
        patch.setenv("POINTSMAN_URL", url)
        patch.setenv("POINTSMAN_TOKEN", token)
        return typed(*command).code


@pytest.mark.usefixtures("document")
def test_tokens_are_issued_listed_and_revoked(monkeypatch: pytest.MonkeyPatch, stack: StackFolder) -> None:
    issued = typed("token", "issue", "supervisor", "-w", "acme", "--sub", "sue", "--ttl", "600", "--json").json
    assert set(issued) == {"token_id", "token", "expires_at"}
    assert tickets_as(monkeypatch, stack, issued["token"], "tickets", "--json") == 0
    assert tickets_as(monkeypatch, stack, issued["token"], "token", "list") == 1, "a supervisor may not"
    assert issued["token_id"] in [item["token_id"] for item in typed("token", "list", "--json").json["items"]]
    assert typed("token", "revoke", issued["token_id"]).code == 0
    assert tickets_as(monkeypatch, stack, issued["token"], "tickets", "--json") == 1


@pytest.mark.usefixtures("document")
def test_tokens_are_signed_with_the_key_file_without_a_server(
    monkeypatch: pytest.MonkeyPatch, stack: StackFolder
) -> None:
    signed = typed("token", "issue", "viewer", "-w", "acme", "--key-file", str(stack.key_file), "--json").json
    assert tickets_as(monkeypatch, stack, signed["token"], "report", "backlog", "--json") == 0
    operator = typed("token", "issue", "operator", "--ttl", "60", "--json").json
    assert tickets_as(monkeypatch, stack, operator["token"], "dlq", "list", "--json") == 0


def test_a_ticket_is_listed_shown_explained_and_traced(ticket: str) -> None:
    assert ticket in [item["id"] for item in typed("tickets", "--json").json["items"]]
    shown = typed("ticket", ticket, "--json").json
    assert shown["messages"][0]["text"] == "Where is my parcel?"
    assert {clock["metric"] for clock in shown["clocks"]} == {"first_response", "resolution"}
    assert typed("ticket", ticket).code == 0
    assert typed("explain", ticket, "--json").json
    traced = typed("trace", shown["messages"][0]["id"], "--json").json
    assert {step["service"] for step in traced["steps"]} >= {"intake", "routing", "sla"}
    assert traced["steps"][0]["service"] == "intake"
    assert typed("trace", "msg_nowhere").code == 1


def test_a_dry_run_of_what_would_be_refused_fails(ticket: str, document: Path) -> None:
    stands = orjson.loads(document.read_bytes())
    other = {"queues": {"late": {}}, "classify": {"otherwise": {"queue": "late"}}}
    without = document.with_name("without.yaml")
    without.write_bytes(orjson.dumps({"workspace": "acme", "connectors": stands["connectors"], **other}))
    tried = typed("apply", str(without), "--dry-run")
    assert (tried.code, "It would be refused: returns still hold tickets" in tried.out) == (1, True), tried.out
    assert typed("apply", str(without), "--dry-run", "--json").code == 1
    assert typed("apply", str(without), "--dry-run", "--move", "queues.returns=late").code == 0


def test_the_figures_are_shown_reported_and_exported(ticket: str, tmp_path: Path) -> None:
    assert typed("top", "--json").json["queues"]["returns"]["waiting"] == 1
    assert typed("top", "--once").code == 0
    report = typed("report", "backlog", "--json").json
    assert report["rows"][0]["value"] == 1
    assert "unresolved" in typed("report", "backlog").err
    wrong = typed("report", "backlog", "--slice", "colour")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    file = tmp_path / "tickets.csv"
    assert typed("export", str(file)).code == 0
    assert ticket in file.read_text()
    assert typed("export", str(tmp_path / "tickets.doc")).code == 2


@pytest.mark.usefixtures("document")
def test_there_are_no_dead_letters() -> None:
    assert typed("dlq", "list", "--json").json == {"items": []}
    assert typed("dlq", "show", "dlq_1").code == 1


def test_what_breaches_next_is_listed(ticket: str) -> None:
    due = [item for item in typed("due", "--json").json["items"] if item["ticket_id"] == ticket]
    assert {item["metric"] for item in due} == {"first_response", "resolution"}
    assert typed("due").code == 0
    assert typed("due", "--before", "2001-01-01T00:00:00Z", "--json").json["items"] == []
    wrong = typed("due", "--before", "tomorrow")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)


def test_the_ledger_proves_the_clocks_of_a_ticket(ticket: str) -> None:
    items = typed("ledger", ticket, "--json").json["items"]
    assert {item["metric"] for item in items} == {"first_response", "resolution"}
    for item in items:
        last = item["intervals"][-1]
        assert last["business_sum_seconds"] == item["elapsed_business_seconds"]
        assert last["calendar_sum_seconds"] == item["elapsed_calendar_seconds"]
    lines = list(csv.DictReader(io.StringIO(typed("ledger", ticket, "--csv").out)))
    assert {(line["ticket_id"], line["metric"]) for line in lines} == {(ticket, name) for name in
                                                                       ("first_response", "resolution")}  # fmt: skip
    assert all(float(line["calendar_sum_seconds"]) > 0 for line in lines)
    shown = typed("ledger", ticket)
    assert (shown.code, shown.out.count("as the sums say")) == (0, 2)
    assert typed("ledger", ticket, "--json", "--csv").code == 2
    assert typed("ledger", "tkt_nowhere").err.strip() == "pointsman: there is no such ticket"


def test_a_changed_promise_can_hold_for_open_tickets(ticket: str, document: Path) -> None:
    changed = orjson.loads(document.read_bytes())
    policy = changed["sla"]["policies"][-1]
    policy["targets"] = {"first_response": {"default": 86_000}, "resolution": {"default": 860_000}}
    other = document.with_name("longer.yaml")
    other.write_bytes(orjson.dumps(changed))
    applied = typed("apply", str(other), "--json").json
    assert "recompute_job_id" not in applied
    dry = typed("recompute", "--policy", policy["name"], "--dry-run", "--json").json
    assert (dry["config_version"], dry["state"], dry["dry_run"]) == (applied["version"], "done", True)
    assert dry["restated"] >= 2
    before = {item["metric"]: item for item in typed("ledger", ticket, "--json").json["items"]}
    assert not before["first_response"]["restated"]
    shown = typed("recompute", "--reason", "a longer contract")
    assert (shown.code, "restated" in shown.out) == (0, True)
    after = {item["metric"]: item for item in typed("ledger", ticket, "--json").json["items"]}
    assert (after["first_response"]["restated"], after["first_response"]["target_seconds"]) == (True, 86_000)
    assert {line["config_version"] for line in after["resolution"]["intervals"]} == {applied["version"]}
    wrong = typed("recompute", "--policy", "gold")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    back = typed("apply", str(document), "--open-clocks", "recompute", "--json").json
    assert back["recompute_job_id"].startswith("job_")
    told = ask(None, "acme", lambda session: session.get("/routing/v1/events?type=clocks.recomputed"))
    assert "a longer contract" in {event["data"].get("reason") for event in told["items"]}
    assert typed("dlq", "list", "--json").json == {"items": []}


@pytest.mark.usefixtures("document")
def test_there_are_no_alerts() -> None:
    assert typed("alerts", "list", "--json").json["items"] == []
    assert typed("alerts", "show", "alr_nowhere").code == 1
    assert typed("alerts", "ack", "alr_nowhere", "--comment", "mine").code == 1


@pytest.mark.usefixtures("document")
def test_a_notify_target_is_tested_and_what_became_of_it_is_shown(document: Path) -> None:
    changed = orjson.loads(document.read_bytes())
    changed["sla"]["notify"]["pager"] = {"url_from": "pager-url"}
    other = document.with_name("told.yaml")
    other.write_bytes(orjson.dumps(changed))
    assert typed("apply", str(other), "--json").json["inactive"] == []
    told = typed("notify", "test", "pager", "--json").json["id"]
    typed_until(lambda: typed("notifications", "show", told, "--json").json["rounds"] == 1)
    typed_until(lambda: "has no secret 'pager-url'" in typed("notifications", "show", told).out)
    listed = typed("notifications", "list", "--state", "queued", "--target", "pager", "--json").json["items"]
    assert [item["id"] for item in listed] == [told]
    assert "pager" in typed("notifications", "list").out
    assert typed("notifications", "resend", told, "--json").json["state"] == "queued"
    assert typed("notify", "test", "nobody").code == 1
    assert typed("notifications", "show", "ntf_none").code == 1
    assert typed("apply", str(document)).code == 0


def test_a_mail_that_nobody_understands_is_shown_read_again_and_discarded(tmp_path: Path) -> None:
    file = tmp_path / "broken.eml"
    file.write_bytes(b"\x00\xff\xfe this is no mail \x00")
    sent = typed("send", "--connector", "support-mail", "--file", str(file), "--json")
    assert orjson.loads(sent.out)["refused"] == 1
    (kept,) = typed("quarantine", "list", "--json").json["items"]
    assert typed("quarantine", "show", kept["id"]).code == 0
    assert "no mail" in typed("quarantine", "show", kept["id"]).out
    again = typed("quarantine", "replay", kept["id"])
    assert (again.code, again.err.count("\n")) == (2, 1), "it is still no mail"
    assert typed("quarantine", "discard", kept["id"]).code == 0
    assert typed("quarantine", "list", "--json").json["items"] == []
    assert typed("quarantine", "show", "qua_nowhere").code == 1


TABLES = [
    *("tickets", "due", "top --once", "queues list", "agents list", "alerts list", "alerts silences"),
    *("notifications list", "config versions", "token list", "secret list", "quarantine list", "dlq list"),
    *("audit", "report", "report backlog --from 7d --by day --slice queue"),
    *("report first_response --slice queue,agent", "status", "ledger TICKET", "ticket TICKET", "trace TICKET"),
    *("queues show QUEUE", "agents show AGENT"),
]
NO_TABLES = {
    *("apply", "config diff", "config show", "config rollback", "lint"),  # of a document, as wide as it is
    *("send", "secret set", "token issue", "recompute", "notify test", "demo", "replay", "simulate", "chaos"),
    *("queues close", "queues open", "agents presence", "agents assign", "agents requeue", "topics create"),
    *("alerts ack", "alerts unack", "alerts silence", "notifications resend", "quarantine replay", "bench"),
    *("classify eval", "sla eval", "predict", "verify", "alerts show", "quarantine show", "dlq show"),
    *("notifications show", "explain"),
}
"""Commands with a result whose tables are not walked: they change something, need no server, or show one thing."""


def test_every_command_with_a_result_is_walked_or_named() -> None:
    """`ledger` takes a ticket, and so was in no walk."""
    results = {path for path, command in ALL.items() if any("--json" in one.opts for one in command.params)}
    walked = {path for path in results for table in TABLES if f"{table} ".startswith(f"{path} ")}
    assert walked | NO_TABLES == results


@pytest.mark.parametrize("command", TABLES)
def test_a_table_is_right_at_80_columns(command: str, ticket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids were folded into three lines, and instants had six digits of a second."""
    monkeypatch.setenv("COLUMNS", "80")
    word, listed = command.split()[-1], command.split()[0]
    if word in ("QUEUE", "AGENT"):
        ticket = typed(listed, "list", "--json").json["items"][0][word.lower()]
    shown = typed(*(ticket if part.isupper() else part for part in command.split()))
    assert shown.code in (0, 1), shown.err
    lines = shown.out.splitlines()
    assert lines, shown.err
    assert max(map(len, lines)) <= 80, shown.out
    for word in shown.out.split():
        # An id is whole: its prefix and 26 characters.
        assert not re.match(r"(tkt|alt|tok|ntf|sil)_[0-9a-z]{0,25}$", word), word
        assert not re.search(r"\d\d:\d\d:\d\d\.\d", word), word


def test_a_supervisor_closes_a_queue_and_sends_an_agent_away() -> None:
    queues = typed("queues", "--json").json["items"]
    queue = queues[0]["queue"]
    assert typed("queues", "close", queue, "--reason", "power cut", "--json").json["state"] == "closed"
    assert typed("queues", "show", queue, "--json").json["reason"] == "power cut"
    assert typed("queues", "open", queue, "--json").json["state"] == "open"
    assert typed("queues", "close", "no-such-queue", "--reason", "x").code != 0
    agent = typed("agents", "--json").json["items"][0]["agent"]
    assert (
        typed("agents", "presence", agent, "away", "--hold", "--reason", "training", "--json").json["state"] == "away"
    )
    assert typed("agents", "show", agent, "--json").json["held"] is True
    assert typed("agents", "presence", agent, "away", "--json").code == 0
    assert typed("agents", "requeue", agent, "--reason", "went home", "--json").json["items"] == []
    assert typed("agents", "presence", agent, "asleep").code == 2


def test_a_name_that_there_is_not_is_an_error_that_says_which_was_meant() -> None:
    """`tickets --queue nope` printed an empty table, and `token issue --sub nope` a token that opened nothing."""
    queue = typed("queues", "--json").json["items"][0]["queue"]
    misspelt = typed("tickets", "--queue", f"{queue}s")
    assert (misspelt.code, misspelt.out) == (2, "")
    assert misspelt.err.strip() == f"pointsman: there is no queue '{queue}s'; did you mean {queue}?"
    assert typed("due", "--queue", "nope").code == 2
    assert typed("notifications", "list", "--target", "nope").code == 2
    for role in ("agent", "connector"):
        nobody = typed("token", "issue", role, "--sub", "nope")
        assert (nobody.code, nobody.out) == (2, ""), role
        assert nobody.err.startswith(f"pointsman: there is no {role} 'nope'")
    assert typed("token", "issue", "supervisor", "--sub", "whoever").code == 0


def test_report_without_a_name_lists_the_kpis() -> None:
    assert [row["kpi"] for row in typed("report", "--json").json["items"]][:2] == ["first_response", "resolution"]
    wrong = typed("report", "first_respons")
    assert (wrong.code, "did you mean first_response?" in wrong.err) == (2, True)
