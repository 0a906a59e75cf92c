"""Two workspaces never see one another (DESIGN §7, invariant 7): every route of every app, with the other's token."""

import json
from typing import Any

import pytest
from fastapi import FastAPI

from pointsman.testing.waiting import until
from tests.integration.services import Services

pytestmark = pytest.mark.stack

MARK = "xylophone"
"""A word that only the workspace acme ever said."""

ROLES = ("admin", "connector")
"""An admin may do what viewers, agents and supervisors may; what admins may not, connectors do."""
OPERATORS = ("/v1/dead-letters", "/v1/facts")
NEVER_ENDING = ("/stream",)

BODIES: dict[str, Any] = {
    "/v1/offers/{id}/reject": {"reason": "no"},
    "/v1/tickets/{id}/messages": {"text": "Hello", "public": False},
    "/v1/tickets/{id}/pend": {"waiting_on": "customer"},
    "/v1/tickets/{id}/snooze": {"until": "2100-01-01T00:00:00Z"},
    "/v1/tickets/{id}/transfer": {"to": {"queue": "general"}, "reason": "no"},
    "/v1/tickets/{id}/assign": {"agent": "anna", "reason": "no"},
    "/v1/agents/{a}/requeue": {"reason": "no"},
    "/v1/me/handover": {"reason": "no"},
    "/v1/tickets/{id}/resolve": {"outcome": "spam"},
    "/v1/tickets/{id}/label": {"priority": "low"},
    "/v1/tickets/{id}/merge": {"into": "tkt_0", "reason": "the same"},
    "/v1/tickets/{id}/split": {"message_ids": ["msg_0"], "reason": "another matter"},
    "/v1/queues/{q}/close": {"reason": "a storm"},
    "/v1/config:rollback": {"version": 1},
    # Refused: a queue of that name would be the caller's own, and be seen from then on.
    "/v1/config/{section}/{slug}": {"no-such-key": True},
    "/v1/replies/{id}/failed": {"reason": "no", "permanent": True},
}


def a_document(workspace: str) -> dict[str, Any]:
    """The same names in both workspaces, so that a mix-up would find something; what differs says so."""
    word = MARK if workspace == "acme" else "plain"
    return {
        "workspace": workspace,
        "connectors": {name: {"channel": "chat", "kind": "json"} for name in ("site-chat", "app")},
        "queues": {"general": {}, f"queue-{word}": {}},
        "agents": {"anna": {"name": f"Anna {word}", "capacity": 9}},
        "sla": {
            "policies": [
                {"name": f"policy-{word}", "targets": {"first_response": {"default": 60}}, "warn": {"shares": [0.01]}}
            ],
            "notify": {f"target-{word}": {}},
        },
    }


async def live_in(services: Services, workspace: str, text: str) -> dict[str, list[str]]:
    """Makes a workspace, lets a customer write and an agent answer; gives the ids of what came of it."""

    async def get(service: str, path: str, role: str = "agent") -> Any:
        return (await services.call(service, "GET", path, role, workspace)).json()

    created = await services.call(
        "routing", "PUT", "/v1/config", "operator", "*", json=a_document(workspace), headers={"If-None-Match": "*"}
    )
    assert created.status_code == 200, created.text
    for service in ("routing", "intake"):
        secret = await services.call(
            service, "PUT", f"/v1/secrets/{text}", "admin", workspace, json={"value": "s3cret"}
        )
        assert secret.status_code == 200, secret.text
    presence = {"session": "s1", "lease_seconds": 600, "state": "available"}
    assert (
        await services.call("routing", "PUT", "/v1/me/presence", "agent", workspace, json=presence)
    ).status_code == 200

    async def has_config() -> bool:
        return all(
            [(await get(service, "/v1/config-version"))["config_version"] for service in ("intake", "sla", "metrics")]
        )

    await until(has_config)
    message = {
        "connector": "site-chat",
        "external_id": "m1",
        "thread": "thread-1",
        "customer": {"handle": f"{text}-customer", "name": text},
        "subject": text,
        "text": text,
    }
    posted = await services.call("intake", "POST", "/v1/messages", "connector", workspace, json=message)
    assert posted.status_code == 202, posted.text
    ticket = posted.json()["ticket_id"]

    async def offered() -> Any:
        return (await get("routing", "/v1/me/offers"))["items"]

    (offer,) = await until(offered)
    assert (await services.call("routing", "POST", f"/v1/offers/{offer['id']}/accept", "agent", workspace)).is_success
    reply = await services.call(
        "routing", "POST", f"/v1/tickets/{ticket}/messages", "agent", workspace, json={"text": text, "public": True}
    )
    assert reply.status_code == 201, reply.text

    async def replied() -> Any:
        found = (await services.call("intake", "GET", "/v1/replies?connector=site-chat", "connector", workspace)).json()
        return found["items"]

    (delivery,) = await until(replied)

    async def clocks() -> Any:
        return (await get("sla", f"/v1/tickets/{ticket}/clocks")).get("items")  # 404 until sla heard of the ticket

    await until(clocks)
    customer = (await get("routing", f"/v1/tickets/{ticket}"))["customer"]["id"]
    issued = await services.call(
        "routing", "POST", "/v1/tokens", "admin", workspace, json={"role": "viewer", "sub": text, "ttl_seconds": 60}
    )
    told = (await services.call("sla", "POST", f"/v1/notify/target-{text}/test", "admin", workspace)).json()
    began = [ticket, offer["id"], posted.json()["message_id"], delivery["id"], customer, issued.json()["token_id"]]
    silence = {"match": {"queue": f"queue-{text}"}, "until": "2030-01-01T00:00:00Z", "reason": text}
    silenced = await services.call("sla", "POST", "/v1/silences", "supervisor", workspace, json=silence)
    assert silenced.status_code == 201, silenced.text
    return {
        "id": [*began, told["id"], silenced.json()["id"]],
        "target": [f"target-{text}"],
        "session": ["s1"],
        "section": ["queues"],
        "slug": [f"queue-{text}"],
        "q": [f"queue-{text}"],
        "a": [text],
        "name": [text],
        "kpi": ["backlog"],
        "connector": ["site-chat"],
        "workspace": [workspace],
        "webhook": ["crm"],
    }


