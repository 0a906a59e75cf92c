"""Configuration as code over HTTP: what a change would do, changes of parts, and everything that is refused whole."""

import asyncio
from typing import Any

import httpx
import pytest

from pointsman.testing.waiting import until
from tests.integration.routing.service import DOCUMENT, RoutingService, next_offer

pytestmark = pytest.mark.stack

SKILLED: dict[str, Any] = DOCUMENT | {"skills": ["billing"], "queues": {"general": {}, "billing": {}}}
NOBODY_MAY: dict[str, Any] = {"queues": ["billing"]}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


async def the_admin(routing: RoutingService) -> httpx.AsyncClient:
    return await routing.as_("admin", "root")


async def put(admin: httpx.AsyncClient, document: dict[str, Any], **params: Any) -> httpx.Response:
    etag = (await admin.get("/v1/config")).headers["etag"]
    return await admin.put("/v1/config", json=document, headers={"If-Match": etag}, params=params)


async def version(admin: httpx.AsyncClient) -> str:
    return str((await admin.get("/v1/config")).headers["etag"])


async def test_a_check_says_what_the_desk_would_do_and_does_nothing(routing: RoutingService) -> None:
    admin = await the_admin(routing)
    alone = DOCUMENT | {"agents": {"anna": NOBODY_MAY}, "queues": {"general": {}, "billing": {}}}
    assert (await put(admin, alone)).status_code == 200
    anna = await routing.sign_in("anna")
    await routing.customer_writes("tkt_1")
    await until(lambda: _queued(admin))
    before = await version(admin)
    everybody = alone | {"agents": {"anna": {}}}
    checked = await admin.post("/v1/config:check", json=everybody)
    assert checked.status_code == 200, checked.text
    effect = checked.json()["effect"]
    assert effect["agents"]["first"] == [{"agent": "anna", "gains": 1, "loses": 0}]
    assert effect["offered"]["first"] == [{"ticket_id": "tkt_1", "agent": "anna"}]
    assert effect["unserved"] == {"count": 0, "first": [], "before": 1}
    assert [change["pointer"] for change in checked.json()["diff"]] == ["/agents/anna/queues"]
    assert await version(admin) == before
    assert (await anna.get("/v1/me/offers")).json()["items"] == []
    assert (await put(admin, everybody)).status_code == 200
    assert (await next_offer(anna))["ticket"]["id"] == "tkt_1"


async def _queued(client: httpx.AsyncClient) -> Any:
    return (await client.get("/v1/tickets", params={"state": "queued"})).json()["items"]


async def test_a_check_tells_what_is_probably_not_meant_with_its_line(routing: RoutingService) -> None:
    admin = await the_admin(routing)
    yaml = "workspace: acme\nagents:\n  anna: {}\n  boris:\n    capacity: 0\n"
    checked = await admin.post("/v1/config:check", content=yaml, headers={"Content-Type": "application/yaml"})
    (finding,) = checked.json()["findings"]
    assert (finding["rule"], finding["pointer"], finding["line"]) == ("idle-agent", "/agents/boris", 4)


async def test_a_check_of_a_new_workspace_has_no_effect_to_tell(routing: RoutingService) -> None:
    operator = await routing.as_("operator", "root", "*")
    checked = (await operator.post("/v1/config:check", json=DOCUMENT | {"workspace": "fresh"})).json()
    assert (checked["version"], checked["effect"]) == (None, None)
    assert len(checked["diff"]) == len(DOCUMENT)


