"""The commands on a local stack of their own: what a person would type, in the order of a first day, and the demo."""

import csv
import io
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman.cli.demo.document import make_document
from pointsman.cli.main import run
from pointsman.cli.secret import SERVICES as SECRET_SERVICES
from pointsman.cli.server import ask
from pointsman.local.folder import FOLDER_VARIABLE, StackFolder
from tests.unit.cli.test_help import ALL

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


@pytest.fixture(scope="module", autouse=True)
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackFolder]:
    """A stack for this module, found by the commands as the local one."""
    with pytest.MonkeyPatch.context() as patch:
        folder = StackFolder(tmp_path_factory.mktemp("stack") / ".pointsman")
        patch.setenv(FOLDER_VARIABLE, str(folder.root))
        for name in ("POINTSMAN_URL", "POINTSMAN_TOKEN", "POINTSMAN_WORKSPACE", "POINTSMAN_PROFILE"):
            patch.delenv(name, raising=False)
        pointsman = (sys.executable, "-m", "pointsman.cli.main")
        subprocess.run([*pointsman, "up", "--detach"], check=True, capture_output=True)
        yield folder
        subprocess.run([*pointsman, "down"], check=True, capture_output=True)


class Typed:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return orjson.loads(self.out)


def typed(*arguments: str) -> Typed:
    """Runs a command as if it was typed; standard output is captured byte for byte."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        code = run(list(arguments))
    finally:
        sys.stdout, sys.stderr = before
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return Typed(code, *texts)


def typed_until(condition: Callable[[], object], within_seconds: float = 60.0) -> None:
    """Types until the condition is true: what was accepted is seen by the next service a moment later."""
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            if condition():
                return
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline


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


def test_a_document_is_applied_compared_and_taken_back(document: Path) -> None:
    changed = orjson.loads(document.read_bytes())
    changed["queues"]["general"]["offer"]["timeout_seconds"] = 9
    other = document.with_name("other.yaml")
    other.write_bytes(orjson.dumps(changed))
    assert typed("config", "diff", str(document)).code == 0
    differs = typed("config", "diff", str(other), "--json")
    assert differs.code == 1
    assert [change["pointer"] for change in orjson.loads(differs.out)["diff"]] == [
        "/queues/general/offer/timeout_seconds"
    ]
    assert typed("apply", str(other), "--dry-run", "--json").json["version"] == 1
    shown = typed("apply", str(other), "--dry-run")
    assert "/queues/general/offer/timeout_seconds" in shown.out
    assert "No ticket or agent is concerned now (0 waiting)." in shown.out
    assert "single-holder" not in shown.out
    assert "Only boris has returns" in shown.out
    assert typed("apply", str(other), "--json").json["version"] == 2
    assert typed("config", "rollback", "1", "--reason", "too hasty", "--json").json["version"] == 3
    items = typed("config", "versions", "--json").json["items"]
    assert [item["version"] for item in items] == [3, 2, 1]
    assert items[0]["reason"] == "rollback to 1: too hasty"
    assert typed("config", "show", "--json").json["workspace"] == "acme"


def test_a_first_dry_run_says_how_much_there_is_and_not_every_key(document: Path, tmp_path: Path) -> None:
    """It was 180 lines of `added`."""
    new = {**make_document("acme", 25, 1), "workspace": "brand-new"}
    (tmp_path / "new.yaml").write_bytes(orjson.dumps(new))
    for command in (("apply", str(tmp_path / "new.yaml"), "--dry-run"), ("config", "diff", str(tmp_path / "new.yaml"))):
        told = typed(*command)
        first, *others = told.out.splitlines()
        assert first.startswith("New workspace brand-new: "), told.err
        assert f"{len(new['connectors'])} connectors, {len(new['queues'])} queues, {len(new['agents'])} agents" in first
        assert "/agents/" not in " ".join(others)


def test_a_mistake_in_a_document_is_named_with_its_line(document: Path) -> None:
    wrong = document.with_name("wrong.yaml")
    wrong.write_text("workspace: acme\nqueues:\n  billing: {order: lifo}\n")
    answered = typed("apply", str(wrong))
    assert answered.code == 2
    assert "/queues/billing/order (line 3)" in answered.err
    assert answered.err.count("\n") == 1


CLOSED = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261224\nSUMMARY:Inventory\nEND:VEVENT\nEND:VCALENDAR\n"


def test_a_file_of_holidays_beside_a_document_shuts_its_calendar_in_every_service(document: Path) -> None:
    changed = orjson.loads(document.read_bytes())
    changed.setdefault("calendars", {})["shop"] = {"tz": "UTC", "always": True, "ical": {"file": "closed.ics"}}
    other, closed = document.with_name("shop.yaml"), document.with_name("closed.ics")
    other.write_bytes(orjson.dumps(changed))
    closed.write_text("<html>Sign in</html>")
    refused = typed("apply", str(other))
    assert refused.code == 2
    assert "/calendars/shop/ical/text (line 1): is not an iCal file" in refused.err
    closed.write_text(CLOSED)
    assert typed("apply", str(other), "--json").json["inactive"] == []
    assert typed("config", "show", "--json").json["calendars"]["shop"]["ical"]["dates"] == {"2026-12-24": "Inventory"}
    question = {"calendar": "shop", "op": "due", "start": "2026-12-23T23:00:00Z", "seconds": 7200}
    answer = ask(None, "acme", lambda session: session.post("/sla/v1/calendars:evaluate", question))
    assert answer["due_at"] == "2026-12-25T01:00:00Z"
    assert typed("apply", str(document)).code == 0


def tickets_as(monkeypatch: pytest.MonkeyPatch, stack: StackFolder, token: str, *command: str) -> int:
    """The exit code of a command that speaks with this token."""
    url = stack.status().url
    assert url is not None
    with monkeypatch.context() as patch:
        patch.setenv("POINTSMAN_URL", url)
        patch.setenv("POINTSMAN_TOKEN", token)
        return typed(*command).code


def test_secrets_that_are_not_set_are_named_by_apply_and_those_named_by_lint(tmp_path: Path, document: Path) -> None:
    """A document whose secrets were not there passed silently, in every service."""
    file = tmp_path / "secretive.json"
    site = {"channel": "chat", "kind": "json", "send": {"kind": "webhook", "url_from": "site-url", "secret": "site"}}
    hook = {"url_from": "crm-url", "secret": "crm"}
    notify = {"pager": {"url_from": "pager-url"}}
    other = {
        "workspace": "secretive",
        "connectors": {"site": site},
        "webhooks": {"crm": hook},
        "sla": {"notify": notify, "last_resort": "pager"},
    }
    file.write_bytes(orjson.dumps(other))
    named = [
        {"pointer": "/connectors/site/send/url_from", "secret": "site-url", "service": "intake"},
        {"pointer": "/connectors/site/send/secret", "secret": "site", "service": "intake"},
        {"pointer": "/webhooks/crm/url_from", "secret": "crm-url", "service": "routing"},
        {"pointer": "/webhooks/crm/secret", "secret": "crm", "service": "routing"},
        {"pointer": "/sla/notify/pager/url_from", "secret": "pager-url", "service": "sla"},
    ]
    assert orjson.loads(typed("lint", str(file), "--json").out)["secrets"] == named
    assert typed("apply", str(file), "--dry-run", "--json").json["unset"] == named
    assert typed("apply", str(file), "--json").json["unset"] == named
    value = tmp_path / "value"
    value.write_text("https://crm.example/hook")
    for name in ("crm-url", "pager-url"):
        assert typed("secret", "set", name, "-w", "secretive", "--file", str(value)).code == 0
    left = [one for one in named if one["secret"] not in ("crm-url", "pager-url")]
    assert typed("apply", str(file), "--json").json["unset"] == left
    said = typed("apply", str(file), "--dry-run").err
    assert "/connectors/site/send/secret: site is not set in intake" in said
    assert "pointsman secret set site" in said
    assert typed("apply", str(document)).code == 0, "whose workspace the commands speak of"


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


@pytest.mark.long
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


def test_secrets_are_set_from_a_file_listed_by_name_and_removed(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("s3cret\n")
    value = ("--file", str(tmp_path / "value"), "-w", "acme")
    items = typed("secret", "set", "crm-hook", *value, "--previous-valid", "60", "--json").json["items"]
    assert [(item["service"], item["name"]) for item in items] == [(one, "crm-hook") for one in SECRET_SERVICES]
    assert typed("secret", "list", "-w", "acme", "--json").json["items"] == items
    shown = typed("secret", "list", "-w", "acme")
    assert "crm-hook" in shown.out
    assert "s3cret" not in shown.out
    assert typed("secret", "rm", "crm-hook", "-w", "acme", "--service", "intake").code == 0
    assert typed("secret", "rm", "crm-hook", "-w", "acme").code == 0
    gone = typed("secret", "rm", "crm-hook", "-w", "acme")
    assert (gone.code, gone.err.strip()) == (1, "pointsman: there is no secret crm-hook in intake, routing, sla")
    assert typed("secret", "set", "Crm", *value).code == 2
    assert typed("secret", "set", "crm", *value, "--service", "metrics").code == 2
    (tmp_path / "value").write_text("\n")
    assert typed("secret", "set", "crm-hook", *value).err.strip() == "pointsman: the value is empty"


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
