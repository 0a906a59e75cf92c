"""Which message somebody answers or has seen last, through the API: read from the rows, and refused when it is not the
ticket's. What one decision offers is seen whole."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from pointsman.contracts.requests import AttachmentSettled
from pointsman.contracts.shapes import Attachment
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.routing.service import DOCUMENT, a_routing_service

pytestmark = pytest.mark.stack

TWO_CHANNELS = DOCUMENT | {
    "connectors": {
        "site-chat": {"channel": "chat", "kind": "json"},
        "support-mail": {"channel": "email", "kind": "json"},
    },
    "agents": {"anna": {"name": "Anna", "capacity": 600}},
}


async def post(app: httpx.AsyncClient, path: str, **body: Any) -> httpx.Response:
    return await app.post(f"/v1/tickets/{path}", json=body)


async def test_replies_and_readers_name_messages_of_their_ticket(installation: Installation, tmp_path: Path) -> None:
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace(TWO_CHANNELS)
        anna = await routing.sign_in("anna")
        for ticket, channel in (("mail", "email"), ("chat", "chat"), ("other", "chat")):
            await routing.customer_writes(ticket, channel=channel)

            async def held(ticket: str = ticket) -> bool:
                offers = (await anna.get("/v1/me/offers")).json()["items"]
                mine = [offer["id"] for offer in offers if offer["ticket"]["id"] == ticket]
                return bool(mine) and (await anna.post(f"/v1/offers/{mine[0]}/accept")).status_code == 200

            await until(held)
        merged = await post(anna, "chat/merge", into="mail", reason="the same", different_customers=True)
        assert merged.status_code == 200, merged.text

        for wrong in ("msg_other_1", "msg_none"):
            answer = await post(anna, "mail/messages", text="Hi", public=True, reply_to_message=wrong)
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/reply_to_message")
            answer = await post(anna, "mail/resolve", outcome="solved", last_message_id=wrong)
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/last_message_id")
        for fields in ({}, {"reply_to_message": "msg_mail_1"}, {"reply_to_message": "msg_chat_1"}):
            answer = await post(anna, "mail/messages", text="Hi", public=True, **fields)
            assert answer.status_code == 201, answer.text
        told = await routing.process.pool.fetch(
            "SELECT body -> 'facts' -> 0 AS said FROM fact WHERE types[1] = 'ticket.replied' ORDER BY number"
        )
        assert [(row["said"]["connector"], row["said"]["thread"]) for row in told] == [
            ("site-chat", "thread of chat"),
            ("support-mail", "thread of mail"),
            ("site-chat", "thread of chat"),
        ]

        note = (await post(anna, "mail/messages", text="They called.", public=False)).json()["id"]
        await routing.customer_writes("mail", channel="email")

        async def unseen() -> bool:
            answer = await post(anna, "mail/resolve", outcome="solved", last_message_id="msg_mail_1")
            newer = answer.json()["newer"]
            return bool(newer == ["msg_chat_1", "msg_mail_2"])

        await until(unseen)
        answer = await post(anna, "mail/resolve", outcome="solved", last_message_id=note)
        assert (answer.status_code, answer.json()["newer"]) == (409, ["msg_mail_2"])
        note = (await post(anna, "mail/messages", text="Mailed.", public=False)).json()["id"]
        answer = await post(anna, "mail/resolve", outcome="solved", last_message_id=note)
        assert (answer.status_code, answer.json()["state"]) == (200, "resolved")


async def test_more_offers_in_one_decision_than_an_answer_holds_are_all_seen(
    installation: Installation, tmp_path: Path
) -> None:
    """A cursor of the change alone skipped all behind the 200th, until they expired."""
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace(TWO_CHANNELS)
        boss = await routing.as_("supervisor", "boss")
        for number in range(230):
            await routing.customer_writes(f"t{number:03}")

        async def all_there() -> bool:
            return bool((await boss.get("/v1/queues/general")).json()["waiting"] == 230)

        await until(all_there)
        anna = await routing.as_("agent", "anna")
        begun = (await anna.get("/v1/me/offers")).json()["cursor"]
        await routing.sign_in("anna")
        assert await routing.process.pool.fetchval("SELECT count(DISTINCT change) FROM offer") == 1
        for after in (begun, None):
            seen: list[str] = []
            while True:
                page = (await anna.get("/v1/me/offers", params={} if after is None else {"after": after})).json()
                if not page["items"]:
                    break
                seen += [offer["ticket"]["id"] for offer in page["items"]]
                after = page["cursor"]
            assert seen == [f"t{number:03}" for number in range(230)]


async def test_what_became_of_a_file_may_overtake_its_message(installation: Installation, tmp_path: Path) -> None:
    """Both come from processes of their own: whichever is read first, the message shows its file as it is."""
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace(TWO_CHANNELS)
        anna = await routing.as_("agent", "anna")
        for ticket, early in (("early", True), ("late", False)):
            fetched = Attachment(attachment_id="att_1", name="a.txt", url="https://x.example/a", state="fetching")
            settled = AttachmentSettled(
                message_id=f"msg_{ticket}_1", ticket_id=ticket, attachment_id="att_1", state="kept", size=3
            )
            if early:
                await routing.intake_says(ticket, settled)
            await routing.customer_writes(ticket, attachments=(fetched, Attachment(attachment_id="att_2")))
            if not early:
                await routing.intake_says(ticket, settled)

            async def kept(ticket: str = ticket) -> Any:
                answer = await anna.get(f"/v1/tickets/{ticket}/messages")
                files = answer.json()["items"][0]["attachments"] if answer.status_code == 200 else [{}]
                return files if files[0].get("state") == "kept" else None

            await until(kept)
            url = "https://x.example/a"
            first = {"attachment_id": "att_1", "name": "a.txt", "url": url, "state": "kept", "size": 3}
            assert await kept() == [first, {"attachment_id": "att_2"}]


async def test_automatic_mail_is_shown_as_what_it_is(installation: Installation, tmp_path: Path) -> None:
    async with a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace(TWO_CHANNELS)
        anna = await routing.as_("agent", "anna")
        await routing.customer_writes("t")
        await routing.customer_writes("t", text="I am away until Monday", automatic="out_of_office")

        async def both() -> Any:
            answer = await anna.get("/v1/tickets/t/messages")
            items = answer.json()["items"] if answer.status_code == 200 else []
            return items if len(items) == 2 else None

        first, second = await until(both)
        assert (first["kind"], first["automatic"], first["replaces"]) == ("message", None, None)
        assert (second["kind"], second["automatic"], second["text"]) == (
            "message",
            "out_of_office",
            "I am away until Monday",
        )
        note = (await anna.post("/v1/tickets/t/messages", json={"text": "Waiting.", "public": False})).json()
        shown = (await anna.get("/v1/tickets/t/messages")).json()["items"][-1]
        assert note == shown, "what a call answers is what the list shows"
