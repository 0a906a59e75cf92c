"""What is told as it happens: the list of events after a cursor, and an agent's stream."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from pointsman.contracts.sla import ClockWarned
from pointsman.testing.waiting import until
from pointsman_routing.api import create, viewing
from tests.integration.http.serving import a_client, a_process
from tests.integration.routing.service import RoutingService, next_offer

pytestmark = pytest.mark.stack


async def test_events_are_cloudevents_after_a_cursor(routing: RoutingService) -> None:
    listener = await routing.as_("supervisor", "sue")
    await routing.customer_writes("t1")

    async def opened() -> Any:
        return (await listener.get("/v1/events", params={"type": "ticket.opened"})).json()["items"]

    (event,) = await until(opened)
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "ticket.opened", "t1")
    everything = (await listener.get("/v1/events")).json()
    assert everything["items"][0]["type"] == "config.applied"
    assert "document" not in everything["items"][0]["data"]
    unknown = await listener.get("/v1/events", params={"type": "ticket.teleported"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "?type")
    waiting = asyncio.create_task(
        listener.get("/v1/events", params={"after": everything["cursor"], "wait": 10, "type": "message.received"})
    )
    await routing.customer_writes("t1", "Again")
    answer = (await waiting).json()
    assert [event["type"] for event in answer["items"]] == ["message.received"]
    strange = await listener.get("/v1/events", params={"after": "gone.5"})
    assert (strange.status_code, strange.json()["type"]) == (410, "/problems/cursor-too-old")


async def test_the_stream_of_an_agent_resumes_where_it_was_interrupted(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    await next_offer(anna)
    stream = Stream(routing, anna)
    hello = await stream.begin()
    assert hello["event"] == "hello"
    await routing.customer_writes("t2")
    first = await stream.event("offer.made")
    await stream.end()
    await routing.customer_writes("t3")
    await until(lambda: _offers(anna, 3))
    resumed = Stream(routing, anna)
    await resumed.begin(first["id"])
    assert (await resumed.event("offer.made"))["data"]["ticket_id"] == "t3"
    await resumed.end()
    incarnation = first["id"].rpartition(".")[0]
    for strange in ("gone.7", "garbage", f"{incarnation}.", f"{incarnation}.{10**17}", "<script>"):
        lost = Stream(routing, anna)
        hello = await lost.begin(strange)
        assert strange not in (hello["id"], hello["data"]["cursor"]), "what was sent is no cursor of ours"
        assert (await lost.event("reset"))["id"] == hello["id"]
        await lost.end()


async def test_a_stream_begins_with_what_is_offered_and_in_hand(routing: RoutingService) -> None:
    """An app that only listens missed what was offered before it came."""
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    taken = await next_offer(anna)
    assert (await anna.post(f"/v1/offers/{taken['id']}/accept")).is_success
    await routing.customer_writes("t2")
    await until(lambda: _offers(anna, 1))
    offer = await next_offer(anna)
    for last in (None, "gone.7"):
        stream = Stream(routing, anna)
        await stream.begin(last)
        pending = await stream.event("offer.pending")
        assert (pending["data"]["ticket"]["id"], pending["data"]["state"]) == ("t2", "pending")
        assert pending["data"]["id"] == offer["id"]
        assert (await stream.event("ticket.held"))["data"]["id"] == "t1"
        await routing.customer_writes("t1", "Are you there?")
        heard = await stream.event("message.received")
        await stream.end()
    resumed = Stream(routing, anna)
    await resumed.begin(heard["id"])
    await routing.customer_writes("t1", "Hello?")
    assert (await resumed.event("message.received")) is not None
    assert "offer.pending" not in resumed.names, "who resumes knows"
    await resumed.end()


async def test_a_stream_says_goodbye_when_its_token_is_revoked(routing: RoutingService) -> None:
    admin = await routing.as_("admin", "root")
    issued = (await admin.post("/v1/tokens", json={"role": "agent", "sub": "anna", "ttl_seconds": 600})).json()
    anna = await routing.as_("agent", "anna")
    anna.headers["Authorization"] = f"Bearer {issued['token']}"
    stream = Stream(routing, anna)
    await stream.begin()
    assert (await admin.delete(f"/v1/tokens/{issued['token_id']}")).status_code == 204
    assert (await stream.event("bye"))["data"] == {"reason": "token revoked"}
    await stream.end()
    assert (await anna.get("/v1/me")).status_code == 401
    listed = (await admin.get("/v1/tokens")).json()["items"]
    assert [(token["token_id"], token["revoked_at"] is None) for token in listed] == [(issued["token_id"], False)]


async def test_who_looks_at_a_ticket_is_told_to_whom_it_concerns_by_every_process(
    routing: RoutingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, boris = await routing.sign_in("anna"), await routing.as_("agent", "boris")
    await routing.customer_writes("t1")
    offer = await next_offer(anna)
    holders = Stream(routing, anna)
    await holders.begin()
    async with a_process(routing.settings) as elsewhere:
        other = create(elsewhere)
        await until(elsewhere.broadcast.hearing.is_set)
        async with a_client(other, dict(boris.headers)) as at_other:
            seen = (await at_other.put("/v1/tickets/t1/viewing", json={"session": "tab-1"})).json()
            assert [(viewer["agent"], viewer["name"]) for viewer in seen["viewers"]] == [("boris", "Boris")]
            nowhere = await at_other.put("/v1/tickets/t9/viewing", json={"session": "tab-1"})
            assert nowhere.status_code == 404
    told = await holders.event("ticket.viewers")
    assert [viewer["agent"] for viewer in told["data"]["viewers"]] == ["boris"]
    both = (await anna.put("/v1/tickets/t1/viewing", json={"session": "tab-9"})).json()
    assert [viewer["agent"] for viewer in both["viewers"]] == ["anna", "boris"]
    monkeypatch.setattr(viewing, "VIEWING_SECONDS", 1)
    await holders.event("ticket.viewers")
    await anna.put("/v1/tickets/t1/viewing", json={"session": "tab-9"})
    ended = await holders.event("ticket.viewers")
    assert [viewer["agent"] for viewer in ended["data"]["viewers"]] == ["boris"], "anna's tab was closed"
    assert ended["data"]["ticket_id"] == offer["ticket"]["id"]
    late = Stream(routing, anna)
    await late.begin()
    assert (await late.event("ticket.viewers"))["data"]["viewers"][0]["agent"] == "boris"
    await late.end()
    await holders.end()


async def test_an_agent_is_warned_on_the_stream_of_what_it_holds(routing: RoutingService) -> None:
    anna = await routing.sign_in("anna")
    await routing.customer_writes("t1")
    await next_offer(anna)
    stream = Stream(routing, anna)
    await stream.begin()
    now = routing.process.clock.now()
    warned = ClockWarned(
        clock_id="clk_1",
        ticket_id="t1",
        metric="first_response",
        cycle=1,
        policy="standard",
        agent="anna",
        step="share:0.8",
        warned_at=now,
        breach_at=now,
    )
    await routing.clock_says("t1", warned, agents=("anna",))
    assert (await stream.event("clock.warned"))["data"]["ticket_id"] == "t1"
    await stream.end()


async def _offers(app: httpx.AsyncClient, count: int) -> bool:
    return len((await app.get("/v1/me/offers")).json()["items"]) >= count


class Stream:
    """A stream of Server-Sent Events, read straight from the application: an ASGI client would buffer it."""

    def __init__(self, routing: RoutingService, client: httpx.AsyncClient) -> None:
        self._app = routing.app
        self._token = client.headers["authorization"]
        self._sent: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._buffer = b""
        self.names: list[str] = []
        """Of all events that came."""

    async def begin(self, last_event_id: str | None = None) -> dict[str, Any]:
        headers = [(b"authorization", self._token.encode())]
        if last_event_id is not None:
            headers.append((b"last-event-id", last_event_id.encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": "/v1/me/stream",
            "raw_path": b"/v1/me/stream",
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": headers,
            "server": ("test", 80),
            "client": ("test", 1),
        }
        self._task = asyncio.create_task(self._app(scope, self._receive, self._send))
        return await self.event("hello")

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of that name."""
        async with asyncio.timeout(10):
            while True:
                while b"\n\n" not in self._buffer:
                    self._buffer += await self._sent.get()
                frame, _, self._buffer = self._buffer.partition(b"\n\n")
                lines = [line.partition(b": ") for line in frame.split(b"\n")]
                fields = {key.decode(): value.decode() for key, _, value in lines}
                self.names.append(fields.get("event", ""))
                if fields.get("event") == name:
                    return fields | {"data": orjson.loads(fields["data"])}

    async def end(self) -> None:
        self._gone.set()
        assert self._task is not None
        await self._task

    async def _receive(self) -> dict[str, Any]:
        if not self._gone.is_set():
            await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self._sent.put_nowait(message["body"])
