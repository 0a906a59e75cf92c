"""Raw mail over HTTP: accepted, threaded, kept when it cannot be understood, never in the way of the next one."""

import asyncio
import random
from datetime import timedelta

import httpx
import pytest

from pointsman.contracts.shapes import Customer
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_intake.accept import accept_group
from pointsman_intake.connectors import Connector
from pointsman_intake.mail.message import read_mail
from pointsman_intake.model import Arrival
from pointsman_intake.normalise import normalise
from pointsman_intake.storable import kept
from tests.integration.intake.lane import Stack
from tests.integration.intake.serving import Api, configure

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


BO = "Bo <bo@elsewhere.example>"


async def accepted(api: Api, mail: bytes) -> tuple[str, str | None]:
    """The mail's ticket, and the one that it follows up."""
    answer = (await post(api, mail)).json()
    shown = (await api.get(f"/v1/messages/{answer['message_id']}")).json()
    return answer["ticket_id"], shown.get("follow_up_of")


async def test_strangers_who_cite_one_unknown_mail_share_no_ticket(api: Api) -> None:
    """Both had seen a newsletter; each read the other's matter."""
    ada, _ = await accepted(api, a_mail("a@x", In_Reply_To="<news@shop.example>"))
    bo, linked = await accepted(api, a_mail("b@x", From=BO, In_Reply_To="<news@shop.example>"))
    assert (bo != ada, linked) == (True, ada)
    assert (await accepted(api, a_mail("c@x", From=BO, In_Reply_To="<news@shop.example>")))[0] == bo
    assert (await accepted(api, a_mail("d@x", In_Reply_To="<news@shop.example>")))[0] == ada


async def test_strangers_who_come_at_the_same_moment_share_no_ticket(api: Api) -> None:
    people = [f"p{number}@example.com" for number in range(8)]
    mails = [a_mail(f"{who}", From=who, References="<news@shop.example>") for who in people]
    answers = await asyncio.gather(*(post(api, mail) for mail in mails))
    assert len({answer.json()["ticket_id"] for answer in answers}) == len(people)


async def test_a_stranger_who_cites_a_known_mail_gets_a_linked_ticket_of_their_own(api: Api) -> None:
    ada, _ = await accepted(api, a_mail())
    bo, linked = await accepted(api, a_mail("b@x", From=BO, In_Reply_To="<a@x>", References="<a@x>"))
    assert (bo != ada, linked) == (True, ada)
    assert (await accepted(api, a_mail("c@x", From=BO, In_Reply_To="<b@x>", References="<a@x> <b@x>")))[0] == bo
    assert (await accepted(api, a_mail("d@x", In_Reply_To="<b@x>", References="<a@x> <b@x>")))[0] == ada


async def test_who_was_copied_takes_part(api: Api) -> None:
    ada, _ = await accepted(api, a_mail(Cc="Bo <BO@elsewhere.example>"))
    assert await accepted(api, a_mail("b@x", From=BO, References="<a@x>")) == (ada, None)


async def test_a_colleagues_answer_that_overtakes_the_mail_shares_its_ticket(api: Api) -> None:
    bo, _ = await accepted(api, a_mail("b@x", From=BO, Cc="ada@example.com", In_Reply_To="<a@x>"))
    assert (await accepted(api, a_mail("a@x", Cc="bo@elsewhere.example")))[0] == bo


async def test_a_message_id_that_another_used_joins_nothing(api: Api) -> None:
    ada, _ = await accepted(api, a_mail())
    bo, linked = await accepted(api, a_mail(From=BO, text="Mine."))
    assert (bo != ada, linked) == (True, ada)


async def test_no_order_of_citations_puts_two_strangers_on_one_ticket(api: Api) -> None:
    """Random conversations: everybody cites everything that was ever said, and nobody copies anybody."""
    drawn = random.Random(7)
    people = [f"p{number}@example.com" for number in range(4)]
    ids, tickets = ["unknown@y", "other@y"], dict[str, str]()
    for number in range(40):
        who = drawn.choice(people)
        cited = " ".join(f"<{id}>" for id in drawn.sample(ids, min(len(ids), drawn.randint(0, 3))))
        headers = {"References": cited} if cited else {}
        ticket, _ = await accepted(api, a_mail(f"m{number}@x", From=who, text=str(number), **headers))
        assert tickets.setdefault(ticket, who) == who
        ids.append(f"m{number}@x")


