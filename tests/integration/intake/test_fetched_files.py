"""Attachments that a message names: by an id that must be known, or by an address from which they are fetched."""

import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pointsman.local.process import LocalProcess
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_intake.api import forms
from pointsman_intake.deliver import reporting
from pointsman_intake.fetching import FetchingLoop
from pointsman_intake.settings import IntakeSettings
from tests.integration.intake.fileserver import Files, a_file_server, answered
from tests.integration.intake.lane import Stack
from tests.integration.intake.serving import Api

pytestmark = pytest.mark.stack


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with a_file_server() as files:
        yield files


async def posted(api: Api, *attachments: dict[str, Any], id: str = "m1", **said: Any) -> httpx.Response:
    body = {"connector": "site-chat", "external_id": id, "text": "See the file", "attachments": attachments}
    return await api.post("/v1/messages", json=body | said)


async def reference(api: Api, answer: httpx.Response) -> dict[str, Any]:
    """The first attachment of the message that was posted, as it is shown at once."""
    assert answer.status_code == 202, answer.text
    (shown, *_) = (await api.get(f"/v1/messages/{answer.json()['message_id']}")).json()["attachments"]
    assert isinstance(shown, dict)
    return shown


async def row(api: Api, id: str) -> Any:
    return await api.process.pool.fetchrow("SELECT * FROM attachment WHERE id = $1", id)


async def settled(api: Api, id: str) -> Any:
    async def is_settled() -> bool:
        return bool((await row(api, id))["state"] != "fetching")

    await until(is_settled)
    return await row(api, id)


async def told(api: Api, id: str) -> list[dict[str, Any]]:
    """What was said of the file on `requests`."""
    rows = await api.process.pool.fetch("SELECT body FROM fact WHERE types @> '{attachment.settled}' ORDER BY number")
    facts = [fact for one in rows for fact in one["body"]["facts"]]
    return [fact for fact in facts if fact["attachment_id"] == id]


async def failed(stack: Stack, url: str) -> str:
    """Why a file could not be had from there."""
    shown = await reference(stack.api, await posted(stack.api, {"name": "a", "url": url}, id=url))
    kept = await settled(stack.api, shown["attachment_id"])
    assert kept["state"] == "failed"
    (fact,) = await told(stack.api, shown["attachment_id"])
    assert (fact["state"], fact["reason"]) == ("failed", kept["reason"])
    gone = await stack.api.get(f"/v1/attachments/{shown['attachment_id']}", "agent", "anna")
    assert (gone.status_code, gone.json()["type"]) == (404, "/problems/attachment-failed")
    assert kept["reason"] in gone.json()["detail"]
    return str(kept["reason"])


async def test_a_file_named_by_its_address_is_fetched_after_the_message_was_taken(stack: Stack, files: Files) -> None:
    url = files.put("/i.pdf", b"%PDF", head="Content-Type: application/pdf; x=y\r\n")
    answer = await posted(stack.api, {"name": "Rechnung März.pdf", "url": url})
    shown = await reference(stack.api, answer)
    assert (shown["name"], shown["url"], shown["state"]) == ("Rechnung März.pdf", url, "fetching")
    kept = await settled(stack.api, shown["attachment_id"])
    assert (kept["state"], kept["content"], kept["content_type"]) == ("kept", b"%PDF", "application/pdf")
    got = await stack.api.get(f"/v1/attachments/{shown['attachment_id']}", "agent", "anna")
    assert (got.content, got.headers["content-type"]) == (b"%PDF", "application/octet-stream")
    assert got.headers["content-disposition"].endswith("filename*=UTF-8''Rechnung%20M%C3%A4rz.pdf")
    (fact,) = await told(stack.api, shown["attachment_id"])
    assert (fact["state"], fact["size"], fact["message_id"]) == ("kept", 4, answer.json()["message_id"])
    again = await posted(stack.api, {"name": "Rechnung März.pdf", "url": url})
    assert again.json() == answer.json() | {"duplicate": True}
    assert files.asked == ["/i.pdf"]


async def test_a_file_without_a_name_has_that_of_its_answer_or_of_its_address(stack: Stack, files: Files) -> None:
    said = files.put("/", b"a", head='Content-Disposition: attachment; filename="../said.txt"\r\n')
    plain = files.put("/in/the%20path.txt?token=1", b"b")
    for url, name in ((said, "_said.txt"), (plain, "the path.txt")):
        shown = await reference(stack.api, await posted(stack.api, {"url": url}, id=url))
        assert (await settled(stack.api, shown["attachment_id"]))["name"] == name


