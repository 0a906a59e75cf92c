"""Notifications by mail, to a real SMTP server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from pointsman.testing.waiting import until
from tests.integration.sla.notify.items import an_item
from tests.integration.sla.notify.telling import Telling

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]


@dataclass
class MailServer:
    """Takes mail, or answers as it is told."""

    port: int = 0
    answer: str = "250 taken"
    tries: int = 0
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.tries += 1
        if self.answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.answer

    @property
    def address(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=pointsman@acme.example&to=ops@acme.example&mode=insecure"


@asynccontextmanager
async def a_mail_server() -> AsyncIterator[MailServer]:
    import asyncio

    mails = MailServer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mails, hostname="mail.example", loop=loop), "127.0.0.1", 0)
    async with server:
        mails.port = server.sockets[0].getsockname()[1]
        yield mails


async def test_a_mail_arrives_with_its_subject_in_plain_text(telling: Telling) -> None:
    async with a_mail_server() as server:
        await telling.configure(ops={})
        telling.address("ops", server.address)
        await telling.write(an_item("1", target="ops", queue="<b>&nbsp;Büro", group_by=("policy",)))
        async with telling.sending():
            (row,) = await telling.settled("sent")
    (mail,) = server.mails
    assert mail["subject"] == "1 breach in <b>&nbsp;Büro (standard)"
    assert mail["to"] == "ops@acme.example"
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "tkt_1 (urgent): breach of first_response" in text
    assert row["notification_id"] in text


@pytest.mark.parametrize("answer", ["451 come again later", "550 no such mailbox"])
async def test_a_mail_that_is_refused_is_sent_again(telling: Telling, answer: str) -> None:
    async with a_mail_server() as server:
        server.answer = answer
        await telling.configure(ops={})
        telling.address("ops", server.address)
        await telling.write(an_item("1", target="ops"))
        async with telling.sending():
            await until(lambda: server.tries >= 2)
            (row,) = await telling.notifications()
            assert row["reason"] == f"the mail server answered {answer}"
            server.answer = "250 taken"
            await telling.settled("sent")
    assert len(server.mails) == 1


async def test_a_mail_that_is_always_refused_is_dead(telling: Telling) -> None:
    async with a_mail_server() as server:
        server.answer = "554 never"
        await telling.configure(ops={})
        telling.address("ops", server.address)
        await telling.write(an_item("1", target="ops"))
        async with telling.sending(notify_rounds_max=2):
            (dead,) = await telling.settled("dead")
    assert (dead["rounds"], server.tries) == (2, 2)
