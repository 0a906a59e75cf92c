"""Configuration as code over HTTP: what a change would do, and changes of parts."""

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