async def test_an_answer_to_our_own_mail_joins_by_in_reply_to_alone(stack: Stack) -> None:
    """The mailer had reported the Message-ID with its angles."""
    api = stack.api
    first = (await post(api, a_mail())).json()
    start = await stack.pull("mailbox")
    await stack.desk.reply(first["ticket_id"], connector="mailbox", channel="email", thread="a@x", cc=("cy@z.example",))
    assert (await stack.pull("mailbox", after=start["cursor"], wait=20))["items"]
    given = {"external_id": "<out-1@acme.example>"}
    assert (await api.post("/v1/replies/msg_r1/delivered", sub="mailbox", json=given)).status_code == 200
    assert (await accepted(api, a_mail("b@x", In_Reply_To="<out-1@acme.example>")))[0] == first["ticket_id"]
    copied = a_mail("c@x", From="cy@z.example", In_Reply_To="<out-1@acme.example>")
    assert (await accepted(api, copied))[0] == first["ticket_id"]
    bo, linked = await accepted(api, a_mail("d@x", From=BO, In_Reply_To="<out-1@acme.example>"))
    assert (bo != first["ticket_id"], linked) == (True, first["ticket_id"])


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
    ticket, _ = await accepted(api, a_mail())
    away = a_mail("b@x", Auto_Submitted="auto-replied", Subject="Out of office", In_Reply_To="<a@x>")
    answer = (await post(api, away)).json()
    shown = (await api.get(f"/v1/messages/{answer['message_id']}")).json()
    assert (answer["ticket_id"], shown["automatic"], shown["opens"]) == (ticket, "out_of_office", False)


async def test_an_out_of_office_note_opens_no_ticket_and_is_kept(api: Api) -> None:
    answer = await post(api, a_mail(Auto_Submitted="auto-replied", Subject="Out of office"))
    assert (answer.status_code, answer.json()["reason"]) == (202, "automatic-mail")
    assert answer.json().get("ticket_id") is None
    replay = f"/v1/quarantine/{answer.json()['quarantine_id']}/replay"
    again = await api.client.post(replay, headers=api.headers("supervisor", "vera"))
    assert (again.status_code, again.json()["type"]) == (422, "/problems/still-not-understood")
    assert len((await api.get("/v1/quarantine")).json()["items"]) == 1


async def test_an_out_of_office_note_begins_no_ticket_where_one_was_closed(
    api: Api, installation: Installation
) -> None:
    first, _ = await accepted(api, a_mail())
    db = await installation.connect("intake")
    await db.execute("UPDATE thread SET closed = true")
    note = a_mail("b@x", Auto_Submitted="auto-replied", In_Reply_To="<a@x>")
    assert (await accepted(api, note))[0] == first
    assert await db.fetchval("SELECT closed FROM thread")
    await db.close()
    second, linked = await accepted(api, a_mail("c@x", In_Reply_To="<a@x>"))
    assert (second != first, linked) == (True, first)


async def test_mail_through_a_list_opens_like_any(api: Api) -> None:
    answer = (await post(api, a_mail(List_ID="<team.customer.example>", Precedence="list"))).json()
    shown = (await api.get(f"/v1/messages/{answer['message_id']}")).json()
    assert (shown["opens"], shown.get("automatic"), shown["unanswerable"]) == (True, None, True)


async def test_a_reply_carries_what_a_mailer_needs_and_an_answer_to_either_id_joins(stack: Stack) -> None:
    api = stack.api
    first = (await post(api, a_mail())).json()
    await post(api, a_mail("b@x", In_Reply_To="<a@x>", Reply_To="Ada at home <ada@home.example>"))
    start = await stack.pull("mailbox")
    await stack.desk.reply(first["ticket_id"], connector="mailbox", channel="email", thread="a@x", cc=("cy@z.example",))
    (reply,) = (await stack.pull("mailbox", after=start["cursor"], wait=20))["items"]
    names = ("to", "cc", "subject", "message_id", "in_reply_to", "references")
    assert [reply[name] for name in names] == [
        ["ada@home.example"],
        ["cy@z.example"],
        "Re: Printer",
        "<msg_r1@acme.example>",
        "<b@x>",
        ["<a@x>", "<b@x>"],
    ]
    failed = {"reason": "busy", "permanent": False}
    await api.post("/v1/replies/msg_r1/failed", sub="mailbox", json=failed)
    assert (await stack.pull("mailbox"))["items"] == [reply], "the same mail at every try"
    await api.post("/v1/replies/msg_r1/delivered", sub="mailbox", json={"external_id": "<rewritten@relay.example>"})
    for place, id in enumerate(("<rewritten@relay.example>", "<msg_r1@acme.example>")):
        assert (await accepted(api, a_mail(f"c{place}@x", In_Reply_To=id)))[0] == first["ticket_id"]