async def test_deleting_a_queue_with_waiting_tickets_says_where_they_go_or_is_refused(routing: RoutingService) -> None:
    admin = await the_admin(routing)
    connectors = {"site-chat": {"channel": "chat", "kind": "json", "default": {"queue": "billing"}}}
    assert (await put(admin, SKILLED | {"connectors": connectors, "agents": {}})).status_code == 200
    await routing.customer_writes("tkt_1", connector="site-chat")
    await until(lambda: _queued(admin))
    (ticket,) = await _queued(admin)
    assert ticket["queue"] == "billing"
    fewer = DOCUMENT | {"agents": {}}
    refused = await put(admin, fewer)
    assert (refused.status_code, refused.json()["type"], refused.json()["queues"]) == (
        409,
        "/problems/holds-tickets",
        ["billing"],
    )
    checked = (await admin.post("/v1/config:check", json=fewer)).json()["effect"]
    assert (checked["refused"]["status"], checked["refused"]["queues"]) == (409, ["billing"])
    assert (await _queued(admin))[0]["queue"] == "billing"
    moves = {"moves": {"queues": {"billing": "general"}}}
    checked = (await admin.post("/v1/config:check", json=fewer | moves)).json()["effect"]
    assert checked["moved"]["first"] == [{"ticket_id": "tkt_1", "from": "billing", "to": "general"}]
    assert (await put(admin, fewer | moves)).status_code == 200
    assert (await _queued(admin))[0]["queue"] == "general"


async def test_a_renamed_queue_takes_what_was_resolved_along(routing: RoutingService) -> None:
    """Reopened in the old queue, such a ticket could not be explained, and refused every later version."""
    admin, anna = await the_admin(routing), await routing.sign_in("anna")
    connectors = {"site-chat": {"channel": "chat", "kind": "json", "default": {"queue": "billing"}}}
    document = DOCUMENT | {"connectors": connectors, "queues": {"general": {}, "billing": {}}}
    assert (await put(admin, document)).status_code == 200
    await routing.customer_writes("tkt_1", connector="site-chat")
    offer = await next_offer(anna)
    assert (await anna.post(f"/v1/offers/{offer['id']}/accept")).is_success
    assert (await anna.post("/v1/tickets/tkt_1/resolve", json={"outcome": "solved"})).is_success
    connectors = {"site-chat": {"channel": "chat", "kind": "json", "default": {"queue": "invoices"}}}
    renamed = document | {"connectors": connectors, "queues": {"general": {}, "invoices": {}}}
    assert (await put(admin, renamed | {"moves": {"queues": {"billing": "invoices"}}})).status_code == 200
    explained = await anna.get("/v1/tickets/tkt_1/explain")
    assert (explained.status_code, explained.json()["queue"]) == (200, "invoices")
    reopened = await anna.post("/v1/tickets/tkt_1/reopen", json={"reason": "one more thing"})
    assert (reopened.json()["queue"], reopened.json()["agent"]) == ("invoices", "anna"), reopened.text
    assert (await anna.get("/v1/tickets/tkt_1/explain")).json()["queue"] == "invoices"
    assert (await put(admin, renamed | {"skills": ["late"]})).status_code == 200
    types = [item["type"] for item in (await admin.get("/v1/events", params={"type": "ticket.moved"})).json()["items"]]
    assert types == ["ticket.moved"]


async def test_skills_and_capacity_change_live_without_dropping_an_assignment(routing: RoutingService) -> None:
    admin, anna = await the_admin(routing), await routing.sign_in("anna")
    await routing.customer_writes("tkt_1")
    offer = await next_offer(anna)
    assert (await anna.post(f"/v1/offers/{offer['id']}/accept")).is_success
    boss = await routing.as_("supervisor", "boss")
    less = await boss.put("/v1/config/agents/anna", json={"capacity": 0, "queues": []})
    assert less.status_code == 200, less.text
    held = (await anna.get("/v1/me/assignments")).json()["items"]
    assert [ticket["id"] for ticket in held] == ["tkt_1"]
    assert (await admin.get("/v1/tickets/tkt_1")).json()["agent"] == "anna"


