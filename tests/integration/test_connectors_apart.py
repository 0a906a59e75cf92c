"""A connector's token never reaches what another connector brought: every route of every app, with another's token.

It read and changed every customer of its workspace, and read every file that an agent had put on a reply.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.services import Services
from tests.integration.test_tenancy import (
    BODIES,
    MARK,
    NEVER_ENDING,
    OPERATORS,
    live_in,
    routes_of,
    urls,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

CUSTOMER = {"name": "changed", "handles": ["changed"], "tier": "changed", "owner": "anna", "organization": "changed"}
EVENT = {"connector": "app", "external_id": "e1", "thread": "thread-1"}


def bodies_of(path: str, known: dict[str, list[str]]) -> list[Any]:
    """What the other connector might say on a route; on most just what is needed to be understood."""
    delivery, customer = known["id"][3], known["id"][4]
    foreign = {"connector": "site-chat", "external_id": "m9", "thread": "thread-1", "text": "changed"}
    # Its own message, that names what is the other's.
    person = {"id": customer, "name": "changed", "tier": "changed"}
    own = {"connector": "app", "external_id": "m9", "customer": person, "thread": "thread-1", "text": "changed"}
    own |= {"kind": "edit", "replaces": "m1"}
    reports = [{**EVENT, "kind": kind, "message_id": delivery} for kind in ("delivered", "failed", "read")]
    said: dict[str, list[Any]] = {
        "/v1/customers/{id}": [CUSTOMER, {"emails": ["changed@example.com"]}],
        "/v1/messages": [foreign, own],
        "/v1/messages:batch": [[foreign], [{**own, "external_id": "m10"}]],
        "/v1/events": [{**EVENT, "connector": "site-chat", "kind": "left"}, {**EVENT, "kind": "ended"}, *reports],
        "/v1/replies/{id}/delivered": [{"external_id": "changed", "thread": "changed"}],
    }
    return said.get(path, [BODIES.get(path, {})])


def searches(operation: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Without words, and with each of a list's that could name what is the other's."""
    yield {}
    known = {"connector": "site-chat", "handle": f"{MARK}-customer"}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and parameter["name"] in known:
            yield {parameter["name"]: known[parameter["name"]]}


async def what_it_brought(services: Services, acme: dict[str, list[str]]) -> list[Any]:
    """Everything that a change by the other connector would show in."""
    ticket, _, message, delivery, customer = acme["id"][:5]
    paths = (
        ("routing", f"/v1/tickets/{ticket}"),
        ("routing", f"/v1/tickets/{ticket}/messages"),
        ("routing", f"/v1/tickets/{ticket}/timeline?limit=200"),
        ("intake", f"/v1/messages/{message}"),
        ("intake", f"/v1/messages/{delivery}"),
        ("intake", "/v1/deliveries?connector=site-chat"),
        ("intake", f"/v1/customers/{customer}"),
    )
    return [(path, (await services.call(service, "GET", path, "admin", "acme")).json()) for service, path in paths]


async def test_no_route_shows_or_changes_what_another_connector_brought(services: Services) -> None:
    acme = await live_in(services, "acme", MARK)
    seen_before = await what_it_brought(services, acme)
    ids = acme["id"][:5]
    walked = let_in = 0
    for service, app in services.apps.items():
        for method, path, names in routes_of(app):
            if path.endswith(NEVER_ENDING) or path.startswith(OPERATORS) or "{workspace}" in path or "{token}" in path:
                continue
            operation = app.openapi()["paths"][path][method.lower()]
            for url in urls(path, names, acme):
                for query in searches(operation):
                    for body in bodies_of(path, acme) if method in ("POST", "PUT", "PATCH") else [None]:
                        answer = await services.call(
                            service, method, url, "connector", "acme", sub="app", json=body, params=query or None
                        )
                        walked, let_in = walked + 1, let_in + answer.is_success
                        said = answer.text
                        for echoed in (*url.split("/"), *query.values()):
                            said = said.replace(echoed, "") if len(echoed) > 3 else said
                        assert answer.status_code < 500, (service, method, url, said)
                        assert MARK not in said, (service, method, url, query, said)
                        told = [id for id in ids if id in said]
                        assert not told, (service, method, url, query, said)
                        if any(id in url for id in ids):
                            assert not answer.is_success, (service, method, url, body, said)
    assert walked > 150
    assert let_in > 8, "a connector may do what concerns itself"
    assert await what_it_brought(services, acme) == seen_before


async def test_each_operation_on_customers_finds_nobody_for_another_connectors_token(services: Services) -> None:
    acme = await live_in(services, "acme", MARK)
    customer = acme["id"][4]
    operations = [route for route in routes_of(services.apps["intake"]) if route[1].startswith("/v1/customers")]
    assert len(operations) >= 3
    for method, path, names in operations:
        body = None if method == "GET" else {"into": customer, "reason": "no"} if "merge" in path else CUSTOMER
        url = path.replace("{id}", customer)
        for sub, own in (("app", False), ("site-chat", True)):
            answer = await services.call("intake", method, url, "connector", "acme", sub=sub, json=body)
            if names:
                assert (answer.status_code == 404) is not own, (method, url, sub, answer.text)
            else:
                assert [item["id"] for item in answer.json()["items"]] == ([customer] if own else [])
