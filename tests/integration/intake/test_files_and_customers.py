"""Attachments and customers over HTTP, and calls that are repeated with their key."""

from typing import Any

import pytest

from tests.integration.intake.serving import Api

pytestmark = pytest.mark.stack


async def a_customer(api: Api, message: str = "m1", /, connector: str = "site-chat", **customer: Any) -> str:
    body = {"connector": connector, "external_id": message, "customer": customer}
    accepted = (await api.post("/v1/messages", sub=connector, json=body)).json()
    shown = (await api.get(f"/v1/messages/{accepted['message_id']}")).json()
    return str(shown["customer"]["id"])


async def test_an_attachment_is_kept_and_given_back_as_a_download(api: Api) -> None:
    headers = {"content-type": "text/html"}
    kept = await api.post("/v1/attachments?name=a.html", content=b"<b>hi</b>", headers=headers)
    assert kept.status_code == 201
    assert (kept.json()["size"], kept.json()["name"]) == (9, "a.html")
    path = f"/v1/attachments/{kept.json()['attachment_id']}"
    given = await api.get(path, "agent", "anna")
    assert (given.content, given.headers["content-type"]) == (b"<b>hi</b>", "application/octet-stream")
    assert (await api.get(path, "connector", "plain")).status_code == 404


async def test_a_repeat_with_its_key_answers_the_first_result(api: Api) -> None:
    headers = api.headers() | {"Idempotency-Key": "k1", "content-type": "text/plain"}
    first = await api.client.post("/v1/attachments", content=b"one", headers=headers)
    again = await api.client.post("/v1/attachments", content=b"one", headers=headers)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await api.client.post("/v1/attachments", content=b"two", headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_a_customer_is_found_by_what_is_known_of_them(api: Api) -> None:
    id = await a_customer(api, email="Ada@Example.com", name="Ada", tier="vip")
    (found,) = (await api.get("/v1/customers", "agent", "anna", params={"email": "ADA@example.com"})).json()["items"]
    assert (found["id"], found["emails"], found["tier"]) == (id, ["ada@example.com"], "vip")
    assert (await api.get("/v1/customers", "agent", "anna", params={"phone": "1"})).json()["items"] == []
    foreign = await api.client.get(f"/v1/customers/{id}", headers=api.headers("agent", "anna", "other"))
    assert foreign.status_code == 404


async def test_one_number_at_two_connectors_is_two_customers(api: Api) -> None:
    """Customer 42 of the shop saw what customer 42 of the app had written."""
    one = await a_customer(api, "m1", id="42", handle="ada")
    assert await a_customer(api, "m2", connector="plain", id="42", handle="ada") != one
    assert await a_customer(api, "m3", id="42") == one
    found = (await api.get("/v1/customers", "agent", "anna", params={"handle": "ada"})).json()["items"]
    assert len(found) == 2


async def test_ids_that_differ_in_case_are_two_customers_and_addresses_are_one(api: Api) -> None:
    assert await a_customer(api, "m1", id="aB9") != await a_customer(api, "m2", id="Ab9")
    assert await a_customer(api, "m3", handle="@Ada") != await a_customer(api, "m4", handle="@ada")
    one = await a_customer(api, "m5", email="Ada@Example.com")
    assert await a_customer(api, "m6", connector="plain", email="ada@example.COM") == one


async def test_a_handle_that_a_connector_sets_is_its_own_and_one_that_an_agent_sets_is_everywhere(api: Api) -> None:
    id = await a_customer(api, email="ada@example.com")
    body = {"emails": ["ada@example.com"], "handles": ["ada"]}
    put = await api.client.put(f"/v1/customers/{id}", json=body, headers=api.headers())
    assert (put.status_code, put.json()["handles"]) == (200, ["ada"])
    assert await a_customer(api, "m2", handle="ada") == id
    assert await a_customer(api, "m3", connector="plain", handle="ada") != id
    body["handles"] = ["ada", "lovelace"]
    put = await api.client.put(f"/v1/customers/{id}", json=body, headers=api.headers("agent", "anna"))
    assert (put.status_code, put.json()["handles"]) == (200, ["ada", "lovelace"])
    assert await a_customer(api, "m4", connector="plain", handle="lovelace") == id
    assert await a_customer(api, "m5", connector="plain", handle="ada") != id


async def test_a_customer_is_corrected_whole_and_at_the_version_seen(api: Api) -> None:
    id = await a_customer(api, email="ada@example.com")
    other = await a_customer(api, "m2", email="bo@example.com")
    shown = await api.get(f"/v1/customers/{id}", "agent", "anna")
    body = {"name": "Ada L.", "emails": ["ada@example.com", "al@example.com"], "phones": ["+39 1"]}
    headers = api.headers("agent", "anna") | {"If-Match": shown.headers["etag"]}
    put = await api.client.put(f"/v1/customers/{id}", json=body, headers=headers)
    assert (put.status_code, put.json()["emails"]) == (200, ["ada@example.com", "al@example.com"])
    stale = await api.client.put(f"/v1/customers/{id}", json=body, headers=headers)
    assert stale.status_code == 412
    taken = body | {"emails": ["bo@example.com"]}
    refused = await api.client.put(f"/v1/customers/{id}", json=taken, headers=api.headers("agent", "anna"))
    assert (refused.status_code, other in refused.text) == (409, True)
    assert await a_customer(api, "m3", phone="+39 1") == id