async def test_a_merge_patch_follows_rfc_7386(routing: RoutingService) -> None:
    admin = await the_admin(routing)
    patch = {"agents": {"boris": None, "anna": {"capacity": 3}}, "skills": ["billing"]}
    headers = MERGE_PATCH | {"If-Match": await version(admin)}
    patched = await admin.patch("/v1/config", json=patch, headers=headers, params={"reason": "fewer people"})
    assert patched.status_code == 200, patched.text
    document = (await admin.get("/v1/config")).json()
    assert (document["agents"], document["skills"]) == ({"anna": {"name": "Anna", "capacity": 3}}, ["billing"])
    newest = (await admin.get("/v1/config/versions")).json()["items"][0]
    assert (newest["reason"], newest["author"]["kind"], newest["author"]["id"]) == ("fewer people", "admin", "root")
    assert newest["applied_at"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_change_of_the_whole_names_the_version_that_it_replaces(routing: RoutingService, method: str) -> None:
    admin = await the_admin(routing)
    missing = await admin.request(method, "/v1/config", json=DOCUMENT)
    assert (missing.status_code, missing.json()["type"]) == (428, "/problems/if-match-required")
    stale = await admin.request(method, "/v1/config", json=DOCUMENT, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, '"1"')
    nonsense = await admin.request(method, "/v1/config", json=DOCUMENT, headers={"If-Match": '"none"'})
    assert nonsense.status_code == 412


async def test_a_rollback_is_a_new_version_equal_to_the_old_one_with_its_reason(routing: RoutingService) -> None:
    admin = await the_admin(routing)
    await put(admin, SKILLED)
    key = {"Idempotency-Key": "back"}
    body = {"version": 1, "reason": "too many queues"}
    rolled = await admin.post("/v1/config:rollback", json=body, headers=key)
    again = await admin.post("/v1/config:rollback", json=body, headers=key)
    assert (rolled.json()["version"], again.json()["version"], again.headers["Idempotency-Replayed"]) == (3, 3, "true")
    assert (await admin.get("/v1/config")).json() == DOCUMENT
    newest = (await admin.get("/v1/config/versions")).json()["items"][0]
    assert newest["reason"] == "rollback to 1: too many queues"
    assert (await admin.post("/v1/config:rollback", json={"version": 9})).status_code == 404
    assert (await admin.post("/v1/config:rollback", json={"version": 2**40})).status_code == 422


async def test_a_supervisor_gives_a_date_hours_of_its_own(routing: RoutingService) -> None:
    admin, boss = await the_admin(routing), await routing.as_("supervisor", "boss")
    week = {day: [["09:00", "18:00"]] for day in ("mon", "tue")}
    await put(admin, DOCUMENT | {"calendars": {"office": {"week": week}}})
    day = {"date": "2026-12-24", "spans": [["09:00", "13:00"]], "reason": "Christmas Eve", "open_clocks": "keep"}
    answers = [
        await boss.post("/v1/calendars/office/days", json=day, headers={"Idempotency-Key": "eve"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    assert [answer.json()["version"] for answer in answers] == [3, 3]
    shut = await boss.post("/v1/calendars/office/days", json=day | {"date": "2026-12-25", "spans": []})
    assert (shut.json()["version"], shut.json().get("recompute_job_id")) == (4, None)
    recomputed = await boss.post(
        "/v1/calendars/office/days", json=day | {"date": "2026-12-28", "open_clocks": "recompute"}
    )
    assert recomputed.json()["recompute_job_id"].startswith("job_"), "open tickets too, and where to watch it"
    calendar = (await admin.get("/v1/config/calendars/office")).json()
    shown = {"2026-12-24": [["09:00", "13:00"]], "2026-12-25": [], "2026-12-28": [["09:00", "13:00"]]}
    assert calendar == {"week": week, "days": shown}
    newest = (await admin.get("/v1/config/versions")).json()["items"][2]
    assert (newest["reason"], newest["open_clocks"], newest["author"]["id"]) == ("Christmas Eve", "keep", "boss")


async def test_public_holidays_are_dates_of_the_version(routing: RoutingService) -> None:
    admin = await the_admin(routing)
    office: dict[str, Any] = {"always": True, "holidays_of": {"country": "IT", "years": [2026]}}
    with_calendar = DOCUMENT | {"calendars": {"office": office}}
    applied = await put(admin, with_calendar)
    assert (applied.status_code, applied.json()["inactive"]) == (200, [])
    dates = (await admin.get("/v1/config/calendars/office")).json()["holidays_of"]["dates"]
    assert {"2026-04-25", "2026-06-02", "2026-12-26"} <= set(dates)
    assert all(date.startswith("2026-") for date in dates)
    checked = await admin.post("/v1/config:check", json=with_calendar)
    assert checked.json()["diff"] == [], "written again, it is the same"
    office["holidays_of"] = {"country": "DE", "subdivision": "BY", "dates": ["2026-07-07"]}
    checked = await admin.post("/v1/config:check", json=with_calendar)
    assert "/calendars/office/holidays_of/country" in [change["pointer"] for change in checked.json()["diff"]]
    assert (await put(admin, with_calendar)).status_code == 200
    assert "2026-07-07" not in (await admin.get("/v1/config/calendars/office")).json()["holidays_of"]["dates"]
    assert (await admin.post("/v1/config:rollback", json={"version": 2})).json()["version"] == 4
    assert (await admin.get("/v1/config/calendars/office")).json()["holidays_of"]["dates"] == dates


@pytest.mark.parametrize(
    ("given", "place"), [("{country: XX}", "country"), ("{country: DE, subdivision: XX}", "subdivision")]
)
async def test_a_country_without_known_holidays_is_a_mistake_with_its_line(
    routing: RoutingService, given: str, place: str
) -> None:
    admin = await the_admin(routing)
    yaml = f"workspace: acme\ncalendars:\n  office: {{always: true,\n   holidays_of: {given}}}\n"
    refused = await admin.post("/v1/config:check", content=yaml, headers={"Content-Type": "application/yaml"})
    (error,) = refused.json()["errors"]
    assert (error["pointer"], error["line"]) == (f"/calendars/office/holidays_of/{place}", 4)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"date": "2026-02-30"}, "/date"),
        ({"spans": [["13:00", "09:00"], ["10:00", "11:00"]]}, "/spans"),
        ({"spans": [["9", "13:00"]]}, "/spans/0/0"),
        ({"reason": ""}, "/reason"),
        ({"hours": []}, "/hours"),
    ],
)
async def test_a_days_mistakes_are_named(routing: RoutingService, change: dict[str, Any], pointer: str) -> None:
    boss = await routing.as_("supervisor", "boss")
    day = {"date": "2026-12-24", "spans": [], "reason": "Christmas Eve"} | change
    refused = await boss.post("/v1/calendars/office/days", json=day)
    assert (refused.status_code, [error["pointer"] for error in refused.json()["errors"]]) == (422, [pointer])


