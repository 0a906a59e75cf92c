"""Conversations that an agent begins: whom the first reply goes to, and where the answer goes."""

from typing import Any

import orjson
import pytest

from pointsman.contracts.desk import TicketOpened, TicketReplied
from pointsman.contracts.shapes import Author, Customer, Recipient
from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.intake.lane import Stack

pytestmark = pytest.mark.stack


async def begins(stack: Stack, ticket: str = "tkt_new", **to: Any) -> Instant:
    """The desk opens a ticket that an agent started, and replies in the same decision; when it was."""
    at = stack.api.process.clock.now()
    place: dict[str, Any] = {"connector": "site-chat", "channel": "chat", "thread": ticket}
    customer = Customer(id=derived_id("cus", at, "acme", *Recipient(**to).identities("site-chat")[0]))
    opened = TicketOpened(
        ticket_id=ticket,
        **place,
        customer=customer,
        opened_at=at,
        started_by="agent",
        message_id=f"msg_{ticket}",
        recipient=Recipient(**to),
        config_version=1,
    )
    replied = TicketReplied(
        ticket_id=ticket,
        message_id=f"msg_{ticket}",
        author=Author(kind="agent", id="anna", name="Anna"),
        text="Your order is late.",
        **place,
        customer=customer,
        occurred_at=at,
    )
    await stack.desk.say(ticket, opened, replied)
    await until(lambda: stack.delivery(f"msg_{ticket}"))
    return at


async def of_customer(stack: Stack, **known: str) -> dict[str, Any]:
    (found,) = (await stack.api.get("/v1/customers", params=known)).json()["items"]
    return dict(found)


async def test_the_connector_is_told_to_whom_and_a_new_customer_is_made(stack: Stack) -> None:
    at = await begins(stack, email="Ada@Example.com", name="Ada")
    (reply,) = (await stack.pull())["items"]
    customer = await of_customer(stack, email="ada@example.com")
    assert customer["id"] == derived_id("cus", at, "acme", "", "email", "ada@example.com")
    assert customer["name"] == "Ada"
    assert reply["recipient"] == {"id": customer["id"], "name": "Ada", "email": "ada@example.com"}


async def test_a_known_customer_is_found_and_what_is_known_of_them_told(
    stack: Stack, installation: Installation
) -> None:
    message = {
        "connector": "site-chat",
        "external_id": "m1",
        "thread": "t",
        "text": "Hello",
        "customer": {"name": "Ada", "phone": "+39 1"},
    }
    await stack.api.post("/v1/messages", json=message)
    customer = await of_customer(stack, phone="+39 1")
    await begins(stack, id=customer["id"])
    (reply,) = (await stack.pull())["items"]
    assert reply["recipient"] == {"id": customer["id"], "name": "Ada", "phone": "+39 1"}
    await stack.api.post(f"/v1/replies/{reply['id']}/delivered", json={"external_id": "p1"})
    db = await installation.connect("intake")
    body = await db.fetchval(
        "SELECT body FROM fact WHERE types @> ARRAY['message.delivered'] ORDER BY number DESC LIMIT 1"
    )
    await db.close()
    (told,) = orjson.loads(body)["facts"]
    assert told["customer"]["id"] == customer["id"]


async def test_the_answer_joins_the_ticket_and_opens_none(stack: Stack) -> None:
    await begins(stack, handle="ada")
    (reply,) = (await stack.pull())["items"]
    done = {"external_id": "p1", "thread": "room-7"}
    assert (await stack.api.post(f"/v1/replies/{reply['id']}/delivered", json=done)).status_code == 200
    for number, thread in enumerate(("room-7", "tkt_new")):
        answer = {
            "connector": "site-chat",
            "external_id": f"a{number}",
            "thread": thread,
            "text": "Hello",
            "customer": {"handle": "ada"},
        }
        posted = (await stack.api.post("/v1/messages", json=answer)).json()
        assert posted["ticket_id"] == "tkt_new"
        shown = (await stack.api.get(f"/v1/messages/{posted['message_id']}")).json()
        assert (shown["opens"], shown["customer"]["id"]) == (False, reply["recipient"]["id"])


async def test_a_conversation_that_was_let_go_leads_to_the_new_ticket(stack: Stack, installation: Installation) -> None:
    message = {
        "connector": "site-chat",
        "external_id": "m1",
        "thread": "room-7",
        "customer": {"handle": "ada"},
        "text": "Hello",
    }
    await stack.api.post("/v1/messages", json=message)
    db = await installation.connect("intake")
    await db.execute("UPDATE thread SET closed = true")
    await db.close()
    await begins(stack, handle="ada")
    done = {"external_id": "p1", "thread": "room-7"}
    await stack.api.post("/v1/replies/msg_tkt_new/delivered", json=done)
    posted = (await stack.api.post("/v1/messages", json=message | {"external_id": "m2"})).json()
    assert posted["ticket_id"] == "tkt_new"
