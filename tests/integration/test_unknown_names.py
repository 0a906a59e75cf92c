"""Every filter of every list: what it cannot mean is a mistake, and its detail says so. `?queue=bilings` was `[]`.

The operations come from the OpenAPI documents: a new list and a new filter are walked by themselves.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.http.serving import with_key
from tests.integration.services import Services, running_services
from tests.integration.test_tenancy import live_in

pytestmark = pytest.mark.stack

ANYTHING = {
    *("cursor", "limit", "wait", "after"),  # of pages and polls: walked by test_every_string
    *("id", "subject", "cause"),  # of facts: ids
    *("customer", "tag", "q", "email", "phone", "handle", "name"),  # what customers and agents write
    *("hub.mode", "hub.challenge", "hub.verify_token"),  # a provider's
    "version",
}
"""Parameters that may be any text, or that other tests walk."""
ROLES = ("admin", "connector", "operator")


@pytest.fixture
async def services(installation: Installation, tmp_path: Path) -> AsyncIterator[Services]:
    async with running_services(with_key(installation.settings, tmp_path)) as services:
        yield services


def filters_of(services: Services) -> list[tuple[str, str, str]]:
    """(service, path, parameter) of every list, where the parameter is not just any text."""
    return [
        (service, path, parameter["name"])
        for service, app in services.apps.items()
        for path, methods in app.openapi()["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", [])
        if parameter["in"] == "query" and parameter["name"] not in ANYTHING
    ]


async def asked(services: Services, service: str, path: str, query: dict[str, str]) -> Any:
    """The answer to the first role that is let in."""
    for role in ROLES:
        workspace = "*" if role == "operator" else "acme"
        answer = await services.call(service, "GET", path, role, workspace, params=query)
        if answer.status_code != 403:
            break
    return answer


async def test_a_filter_that_names_nothing_is_refused_in_every_list(services: Services) -> None:
    lived = await live_in(services, "acme", "xylophone")
    known = {name: values[0] for name, values in lived.items()} | {"kpi": "backlog", "agent": "anna"}
    walked = filters_of(services)
    assert len(walked) > 25
    wrong = []
    for service, path, name in walked:
        url = path
        for part, value in known.items():
            url = url.replace(f"{{{part}}}", value)
        assert "{" not in url or "webhook" in url or "hooks" in url, url
        answer = await asked(services, service, url, {name: "nope"})
        if (service, path) == ("intake", "/v1/replies") and answer.status_code == 403:
            continue  # a connector may not even ask for another's
        if answer.status_code == 404 and "nope" in answer.json()["detail"]:
            continue  # no list, but a question about it
        problem = answer.json()
        errors = problem.get("errors") or [{"pointer": None, "detail": "?"}]
        if answer.status_code != 422 or errors[0]["pointer"] != f"?{name}":
            wrong.append(f"{service} {path}?{name}=nope: {answer.status_code} {answer.text[:200]}")
        elif errors[0]["detail"] not in problem["detail"]:
            wrong.append(f"{service} {path}?{name}=nope: the detail says {problem['detail']!r}")
    assert not wrong, "\n".join(wrong)


async def test_what_was_probably_meant_is_named(services: Services) -> None:
    await live_in(services, "acme", "xylophone")
    misspelt = await services.call("routing", "GET", "/v1/tickets", "agent", "acme", params={"queue": "generl"})
    assert misspelt.status_code == 422
    assert misspelt.json()["detail"] == "there is no queue 'generl'; did you mean general?"
    both = await services.call("sla", "GET", "/v1/due", "agent", "acme", params={"queue": "generl", "agent": "ana"})
    assert [error["pointer"] for error in both.json()["errors"]] == ["?queue", "?agent"]
    nobody = {"role": "agent", "sub": "ana", "ttl_seconds": 60}
    refused = await services.call("routing", "POST", "/v1/tokens", "admin", "acme", json=nobody)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/sub")
    assert refused.json()["detail"] == "there is no agent 'ana'; did you mean anna?"
    everybody = {"filter": {"queue": "generl"}, "action": {"resolve": {"outcome": "spam"}}}
    bulk = await services.call("routing", "POST", "/v1/tickets:bulk", "supervisor", "acme", json=everybody)
    assert (bulk.status_code, bulk.json()["errors"][0]["pointer"]) == (422, "/filter/queue")


async def test_what_the_document_names_finds_nothing_and_is_no_mistake(services: Services) -> None:
    """And so does what a queue or agent left behind that the document does not name any more."""
    await live_in(services, "acme", "xylophone")
    word = (await services.call("routing", "GET", "/v1/config", "admin", "acme")).json()
    document: dict[str, Any] = word.get("document", word)
    empty = next(queue for queue in document["queues"] if queue != "general")
    names = {
        ("routing", "/v1/tickets"): {"queue": empty},
        ("sla", "/v1/due"): {"queue": empty, "agent": "anna"},
        ("sla", "/v1/alerts"): {"queue": empty, "policy": document["sla"]["policies"][0]["name"]},
        ("sla", "/v1/notifications"): {"target": next(iter(document["sla"]["notify"]))},
        ("intake", "/v1/quarantine"): {"connector": "site-chat"},
        ("intake", "/v1/deliveries"): {"connector": "site-chat"},
    }
    for (service, path), query in names.items():
        answer = await asked(services, service, path, query)
        assert answer.status_code == 200, (path, answer.text)
    await asked(services, "routing", "/v1/tickets", {"agent": "anna"})
    boris = {
        "agents": {"anna": None, "boris": {"name": "Boris", "capacity": 1}},
        "moves": {"agents": {"anna": "requeue"}},
    }
    changed = await services.call(
        "routing", "PATCH", "/v1/config", "admin", "acme", json=boris, headers={"If-Match": "*"}
    )
    assert changed.status_code == 200, changed.text
    gone = await services.call("routing", "GET", "/v1/tickets", "agent", "acme", params={"agent": "anna"})
    assert gone.status_code == 200, gone.text

    async def heard() -> bool:
        version = await services.call("sla", "GET", "/v1/config-version", "admin", "acme")
        return bool(version.json()["config_version"] == changed.json()["version"])

    await until(heard)
    due = await services.call("sla", "GET", "/v1/due", "agent", "acme", params={"agent": "boris"})
    assert due.status_code == 200, due.text