async def test_a_day_needs_a_calendar_and_a_supervisor(routing: RoutingService) -> None:
    day = {"date": "2026-12-24", "spans": [], "reason": "Christmas Eve"}
    boss, anna = await routing.as_("supervisor", "boss"), await routing.as_("agent", "anna")
    assert (await boss.post("/v1/calendars/office/days", json=day)).status_code == 404
    assert (await anna.post("/v1/calendars/office/days", json=day)).status_code == 403


async def test_entries_are_put_and_deleted_one_by_one(routing: RoutingService) -> None:
    admin = await the_admin(routing)
    await put(admin, DOCUMENT | {"sla": {"policies": [{"name": "standard"}]}})
    vip = {"match": {"customer_tier": ["vip"]}}
    assert (await admin.put("/v1/config/policies/vip", json=vip)).status_code == 200
    assert (await admin.get("/v1/config/policies/vip")).json() == vip | {"name": "vip"}
    yaml = {"Content-Type": "application/yaml"}
    assert (await admin.put("/v1/config/queues/calm", content="order: fifo\n", headers=yaml)).status_code == 200
    assert (await admin.get("/v1/config/queues/calm")).json() == {"order": "fifo"}
    stale = await admin.delete("/v1/config/queues/calm", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await admin.delete("/v1/config/queues/calm", params={"reason": "never used"})).status_code == 200
    assert (await admin.delete("/v1/config/queues/calm")).status_code == 404
    assert (await admin.put("/v1/config/numbers/calm", json={})).status_code == 404
    moved = await admin.delete("/v1/config/teams/rome", params={"to": "requeue"})
    assert (moved.status_code, moved.json()["errors"][0]["pointer"]) == (422, "/moves/teams")


