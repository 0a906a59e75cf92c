"""Attachments and customers over HTTP, and calls that are repeated with their key."""

from typing import Any
from uuid import uuid4

import pytest

from pointsman.contracts.shapes import Attachment
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.intake.lane import Stack
from tests.integration.intake.serving import CONNECTORS, Api, configure

pytestmark = pytest.mark.stack


async def a_customer(api: Api, message: str = "m1", /, connector: str = "site-chat", **customer: Any) -> str:
    body = {"connector": connector, "external_id": message, "text": "Hello", "customer": customer}
    accepted = (await api.post("/v1/messages", sub=connector, json=body)).json()
    shown = (await api.get(f"/v1/messages/{accepted['message_id']}")).json()
    return str(shown["customer"]["id"])


async def may_write(installation: Installation) -> None:
    """From soon on site-chat changes its customers' tiers."""
    writes = {"site-chat": CONNECTORS["site-chat"] | {"customers": "write"}}
    await configure(installation, version=2, **writes)


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


async def test_a_connector_finds_the_customers_of_its_own_conversations(api: Api) -> None:
    """A connector's token listed, read and changed everybody in the workspace."""
    theirs = await a_customer(api, "m1", connector="plain", email="bo@example.com", phone="+391")
    ours = await a_customer(api, "m2", email="ada@example.com", handle="ada")
    found = (await api.get("/v1/customers", "connector", "site-chat")).json()["items"]
    assert [one["id"] for one in found] == [ours]
    for known in ({"email": "bo@example.com"}, {"phone": "+391"}):
        assert (await api.get("/v1/customers", "connector", "site-chat", params=known)).json()["items"] == []
    assert (await api.get(f"/v1/customers/{theirs}", "connector", "site-chat")).status_code == 404
    taken = {"emails": ["bo@example.com"]}
    put = await api.client.put(f"/v1/customers/{ours}", json=taken, headers=api.headers())
    assert (put.status_code, theirs in put.text) == (409, False)
    assert await a_customer(api, "m3", id=theirs) not in (ours, theirs), "an id of ours that it cannot know is its own"
    assert await a_customer(api, "m4", email="bo@example.com") == theirs, "who writes to both is both's"
    assert (await api.get(f"/v1/customers/{theirs}", "connector", "site-chat")).status_code == 200
    assert await a_customer(api, "m5", id=theirs) == theirs


async def test_a_connector_leaves_the_handles_of_another_alone(api: Api) -> None:
    """A `PUT` is whole, and took away what its caller should not even see."""
    id = await a_customer(api, "m1", connector="plain", email="ada@example.com", handle="ada-there")
    assert await a_customer(api, "m2", email="ada@example.com", handle="ada-here") == id
    shown = (await api.get(f"/v1/customers/{id}", "connector", "site-chat")).json()
    assert shown["handles"] == ["ada-here"]
    there = {"handle": "ada-there"}
    assert (await api.get("/v1/customers", "connector", "site-chat", params=there)).json()["items"] == []
    body = {"emails": ["ada@example.com"], "handles": ["ada-now"]}
    put = await api.client.put(f"/v1/customers/{id}", json=body, headers=api.headers())
    assert (put.status_code, put.json()["handles"]) == (200, ["ada-now"])
    assert (await api.get(f"/v1/customers/{id}", "agent", "anna")).json()["handles"] == ["ada-now", "ada-there"]


@pytest.mark.parametrize(("field", "value"), [("tier", "vip"), ("owner", "anna"), ("organization", "Globex")])
async def test_what_rules_go_by_needs_a_scope_of_its_own(
    api: Api, installation: Installation, field: str, value: str
) -> None:
    """Any connector could make its customers vip, or a colleague's."""
    id = await a_customer(api, email="ada@example.com")
    body = {"name": "Ada", "language": "it", "emails": ["ada@example.com"]}
    for changes in ({}, {field: None}):
        put = await api.client.put(f"/v1/customers/{id}", json=body | changes, headers=api.headers())
        assert (put.status_code, put.json().get("name")) == (200, "Ada"), put.text
    refused = await api.client.put(f"/v1/customers/{id}", json=body | {field: value}, headers=api.headers())
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/customers-not-writable")
    assert [error["pointer"] for error in refused.json()["errors"]] == [f"/{field}"]
    agent = await api.client.put(
        f"/v1/customers/{id}", json=body | {field: value}, headers=api.headers("agent", "anna")
    )
    assert agent.json()[field] == value
    kept = await api.client.put(f"/v1/customers/{id}", json=body, headers=api.headers())
    assert (kept.status_code, kept.json()[field]) == (200, value), "what is left out stays"
    emptied = await api.client.put(f"/v1/customers/{id}", json=body | {field: None}, headers=api.headers())
    assert emptied.status_code == 403
    await may_write(installation)

    async def written() -> Any:
        put = await api.client.put(f"/v1/customers/{id}", json=body | {field: "other"}, headers=api.headers())
        return put.json() if put.is_success else None

    assert (await until(written))[field] == "other"


async def test_a_tier_in_a_message_fills_an_empty_one_and_changes_none_without_the_scope(
    api: Api, installation: Installation
) -> None:
    id = await a_customer(api, "m1", email="ada@example.com")
    await a_customer(api, "m2", email="ada@example.com", tier="gold")
    await a_customer(api, "m3", email="ada@example.com", tier="vip")
    assert (await api.get(f"/v1/customers/{id}", "agent", "anna")).json()["tier"] == "gold"
    await may_write(installation)

    async def changed() -> bool:
        await a_customer(api, f"m-{uuid4()}", email="ada@example.com", tier="vip")
        return bool((await api.get(f"/v1/customers/{id}", "agent", "anna")).json()["tier"] == "vip")

    await until(changed)


async def test_a_reply_s_files_are_read_by_the_connector_that_delivers_it_and_by_no_other(stack: Stack) -> None:
    """Any connector could read what an agent had sent to anybody's customers."""
    api = stack.api
    files = [
        await api.client.post("/v1/attachments", content=b"the bill", headers=headers | {"content-type": "text/plain"})
        for headers in (api.headers("agent", "anna"), api.headers("connector", "plain"))
    ]
    paths = [f"/v1/attachments/{file.json()['attachment_id']}" for file in files]
    for path in paths:
        assert (await api.get(path, "connector", "site-chat")).status_code == 404
    named = tuple(Attachment(attachment_id=file.json()["attachment_id"]) for file in files)
    await stack.desk.reply(attachments=named)
    await until(stack.delivery)
    for path in paths:
        assert (await api.get(path, "connector", "site-chat")).content == b"the bill"
    assert (await api.get(paths[0], "connector", "plain")).status_code == 404