def routes_of(app: FastAPI) -> list[tuple[str, str, list[str]]]:
    """(method, path, names in it) of every route that the document knows."""
    found = []
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            names = [part.split("}")[0] for part in path.split("{")[1:]]
            found.append((method.upper(), path, names))
    return found


@pytest.mark.timeout(300)
async def test_no_route_shows_or_changes_another_workspaces_things(services: Services) -> None:
    acme = await live_in(services, "acme", MARK)
    other = await live_in(services, "other", "plain")
    seen_before = await what_acme_sees(services, acme)
    ids = [id for id in acme["id"] if id not in other["id"]]
    walked = 0
    for service, app in services.apps.items():
        for method, path, names in routes_of(app):
            if path.endswith(NEVER_ENDING) or "{workspace}" in path or "{token}" in path:
                continue  # streams have tests of their own; hooks are proved by their bytes, links by their tokens
            for url in urls(path, names, acme):
                answer = None
                for role in ("operator",) if path.startswith(OPERATORS) else ROLES:
                    if answer is not None and answer.status_code != 403:
                        continue
                    answer = await services.call(
                        service,
                        method,
                        url,
                        role,
                        "other",
                        headers={"Pointsman-Workspace": "other" if role == "operator" else "acme"},
                        json=BODIES.get(path, {}) if method in ("POST", "PUT", "PATCH") else None,
                    )
                    walked += 1
                    said = answer.text
                    for echoed in url.split("/"):
                        said = said.replace(echoed, "") if len(echoed) > 3 else said
                    assert MARK not in said, (service, method, url, role, said)
                    told = [id for id in ids if id in said]
                    assert not told, (service, method, url, role, said)
                    if any(id in url for id in ids):
                        assert not answer.is_success, (service, method, url, role, said)
    assert walked > 100
    assert await what_acme_sees(services, acme) == seen_before


def urls(path: str, names: list[str], known: dict[str, list[str]]) -> list[str]:
    """The path with acme's own names: once for each id that could be meant."""
    found = [path]
    for name in names:
        found = [url.replace(f"{{{name}}}", value) for url in found for value in known[name]]
    return found


async def what_acme_sees(services: Services, acme: dict[str, list[str]]) -> str:
    """Everything that a change from outside would show in."""
    paths = [
        ("routing", "/v1/config"),
        ("routing", f"/v1/tickets/{acme['id'][0]}"),
        ("routing", f"/v1/tickets/{acme['id'][0]}/messages"),
        ("routing", f"/v1/tickets/{acme['id'][0]}/timeline?limit=200"),
        ("routing", "/v1/tokens"),
        ("routing", "/v1/secrets"),
        ("intake", "/v1/secrets"),
        ("routing", "/v1/agents"),
        ("intake", "/v1/quarantine"),
        ("intake", f"/v1/customers/{acme['id'][4]}"),
        ("sla", f"/v1/tickets/{acme['id'][0]}/clocks"),
        ("sla", "/v1/silences"),
    ]
    seen = []
    for service, path in paths:
        answer = await services.call(service, "GET", path, "admin", "acme")
        assert answer.is_success, (path, answer.text)
        value = answer.json()
        for clock in value.get("items", []) if service == "sla" else []:
            clock.pop("elapsed_seconds", None)
            clock.pop("elapsed_business_seconds", None)
        seen.append(value)
    return json.dumps(seen)
