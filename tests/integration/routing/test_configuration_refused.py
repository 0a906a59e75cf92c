"""Configuration over HTTP that is refused whole or only checked: nothing of it changes the workspace."""

from typing import Any

import pytest

from tests.integration.routing.service import DOCUMENT, RoutingService
from tests.integration.routing.test_configuration_changes import put, the_admin, version

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]


async def test_a_check_tells_what_is_probably_not_meant_with_its_line(shared_routing: RoutingService) -> None:
    admin = await the_admin(shared_routing)
    yaml = "workspace: acme\nagents:\n  anna: {}\n  boris:\n    capacity: 0\n"
    checked = await admin.post("/v1/config:check", content=yaml, headers={"Content-Type": "application/yaml"})
    (finding,) = checked.json()["findings"]
    assert (finding["rule"], finding["pointer"], finding["line"]) == ("idle-agent", "/agents/boris", 4)


async def test_a_check_of_a_new_workspace_has_no_effect_to_tell(shared_routing: RoutingService) -> None:
    operator = await shared_routing.as_("operator", "root", "*")
    checked = (await operator.post("/v1/config:check", json=DOCUMENT | {"workspace": "fresh"})).json()
    assert (checked["version"], checked["effect"]) == (None, None)
    assert len(checked["diff"]) == len(DOCUMENT)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_change_of_the_whole_names_the_version_that_it_replaces(
    shared_routing: RoutingService, method: str
) -> None:
    admin = await the_admin(shared_routing)
    missing = await admin.request(method, "/v1/config", json=DOCUMENT)
    assert (missing.status_code, missing.json()["type"]) == (428, "/problems/if-match-required")
    stale = await admin.request(method, "/v1/config", json=DOCUMENT, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, '"1"')
    nonsense = await admin.request(method, "/v1/config", json=DOCUMENT, headers={"If-Match": '"none"'})
    assert nonsense.status_code == 412


@pytest.mark.parametrize(
    ("given", "place"), [("{country: XX}", "country"), ("{country: DE, subdivision: XX}", "subdivision")]
)
async def test_a_country_without_known_holidays_is_a_mistake_with_its_line(
    shared_routing: RoutingService, given: str, place: str
) -> None:
    admin = await the_admin(shared_routing)
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
async def test_a_days_mistakes_are_named(shared_routing: RoutingService, change: dict[str, Any], pointer: str) -> None:
    boss = await shared_routing.as_("supervisor", "boss")
    day = {"date": "2026-12-24", "spans": [], "reason": "Christmas Eve"} | change
    refused = await boss.post("/v1/calendars/office/days", json=day)
    assert (refused.status_code, [error["pointer"] for error in refused.json()["errors"]]) == (422, [pointer])


async def test_a_day_needs_a_calendar_and_a_supervisor(shared_routing: RoutingService) -> None:
    day = {"date": "2026-12-24", "spans": [], "reason": "Christmas Eve"}
    boss, anna = await shared_routing.as_("supervisor", "boss"), await shared_routing.as_("agent", "anna")
    assert (await boss.post("/v1/calendars/office/days", json=day)).status_code == 404
    assert (await anna.post("/v1/calendars/office/days", json=day)).status_code == 403


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
async def test_a_document_with_a_mistake_changes_nothing(shared_routing: RoutingService, name: str) -> None:
    admin = await the_admin(shared_routing)
    change, pointer = BROKEN[name]
    for answer in (await put(admin, DOCUMENT | change), await admin.post("/v1/config:check", json=DOCUMENT | change)):
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-document"), answer.text
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await version(admin) == '"1"'


async def test_every_mistake_of_yaml_is_told_with_its_line(shared_routing: RoutingService) -> None:
    admin = await the_admin(shared_routing)
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
async def test_a_body_of_another_kind_is_not_read(
    shared_routing: RoutingService, method: str, path: str, kind: str
) -> None:
    admin = await the_admin(shared_routing)
    answer = await admin.request(method, path, content="{}", headers={"Content-Type": kind, "If-Match": '"1"'})
    assert answer.status_code == 415