async def test_a_reply_to_what_came_through_a_list_goes_to_its_writer(stack: Stack) -> None:
    listed = a_mail(List_ID="<team.customer.example>", Reply_To="team@customer.example", Subject="AW: Printer")
    ticket, _ = await accepted(stack.api, listed)
    start = await stack.pull("mailbox")
    await stack.desk.reply(ticket, connector="mailbox", channel="email", thread="a@x")
    (reply,) = (await stack.pull("mailbox", after=start["cursor"], wait=20))["items"]
    assert (reply["to"], reply["subject"]) == (["ada@example.com"], "AW: Printer")


def a_report(recipient: str = "ada@example.com", inner: str = "<out@acme.example>", **headers: str) -> bytes:
    body = (
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {inner}\r\n\r\n--b--"
    )
    return a_mail(
        "dsn@mx",
        body,
        From="postmaster@mx.example",
        Content_Type='multipart/report; report-type=delivery-status; boundary="b"',
        **headers,
    )


@pytest.mark.parametrize("report", [a_report("x@y"), a_report(inner=""), a_report("x@y", "", To="b+ada=example.com@b")])
async def test_a_bounce_fails_its_reply_and_opens_no_ticket(
    stack: Stack, report: bytes, installation: Installation
) -> None:
    """By the inner Message-ID, the recipient, or the return path: each opened a ticket of its own."""
    api = stack.api
    answer = (await post(api, a_mail())).json()
    shown = (await api.get(f"/v1/messages/{answer['message_id']}")).json()
    start = await stack.pull("mailbox")
    customer = Customer(id=shown["customer"]["id"])
    await stack.desk.reply(answer["ticket_id"], connector="mailbox", channel="email", thread="a@x", customer=customer)
    assert (await stack.pull("mailbox", after=start["cursor"], wait=20))["items"]
    await api.post("/v1/replies/msg_r1/delivered", sub="mailbox", json={"external_id": "<out@acme.example>"})
    assert (await accepted(api, report)) == (answer["ticket_id"], None)
    delivery = await stack.delivery()
    assert (delivery["state"], delivery["reason"]) == ("failed", "5.1.1")
    db = await installation.connect("intake")
    told = await db.fetchval("SELECT count(*) FROM fact WHERE types @> ARRAY['message.failed']")
    tickets = await db.fetchval("SELECT count(DISTINCT ticket_id) FROM message")
    await db.close()
    assert (told, tickets) == (1, 1)


async def test_a_bounce_of_what_we_never_sent_is_kept_and_opens_nothing(api: Api) -> None:
    answer = (await post(api, a_report())).json()
    assert (answer["reason"], answer.get("ticket_id")) == ("delivery-report", None)


async def test_mail_is_for_mail_connectors(api: Api) -> None:
    answer = await api.post("/v1/email/site-chat", content=a_mail())
    assert answer.status_code == 422
    assert (await api.post("/v1/email/mailbox", content=a_mail())).status_code == 403
    assert (await post(api, b"")).status_code == 422


async def test_what_came_without_an_id_is_remembered_for_days_only(api: Api, installation: Installation) -> None:
    """A monthly mail without Message-ID and with the same text was dropped as a duplicate, for ever."""
    mail = a_mail().replace(b"Message-ID: <a@x>\r\n", b"")
    first = (await post(api, mail)).json()
    assert (await post(api, mail)).json() == first | {"duplicate": True}
    dated = mail.replace(b"Subject:", b"Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nSubject:")
    assert (await post(api, dated)).json()["duplicate"] is False
    connector = Connector(channel="email", kind="smtp", addresses=("help@acme.example",))
    db = await installation.connect("intake")
    for days, repeated in ((7, True), (28, False)):
        at = api.process.clock.now() + timedelta(days=days)
        message = normalise(kept(read_mail(mail)), "acme", "mailbox", connector, at)
        arrival = Arrival("acme", "mailbox", at, messages=(message,))
        async with db.transaction():
            (outcome,), _ = await accept_group(db, [arrival], at)
        (accepted,) = outcome.messages
        assert accepted is not None
        assert accepted.duplicate is repeated, days
        assert (accepted.ticket_id == first["ticket_id"]) is repeated
    await db.close()


async def test_a_contact_forms_reply_to_is_the_customer(api: Api, installation: Installation) -> None:
    forms = {"channel": "email", "kind": "smtp", "addresses": ["help@acme.example"], "form_senders": ["@site.example"]}
    await configure(installation, version=2, mailbox=forms)
    form = {"From": "Form <forms@site.example>", "Reply_To": "Ada <ada@example.com>"}

    async def of_ada() -> bool:
        accepted = (await post(api, a_mail(random.randbytes(8).hex(), **form))).json()
        shown = (await api.get(f"/v1/messages/{accepted['message_id']}")).json()
        return bool(shown["customer"]["email"] == "ada@example.com")

    await until(of_ada)
