"""A workspace's document and its secrets, from the command line."""

from pathlib import Path

import orjson
import pytest

from pointsman.cli.demo.document import make_document
from pointsman.cli.secret import SERVICES as SECRET_SERVICES
from pointsman.cli.server import ask
from tests.integration.cli.typed import typed

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300), pytest.mark.usefixtures("stack")]

CLOSED = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261224\nSUMMARY:Inventory\nEND:VEVENT\nEND:VCALENDAR\n"


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
