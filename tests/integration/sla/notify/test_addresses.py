"""Which addresses are told: public ones, by services that are allowed; and nothing of this host is read or started."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from pointsman_sla.notify.sandbox import Sandbox
from tests.integration.sla.notify.items import an_item
from tests.integration.sla.notify.telling import NotificationReceiver, Telling, a_receiver

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outside() -> AsyncIterator[Sandbox]:
    """As in production: addresses of this host are refused."""
    async with Sandbox(loopback=False) as sandbox:
        yield sandbox


async def tell(sandbox: Sandbox, address: str, seconds: float = 10.0) -> dict[str, Any]:
    return await sandbox.tell(address, "a title", "a body", "breach", "ntf_1", seconds)


WITHIN = (
    "json://127.0.0.1:{port}/", "json://localhost:{port}/", "json://[::1]:{port}/",
    "json://[::ffff:127.0.0.1]:{port}/", "json://0.0.0.0:{port}/", "json://10.0.0.1/", "json://169.254.169.254/",
    "json://192.168.1.1/", "json://[fe80::1]/", "json://[fd00::1]/", "xml://127.1:{port}/", "form://2130706433:{port}/",
    "mailto://127.0.0.1:{port}?from=a@b.example&to=c@d.example&mode=insecure",
    "mmost://127.0.0.1:{port}/0123456789abcdefghij", "gotify://127.0.0.1:{port}/abcdefghijklmno",
    "ntfy://127.0.0.1:{port}/topic",
)  # fmt: skip


async def test_an_address_that_is_not_public_is_not_connected_to(outside: Sandbox) -> None:
    async with a_receiver() as receiver:
        for address in WITHIN:
            answer = await tell(outside, address.format(port=receiver.port))
            assert not answer["ok"], address
            words = ("not public", "no connection", "does not understand")
            assert any(each in answer["reason"] for each in words), (address, answer)
        assert receiver.got == []


async def test_a_name_that_resolves_to_this_host_is_not_connected_to(outside: Sandbox) -> None:
    async with a_receiver() as receiver:
        answer = await tell(outside, f"json://localhost:{receiver.port}/")
    assert "which is not public" in answer["reason"]
    assert receiver.got == []


async def test_this_host_is_told_where_the_setting_says_so(sandbox: Sandbox) -> None:
    async with a_receiver() as receiver:
        assert await tell(sandbox, receiver.address) == {"ok": True, "reason": None, "retry_after_seconds": None}
    assert len(receiver.got) == 1


@pytest.mark.parametrize("wish", ["", "?redirect=yes"])
async def test_a_redirect_is_not_followed_whatever_the_address_says(sandbox: Sandbox, wish: str) -> None:
    async with a_receiver() as elsewhere, a_receiver() as receiver:
        receiver.headers = f"Location: http://127.0.0.1:{elsewhere.port}/secret\r\n"
        for status in (301, 302, 303, 307, 308):
            receiver.status = status
            answer = await tell(sandbox, receiver.address + wish)
            assert answer["reason"] == f"the receiver answered {status}, and redirects are not followed"
    assert (len(receiver.got), elsewhere.got) == (5, [])


OTHERS = (
"dbus://", "syslog://", "gnome://", "macosx://", "windows://", "glib://", "growl://127.0.0.1", "mqtt://127.0.0.1/t",
     "rsyslog://127.0.0.1", "smpp://u:p@127.0.0.1/1/2", "irc://127.0.0.1/%23c", "xmpp://u:p@127.0.0.1", "blink1://",
     "file:///etc/passwd", "unix:///tmp/x", "http://127.0.0.1/", "nonsense", "://", "json", "", "ftp://x"
)  # fmt: skip


async def test_other_kinds_of_addresses_are_refused_in_words(sandbox: Sandbox) -> None:
    for address in OTHERS:
        answer = await tell(sandbox, address)
        assert not answer["ok"], address
        assert "not allowed" in answer["reason"] or "it has no kind" in answer["reason"], (address, answer)


async def test_the_reason_never_quotes_the_address(sandbox: Sandbox) -> None:
    for address in ("slack://token-of-ours/x", "json://user:hidden@127.0.0.1:1/hidden", "dbus://hidden", "hidden"):
        answer = await tell(sandbox, address)
        assert "hidden" not in answer["reason"]
        assert "token-of-ours" not in answer["reason"]


async def test_no_file_of_this_host_is_sent(sandbox: Sandbox, tmp_path: Any) -> None:
    """A template of a Teams address is a file of the host, and so is a key for mail."""
    hidden = tmp_path / "hidden.json"
    hidden.write_text('{"text": "hidden"}')
    async with a_receiver() as receiver:
        port = receiver.port
        for address in (
            f"workflow://127.0.0.1:{port}/workflow/signature/?template={hidden}",
            f"mailto://127.0.0.1:{port}?from=a@b.example&to=c@d.example&mode=insecure&pgp=yes&pgppub={hidden}",
        ):
            answer = await tell(sandbox, address)
            assert not answer["ok"], address
        assert receiver.got == []


async def test_an_answer_that_never_ends_is_cut_off_with_its_process(sandbox: Sandbox) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        try:
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.wait({asyncio.ensure_future(reader.read(1))}, timeout=0.05)
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        answer = await tell(sandbox, f"json://127.0.0.1:{port}/", seconds=1.0)
    assert answer["reason"] == "not done within 1 seconds"


async def test_the_sender_goes_on_when_the_program_that_sends_was_killed(sandbox: Sandbox) -> None:
    async with a_receiver() as receiver:
        assert (await tell(sandbox, receiver.address))["ok"]
        assert sandbox._process is not None
        sandbox._process.kill()
        await sandbox._process.wait()
        assert (await tell(sandbox, receiver.address))["ok"]


async def test_a_target_that_leads_into_our_network_is_put_off_and_says_why(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    await telling.write(an_item("1"))
    async with telling.sending(notify_to_loopback=False, notify_rounds_max=1):
        (dead,) = await telling.settled("dead")
    assert "not public" in dead["reason"]
    assert receiver.got == []