async def test_a_file_that_cannot_be_had_is_marked_and_its_message_is_there(stack: Stack, files: Files) -> None:
    assert await failed(stack, files.put("/gone", status="404 Not Found")) == "the address answered 404"
    assert await failed(stack, files.put("/packed", b"x", head="Content-Encoding: gzip\r\n")) == (
        "the address answers in an encoding that was not asked for"
    )
    assert "5 times" in await failed(stack, files.put("/round", status="302 F", head="Location: /round\r\n"))
    assert "the address is wrong" in await failed(stack, "http://[")
    assert "the address is wrong" in await failed(stack, "http:///nowhere")


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1/a", "http://169.254.169.254/latest/meta-data", "http://[fd00::1]/a"]
)
async def test_a_private_address_is_not_called_and_not_by_a_redirect(stack: Stack, files: Files, address: str) -> None:
    assert "not a public address" in await failed(stack, address)
    redirect = files.put("/to-them", status="302 Found", head=f"Location: {address}\r\n")
    assert "not a public address" in await failed(stack, redirect)


async def test_a_redirect_is_followed(stack: Stack, files: Files) -> None:
    files.put("/there/a.txt", b"here")
    url = files.put("/from", status="307 Temporary Redirect", head="Location: there/a.txt\r\n")
    shown = await reference(stack.api, await posted(stack.api, {"url": url}))
    assert (await settled(stack.api, shown["attachment_id"]))["content"] == b"here"


async def test_a_file_that_is_too_large_is_left_when_it_is(stack: Stack, files: Files) -> None:
    stack.settings.attachment_bytes_max = 100_000
    assert await failed(stack, files.put("/large", b"x" * 100_001)) == "the file has more than 100000 bytes"
    shown = await reference(stack.api, await posted(stack.api, {"url": files.put("/fits", b"x" * 100_000)}))
    assert (await settled(stack.api, shown["attachment_id"]))["size"] == 100_000


async def test_an_address_that_is_away_is_asked_again_and_given_up_in_the_end(stack: Stack, files: Files) -> None:
    files.answers["/later"] = lambda times: answered(b"now", "503 Busy" if times < 3 else "200 OK")
    shown = await reference(stack.api, await posted(stack.api, {"url": files.url + "/later"}))
    assert (await settled(stack.api, shown["attachment_id"]))["content"] == b"now"
    assert files.asked.count("/later") == 3
    assert "503" in await failed(stack, files.put("/never", status="503 Busy"))
    assert files.asked.count("/never") == stack.settings.fetch_rounds_max


async def test_an_address_that_says_nothing_holds_up_nobody(stack: Stack, files: Files) -> None:
    hung = await reference(stack.api, await posted(stack.api, {"url": files.url + "/hangs"}))
    here = await stack.api.get(f"/v1/attachments/{hung['attachment_id']}", "agent", "anna")
    assert (here.status_code, here.json()["type"]) == (409, "/problems/attachment-fetching")
    assert here.headers["retry-after"] == "2"
    other = await reference(stack.api, await posted(stack.api, {"url": files.put("/quick", b"q")}, id="m2"))
    assert (await settled(stack.api, other["attachment_id"]))["content"] == b"q"
    assert "no answer" in (await settled(stack.api, hung["attachment_id"]))["reason"]


async def test_what_was_being_fetched_when_its_process_died_is_fetched_by_the_next(api: Api, files: Files) -> None:
    """Once it died within the call, and once with the bytes kept and nothing said of them."""
    own = {"fetch_from_loopback": True, "fetch_seconds_max": 0.2}
    settings = IntakeSettings(**api.process.settings.model_dump() | own)
    group = reporting(settings, api.process.hub.link)
    shown = await reference(api, await posted(api, {"url": files.url + "/slow"}))
    id = shown["attachment_id"]
    async with group:
        async with FetchingLoop(settings, group):
            await until(lambda: files.asked == ["/slow"])
        assert (await row(api, id))["state"] == "fetching", "a claim without a process"
        files.put("/slow", b"here")
        async with FetchingLoop(settings, group):
            assert (await settled(api, id))["content"] == b"here"
    await api.process.pool.execute("UPDATE attachment SET state = 'fetching', claimed_until = due_at WHERE id = $1", id)
    async with reporting(settings, api.process.hub.link) as group, FetchingLoop(settings, group):
        await settled(api, id)
    assert files.asked == ["/slow", "/slow"], "bytes that are there are not fetched again"
    assert [fact["state"] for fact in await told(api, id)] == ["kept", "kept"]


async def test_an_unknown_attachment_is_refused_with_its_place(api: Api) -> None:
    kept = (await api.post("/v1/attachments?name=a.txt", content=b"abc", headers={"content-type": "text/plain"})).json()
    known, unknown = {"attachment_id": kept["attachment_id"]}, {"attachment_id": "att_nope"}
    refused = await posted(api, known, unknown)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/attachments/1/attachment_id")
    shown = await reference(api, await posted(api, known))
    assert shown == {"attachment_id": kept["attachment_id"], "name": "a.txt", "content_type": "text/plain", "size": 3}
    foreign = {"connector": "plain", "external_id": "p1", "attachments": [known]}
    assert (await api.post("/v1/messages", sub="plain", json=foreign)).status_code == 422, "another connector's"