async def test_changes_of_entries_at_the_same_time_all_hold(routing: RoutingService) -> None:
    boss = await routing.as_("supervisor", "boss")
    slugs = [f"agent-{number}" for number in range(6)]
    answers = await asyncio.gather(*(boss.put(f"/v1/config/agents/{slug}", json={"name": slug}) for slug in slugs))
    assert [answer.status_code for answer in answers] == [200] * 6, [answer.text for answer in answers]
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5, 6, 7]
    document = (await (await the_admin(routing)).get("/v1/config")).json()
    assert {*slugs, "anna", "boris"} == set(document["agents"])


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": ({"agent": {}}, "/agent"),
    "10,000 skills": ({"skills": [f"skill-{number}" for number in range(10_000)]}, "/skills"),
    "an unknown queue": ({"agents": {"anna": {"queues": ["nowhere"]}}}, "/agents/anna/queues/nowhere"),
    "a calendar that never opens": ({"calendars": {"office": {"week": {}}}}, "/calendars/office"),
    "a pattern that may take for ever": (
        {"classify": {"rules": [{"when": {"text": "(?=x)"}}]}},
        "/classify/rules/0/when/text",
    ),
    "an address as a secret's name": (
        {"webhooks": {"crm": {"url_from": "https://x"}}},
        "/webhooks/crm/url_from",
    ),
    "moves of teams": ({"moves": {"teams": {}}}, "/moves/teams"),
    "moves of agents to an agent": ({"moves": {"agents": {"anna": "boris"}}}, "/moves/agents/anna"),
    "moves that are a list": ({"moves": {"queues": ["general"]}}, "/moves/queues"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_document_with_a_mistake_changes_nothing(routing: RoutingService, name: str) -> None:
    admin = await the_admin(routing)
    change, pointer = BROKEN[name]
    for answer in (await put(admin, DOCUMENT | change), await admin.post("/v1/config:check", json=DOCUMENT | change)):
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-document"), answer.text
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await version(admin) == '"1"'


async def test_every_mistake_of_yaml_is_told_with_its_line(routing: RoutingService) -> None:
    admin = await the_admin(routing)
    yaml = "workspace: acme\nskils: [a]\nagents:\n  anna: {capacity: -1}\nqueues:\n  general: {order: lifo}\n"
    answer = await admin.post("/v1/config:check", content=yaml, headers={"Content-Type": "application/yaml"})
    assert [(error["pointer"], error["line"]) for error in answer.json()["errors"]] == [
        ("/skils", 2),
        ("/agents/anna/capacity", 4),
        ("/queues/general/order", 6),
    ]


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("PUT", "/v1/config", "application/merge-patch+json"),
        ("PATCH", "/v1/config", "application/yaml"),
        ("POST", "/v1/config:check", "text/csv"),
    ],
)
async def test_a_body_of_another_kind_is_not_read(routing: RoutingService, method: str, path: str, kind: str) -> None:
    admin = await the_admin(routing)
    answer = await admin.request(method, path, content="{}", headers={"Content-Type": kind, "If-Match": '"1"'})
    assert answer.status_code == 415
