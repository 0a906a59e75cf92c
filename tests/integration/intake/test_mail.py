"""Raw mail over HTTP: accepted, threaded, kept when it cannot be understood, never in the way of the next one."""

import httpx
import pytest

from tests.integration.intake.serving import Api

pytestmark = pytest.mark.stack


def a_mail(id: str = "a@x", text: str = "It burns.", **headers: str) -> bytes:
    lines = {"From": "Ada <ada@example.com>", "To": "help@acme.example", "Subject": "Printer", "Message-ID": f"<{id}>"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    return "\r\n".join([*(f"{name}: {value}" for name, value in lines.items()), "", text]).encode()


async def post(api: Api, mail: bytes) -> httpx.Response:
    headers = {"content-type": "message/rfc822"}
    return await api.post("/v1/email/mailbox", sub="mailbox", content=mail, headers=headers)


async def test_a_mail_opens_a_ticket_and_its_answers_join(api: Api) -> None:
    first = (await post(api, a_mail())).json()
    answer = (await post(api, a_mail("b@x", In_Reply_To="<foreign@y>", References="<a@x>"))).json()
    third = (await post(api, a_mail("c@x", In_Reply_To="<b@x>"))).json()
    assert first["ticket_id"] == answer["ticket_id"] == third["ticket_id"]
    shown = (await api.get(f"/v1/messages/{first['message_id']}")).json()
    assert (shown["subject"], shown["text"], shown["customer"]["email"]) == ("Printer", "It burns.", "ada@example.com")
    raw = await api.get(f"/v1/messages/{first['message_id']}/raw")
    assert raw.content == a_mail()


async def test_an_answer_that_overtakes_its_mail_shares_its_ticket(api: Api) -> None:
    answer = (await post(api, a_mail("b@x", In_Reply_To="<a@x>"))).json()
    first = (await post(api, a_mail())).json()
    assert first["ticket_id"] == answer["ticket_id"]


async def test_the_same_subject_of_another_customer_is_another_ticket(api: Api) -> None:
    one = (await post(api, a_mail("a@x", Subject="help"))).json()
    two = (await post(api, a_mail("b@x", Subject="help", From="bo@example.com"))).json()
    assert one["ticket_id"] != two["ticket_id"]


async def test_a_repeat_is_a_duplicate_and_another_body_is_never_dropped(api: Api) -> None:
    first = (await post(api, a_mail())).json()
    again = (await post(api, a_mail())).json()
    assert again == first | {"duplicate": True}
    other = (await post(api, a_mail(text="Something else."))).json()
    assert other["duplicate"] is False
    assert other["ticket_id"] == first["ticket_id"]


async def test_a_bomb_is_kept_and_the_next_mail_goes_through(api: Api) -> None:
    """zammad#1877, freescout#3654: one bad mail stopped the mailbox."""
    nested = b"From: a@x\r\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(1200)
    )
    bomb = await post(api, nested)
    assert bomb.status_code == 202
    assert bomb.json()["reason"] == "nested-too-deep"
    assert (await post(api, a_mail())).json()["duplicate"] is False
    (listed,) = (await api.get("/v1/quarantine")).json()["items"]
    shown = (await api.get(f"/v1/quarantine/{listed['id']}")).json()
    assert shown["text"].startswith("From: a@x")
    headers = api.headers("supervisor", "vera")
    assert (await api.client.delete(f"/v1/quarantine/{listed['id']}", headers=headers)).status_code == 204
    assert (await api.get("/v1/quarantine")).json()["items"] == []


async def test_automatic_mail_is_marked(api: Api) -> None:
    """zammad#1131, #4941, osTicket#1041: loops of automatic answers."""
    accepted = (await post(api, a_mail(Auto_Submitted="auto-replied", Subject="Out of office"))).json()
    shown = (await api.get(f"/v1/messages/{accepted['message_id']}")).json()
    assert shown["automatic"] == "out_of_office"


async def test_mail_is_for_mail_connectors(api: Api) -> None:
    answer = await api.post("/v1/email/site-chat", content=a_mail())
    assert answer.status_code == 422
    assert (await api.post("/v1/email/mailbox", content=a_mail())).status_code == 403
    assert (await post(api, b"")).status_code == 422