async def test_an_unknown_attachment_in_a_batch_refuses_only_its_message(api: Api) -> None:
    kept = (await api.post("/v1/attachments", content=b"abc")).json()
    ids = ["att_nope", kept["attachment_id"], None]
    batch = [
        {
            "connector": "site-chat",
            "external_id": f"b{n}",
            "text": "x",
            "attachments": [{"attachment_id": id}] if id else [],
        }
        for n, id in enumerate(ids)
    ]
    items = (await api.post("/v1/messages:batch", json=batch)).json()["items"]
    assert [item["status"] for item in items] == [422, 202, 202]
    assert items[0]["error"]["errors"][0]["pointer"] == "/attachments/0/attachment_id"


async def test_a_worker_that_is_killed_while_it_fetches_loses_no_file(
    api: Api, installation: Installation, files: Files, tmp_path: Path
) -> None:
    environment = installation.environment() | {
        "POINTSMAN_FETCH_FROM_LOOPBACK": "true",
        "POINTSMAN_FETCH_SECONDS_MAX": "1",
    }
    command = (sys.executable, "-m", "pointsman_intake", "worker")
    worker = LocalProcess("intake", command, tmp_path, environment=environment)
    worker.start()
    try:
        shown = await reference(api, await posted(api, {"url": f"{files.url}/late.txt"}))
        await until(lambda: files.asked)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        await worker.stop()
        assert (await row(api, shown["attachment_id"]))["state"] == "fetching"
        files.put("/late.txt", b"late")
        worker = LocalProcess("intake", command, tmp_path, environment=environment)
        worker.start()
        kept = await settled(api, shown["attachment_id"])
        assert (kept["state"], kept["content"]) == ("kept", b"late")
        assert [fact["state"] for fact in await told(api, shown["attachment_id"])] == ["kept"]
    finally:
        await worker.stop()


async def test_a_form_is_kept_as_the_file_that_is_in_it(api: Api) -> None:
    """The envelope was stored, with its boundaries, under the type multipart/form-data."""
    kept = await api.post("/v1/attachments", files={"file": ("März.pdf", b"%PDF", "application/pdf")})
    assert kept.status_code == 201, kept.text
    shown = kept.json()
    assert (shown["name"], shown["content_type"], shown["size"]) == ("März.pdf", "application/pdf", 4)
    got = await api.get(f"/v1/attachments/{shown['attachment_id']}", "agent", "anna")
    assert (got.content, got.headers["pointsman-content-type"]) == (b"%PDF", "application/pdf")
    assert got.headers["content-disposition"] == "attachment; filename=\"M_rz.pdf\"; filename*=UTF-8''M%C3%A4rz.pdf"


async def test_a_form_that_is_sent_again_with_its_key_is_the_same_in_another_envelope(api: Api) -> None:
    headers = api.headers() | {"Idempotency-Key": "k1"}
    first = await api.post("/v1/attachments", files={"file": ("a.txt", b"one", "text/plain")}, headers=headers)
    again = await api.post("/v1/attachments", files={"file": ("a.txt", b"one", "text/plain")}, headers=headers)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    other = await api.post("/v1/attachments", files={"file": ("a.txt", b"two", "text/plain")}, headers=headers)
    assert other.status_code == 422


async def test_a_form_that_is_made_to_be_slow_is_not_read_on_the_loop(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Almost a boundary, a million times: its reading takes most of a second, in which nobody else was answered."""
    read, threads = forms.upload_of, set()

    def noted(said: str, body: bytes) -> forms.Upload:
        threads.add(threading.get_ident())
        return read(said, body)

    monkeypatch.setattr(forms, "upload_of", noted)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = head + b"\r\n--bX" * 200_000 + b"\r\n--b--\r\n"
    kept = await api.post("/v1/attachments", content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert (kept.status_code, kept.json()["size"]) == (201, 1_200_000)
    assert threads
    assert threading.get_ident() not in threads


async def test_a_form_that_is_broken_or_too_large_is_a_problem_and_no_fault(api: Api) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    for body in (b"", b"--b", b"--b\r\n\r\n--b--", b"--b--\r\n", b"\xff" * 1000):
        broken = await api.post("/v1/attachments", content=body, headers=headers)
        assert broken.status_code in (400, 422), broken.text
        assert broken.headers["content-type"] == "application/problem+json"
    large = await api.post("/v1/attachments", files={"file": ("a", b"x" * (25 * 1_048_576 + 1), "a/b")})
    assert large.status_code == 413
    strange = await api.post("/v1/attachments", files={"file": ("a", b"x", "no type")})
    assert strange.status_code == 415
