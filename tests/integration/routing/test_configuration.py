"""Documents and tokens over HTTP: checked, versioned, taken back; issued once."""

import orjson
import pytest

from tests.integration.routing.service import DOCUMENT, RoutingService

pytestmark = pytest.mark.stack


async def test_configuration_is_checked_versioned_and_rolled_back(routing: RoutingService) -> None:
    admin = await routing.as_("admin", "root")
    current = await admin.get("/v1/config")
    assert (current.json(), current.headers["etag"]) == (DOCUMENT, '"1"')
    assert (await admin.put("/v1/config", json=DOCUMENT)).status_code == 428
    yaml = "workspace: acme\nqueues:\n  general: {}\nagents:\n  anna: {capacty: 3}\n"
    wrong = await admin.put("/v1/config", content=yaml, headers={"Content-Type": "application/yaml", "If-Match": '"1"'})
    assert wrong.status_code == 422
    assert [(error["pointer"], error["line"]) for error in wrong.json()["errors"]] == [("/agents/anna/capacty", 5)]
    checked = await admin.post("/v1/config:check", json=DOCUMENT | {"skills": ["billing"]})
    assert [change["pointer"] for change in checked.json()["diff"]] == ["/skills"]

    patched = await admin.patch("/v1/config", json={"skills": ["billing"]}, headers={"If-Match": '"1"'})
    assert (patched.status_code, patched.json()["version"]) == (200, 2), patched.text
    stale = await admin.patch("/v1/config", json={"skills": ["technical"]}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, '"2"')
    supervisor = await routing.as_("supervisor", "boss")
    put = await supervisor.put("/v1/config/agents/carla", json={"name": "Carla"})
    assert (put.status_code, put.json()["version"]) == (200, 3), put.text
    assert (await supervisor.put("/v1/config/queues/more", json={})).status_code == 403
    assert (await admin.get("/v1/config/agents/carla")).json() == {"name": "Carla"}
    assert (await admin.get("/v1/config/agents/nobody")).status_code == 404
    assert (await admin.delete("/v1/config/agents/carla")).json()["version"] == 4

    rolled = await admin.post("/v1/config:rollback", json={"version": 1})
    assert rolled.json()["version"] == 5
    assert (await admin.get("/v1/config")).json() == DOCUMENT
    versions = (await admin.get("/v1/config/versions")).json()["items"]
    assert [version["version"] for version in versions] == [5, 4, 3, 2, 1]
    assert (await admin.get("/v1/config-version")).json() == {"config_version": 5}


async def test_a_document_of_another_workspace_is_refused(routing: RoutingService) -> None:
    admin = await routing.as_("admin", "root")
    answer = await admin.put("/v1/config", json=DOCUMENT | {"workspace": "other"}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/workspace")
    created = await admin.put("/v1/config", json=DOCUMENT, headers={"If-None-Match": "*"})
    assert created.status_code == 403


async def test_mistakes_beside_the_document_and_of_each_kind_in_it_are_one_answer(routing: RoutingService) -> None:
    """`kind: slakc` passed; a wrong workspace or a wrong move hid all that was wrong with the document."""
    admin = await routing.as_("admin", "root")
    wrong = DOCUMENT | {
        "workspace": "other",
        "moves": {"teams": {}},
        "connectors": {"slack": {"channel": "chat", "kind": "slakc"}},
        "skills": "billing",
        "agents": {"anna": {"capcity": 3, "queues": ["nowhere"]}},
        "calendars": {"office": {"always": True, "holidays_of": {"country": "XX"}}},
    }
    pointers = {
        *("/workspace", "/moves/teams", "/connectors/slack/kind", "/skills", "/agents/anna/capcity"),
        *("/agents/anna/queues/nowhere", "/calendars/office/holidays_of/country"),
    }
    put = await admin.put("/v1/config", json=wrong, headers={"If-Match": '"1"'})
    check = await admin.post("/v1/config:check", json=wrong)
    for answer in (put, check):
        assert answer.status_code == 422
        told = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
        assert set(told) == pointers
        assert "did you mean 'slack'?" in told["/connectors/slack/kind"]


async def test_a_kind_of_an_earlier_release_keeps_nobody_from_changing_something_else(routing: RoutingService) -> None:
    admin = await routing.as_("admin", "root")
    old = DOCUMENT | {"connectors": {"c": {"channel": "chat", "kind": "pigeon"}}}
    await routing.process.pool.execute(
        "UPDATE config_version SET document = $1::text::jsonb", orjson.dumps(old).decode()
    )
    supervisor = await routing.as_("supervisor", "boss")
    assert (await supervisor.put("/v1/config/agents/carla", json={"name": "Carla"})).status_code == 200
    assert (await admin.patch("/v1/config", json={"skills": ["x"]}, headers={"If-Match": '"2"'})).status_code == 200
    assert (await admin.post("/v1/config:rollback", json={"version": 1})).status_code == 200
    other = await admin.put("/v1/config/connectors/d", json={"channel": "chat", "kind": "pigeon"})
    assert [error["pointer"] for error in other.json()["errors"]] == ["/connectors/d/kind"]
    whole = await admin.put("/v1/config", json=old, headers={"If-Match": "*"})
    assert [error["pointer"] for error in whole.json()["errors"]] == ["/connectors/c/kind"]


async def test_the_same_key_issues_the_same_token_and_none_is_stored(routing: RoutingService) -> None:
    admin = await routing.as_("admin", "root")
    body, key = {"role": "agent", "sub": "anna", "ttl_seconds": 600}, {"Idempotency-Key": "token-1"}
    first = await admin.post("/v1/tokens", json=body, headers=key)
    again = await admin.post("/v1/tokens", json=body, headers=key)
    assert (first.status_code, again.json()) == (201, first.json())
    kept = await routing.process.pool.fetchval("SELECT string_agg(body::text, '') FROM outcome")
    assert first.json()["token"] not in kept
