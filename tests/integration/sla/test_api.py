"""The HTTP API of sla, with a worker that decides and a desk in the test's hands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from pointsman_sla.api import create
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key
from tests.integration.sla.conftest import Service, a_policy, a_server, first

pytestmark = pytest.mark.stack


@pytest.fixture
async def app(service: Service, tmp_path: Path) -> AsyncIterator[Any]:
    """Sla's application in this process, and its worker beside it."""
    settings = with_key(service.installation.settings, tmp_path)
    async with service.worker() as worker:
        await first(lambda: _owned(worker))
        async with a_process(settings, "sla") as process:
            yield create(process)


async def _owned(worker: Any) -> bool:
    return bool(len(worker.lanes) == worker.settings.partitions)


def client_of(
    app: Any, role: str = "supervisor", workspace: str = "acme"
) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return a_client(app, bearer(a_token(app.state.process.settings, role, workspace, sub="sue")))


async def _one(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """The first item of a list, as soon as there is one."""

    async def items() -> Any:
        answer = await client.get(path)
        return answer.json().get("items")

    found: dict[str, Any] = (await first(items))[0]
    return found


async def test_the_clocks_of_a_ticket(service: Service, app: Any) -> None:
    at = datetime.now(UTC)
    await service.configure(a_policy(3600))
    await service.open("tkt_1", at)
    async with client_of(app, "agent") as client:
        clock = await _one(client, "/v1/tickets/tkt_1/clocks")
        assert (clock["metric"], clock["cycle"], clock["state"], clock["target_seconds"]) == (
            "first_response", 1, "running", 3600,
        )  # fmt: skip
        assert datetime.fromisoformat(clock["due_at"]) == at + timedelta(hours=1)
        assert clock["config_version"] == 1
        assert 0 <= clock["elapsed_business_seconds"] < 60
        assert (await client.get("/v1/tickets/tkt_none/clocks")).status_code == 404
    async with client_of(app, workspace="globex") as stranger:
        assert (await stranger.get("/v1/tickets/tkt_1/clocks")).status_code == 404


async def test_the_ledger_proves_every_clock_of_a_ticket(service: Service, app: Any) -> None:
    await service.configure(
        a_policy(36_000, targets={name: {"default": 36_000} for name in ("first_response", "resolution")},
                 calendar="office"),
        calendars={"office": {
            "tz": "UTC", "week": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
            "holidays_of": {"country": "GB", "subdivision": "ENG", "dates": ["2025-12-25", "2025-12-26"]},
        }},
    )  # fmt: skip
    await service.open("tkt_1", datetime(2025, 12, 24, 16, tzinfo=UTC))
    await service.reply("tkt_1", datetime(2025, 12, 29, 10, 0, 0, 1, tzinfo=UTC))
    async with client_of(app, "agent") as client:
        await first(lambda: service.facts("clock.met"))
        page = (await client.get("/v1/tickets/tkt_1/ledger")).json()
        proofs = {item["metric"]: item for item in page["items"]}
        assert set(proofs) == {"first_response", "resolution"}
        proof = proofs["first_response"]
        assert [(x["reason"], x["date"], x["name"], x["business_sum_seconds"]) for x in proof["intervals"]] == [
            ("counted", None, None, 3600),
            ("outside hours", None, None, 3600),
            ("holiday", "2025-12-25", "Christmas Day", 3600),
            ("holiday", "2025-12-26", "Boxing Day", 3600),
            ("outside hours", None, None, 3600),
            ("counted", None, None, 7200.000001),
        ]
        assert {(x["calendar"], x["config_version"]) for x in proof["intervals"]} == {("office", 1)}
        assert (proof["ticket_id"], proof["policy"], proof["config_version"]) == ("tkt_1", "standard", 1)
        for proof in proofs.values():
            last = proof["intervals"][-1]
            assert last["business_sum_seconds"] == proof["elapsed_business_seconds"]
            assert last["calendar_sum_seconds"] == proof["elapsed_calendar_seconds"]
        one = (await client.get("/v1/tickets/tkt_1/ledger", params={"limit": 1})).json()
        rest = (await client.get("/v1/tickets/tkt_1/ledger", params={"cursor": one["next_cursor"]})).json()
        assert [item["clock_id"] for item in (*one["items"], *rest["items"])] == [x["clock_id"] for x in page["items"]]
        assert (await client.get("/v1/tickets/tkt_1/ledger", params={"cursor": "x"})).status_code == 422
        assert (await client.get("/v1/tickets/tkt_none/ledger")).status_code == 404
    async with client_of(app, workspace="globex") as stranger:
        assert (await stranger.get("/v1/tickets/tkt_1/ledger")).status_code == 404
    async with client_of(app, "connector") as connector:
        assert (await connector.get("/v1/tickets/tkt_1/ledger")).status_code == 403


async def test_what_is_due_comes_in_order_and_by_pages(service: Service, app: Any) -> None:
    await service.configure(a_policy(3600))
    now = datetime.now(UTC)
    for number in range(3):
        await service.open(f"tkt_{number}", now - timedelta(minutes=number), queue="fast" if number == 1 else "slow")
    await service.row("SELECT 1 FROM timer OFFSET 2")
    async with client_of(app) as client:
        page = (await client.get("/v1/due", params={"limit": 2})).json()
        assert [item["ticket_id"] for item in page["items"]] == ["tkt_2", "tkt_1"]
        rest = (await client.get("/v1/due", params={"limit": 2, "cursor": page["next_cursor"]})).json()
        assert ([item["ticket_id"] for item in rest["items"]], rest["next_cursor"]) == (["tkt_0"], None)
        fast = (await client.get("/v1/due", params={"queue": "fast"})).json()
        assert [item["ticket_id"] for item in fast["items"]] == ["tkt_1"]
        before = (now + timedelta(minutes=58, seconds=30)).isoformat()
        soon = (await client.get("/v1/due", params={"before": before})).json()
        assert [item["ticket_id"] for item in soon["items"]] == ["tkt_2"]


async def test_an_alert_is_opened_acknowledged_fired_again_and_resolved(service: Service, app: Any) -> None:
    await service.configure(a_policy(1))
    await service.open("tkt_1")
    async with client_of(app) as client:
        alert = await _one(client, "/v1/alerts?state=firing")
        assert (alert["severity"], alert["policy"], alert["queue"]) == ("breach", "standard", "general")
        assert [clock["ticket"] for clock in alert["clocks"]] == ["tkt_1"]
        path = f"/v1/alerts/{alert['id']}"

        acked = await client.post(f"{path}/ack", json={"comment": "on it"}, headers={"Idempotency-Key": "k1"})
        assert (acked.status_code, acked.json()["state"], acked.json()["acked_by"]) == (200, "acknowledged", "sue")
        again = await client.post(f"{path}/ack", json={"comment": "on it"}, headers={"Idempotency-Key": "k1"})
        assert again.headers["Idempotency-Replayed"] == "true"
        assert [clock["ticket"] for clock in acked.json()["clocks"]] == ["tkt_1"]

        await service.open("tkt_2")
        await first(lambda: _state(client, path, "firing"))
        unacked = await client.post(f"{path}/unack")
        assert unacked.json()["state"] == "firing"
        await service.reply("tkt_1")
        await service.reply("tkt_2")
        await first(lambda: _state(client, path, "resolved"))
        assert (await client.post(f"{path}/ack", json={})).status_code == 409

        timeline = (await client.get(f"{path}/timeline")).json()["items"]
        kinds = [event["kind"] for event in timeline]
        assert kinds == ["opened", "acknowledged", "fired_again", "unacknowledged", "left", "left", "resolved"]
        assert (timeline[1]["by"], timeline[1]["comment"]) == ("sue", "on it")
        part = (await client.get(f"{path}/timeline", params={"limit": 4})).json()
        rest = (await client.get(f"{path}/timeline", params={"cursor": part["next_cursor"]})).json()
        assert [event["kind"] for event in part["items"] + rest["items"]] == kinds


async def _state(client: httpx.AsyncClient, path: str, state: str) -> bool:
    return bool((await client.get(path)).json()["state"] == state)


async def test_an_acknowledgement_for_a_time_ends_by_itself(service: Service, app: Any) -> None:
    await service.configure(a_policy(1))
    await service.open("tkt_1")
    async with client_of(app) as client:
        alert = await _one(client, "/v1/alerts")
        path = f"/v1/alerts/{alert['id']}"
        assert (await client.post(f"{path}/ack", json={"for_seconds": 1})).json()["ack_until"] is not None
        await first(lambda: _state(client, path, "firing"))
        events = (await client.get(f"{path}/timeline")).json()["items"]
        assert [event["kind"] for event in events] == ["opened", "acknowledged", "unacknowledged"]
    assert [fact["again"] for fact in await service.facts("alert.opened")] == [False, True]


async def test_the_stream_tells_of_alerts_and_can_be_resumed(service: Service, app: Any) -> None:
    await service.configure(a_policy(1))
    token = bearer(a_token(app.state.process.settings, "agent"))
    async with a_server(app) as address, httpx.AsyncClient(base_url=address, headers=token, timeout=20) as client:
        async with client.stream("GET", "/v1/alerts/stream") as stream:
            lines = stream.aiter_lines()
            hello = await _event(lines)
            assert hello["event"] == "hello"
            await service.open("tkt_1")
            opened = await _event(lines)
            assert (opened["event"], opened["data"]["severity"]) == ("alert.opened", "breach")
        await service.reply("tkt_1")
        headers = {"Last-Event-ID": hello["id"]}
        async with client.stream("GET", "/v1/alerts/stream", headers=headers) as stream:
            lines = stream.aiter_lines()
            assert [(await _event(lines))["event"] for _ in range(3)] == ["hello", "alert.opened", "alert.resolved"]


async def _event(lines: AsyncIterator[str]) -> dict[str, Any]:
    """The next event of a stream."""
    event: dict[str, Any] = {}
    async with asyncio.timeout(15):
        async for line in lines:
            name, _, value = line.partition(": ")
            if not line and "data" in event:
                return event
            if name == "data":
                event["data"] = orjson.loads(value)
            elif name in ("event", "id"):
                event[name] = value
    raise AssertionError("the stream ended")


OFFICE = {"tz": "UTC", "week": {"fri": [["09:00", "17:00"]], "mon": [["09:00", "17:00"]]}}


async def test_the_arithmetic_of_calendars(service: Service, app: Any) -> None:
    await service.configure(a_policy(60))
    async with client_of(app, "agent") as client:

        async def ask(**question: Any) -> httpx.Response:
            return await client.post("/v1/calendars:evaluate", json=question)

        due = await ask(calendar=OFFICE, op="due", start="2026-11-20T16:00:00Z", seconds=3600)
        assert (due.json()["due_at"], due.json()["breach_at"]) == ("2026-11-20T17:00:00Z", "2026-11-23T09:00:00Z")
        elapsed = await ask(calendar=OFFICE, op="elapsed", start="2026-11-20T16:00:00Z", end="2026-11-23T10:00:00Z",
                            pauses=[["2026-11-23T09:00:00Z", "2026-11-23T09:30:00Z"]])  # fmt: skip
        assert elapsed.json()["elapsed_business_seconds"] == 5400
        in_vancouver = {**OFFICE, "tz": "America/Vancouver"}  # a host's older zone data put this an hour late
        due = await ask(calendar=in_vancouver, op="due", start="2026-11-30T16:00:00Z", seconds=3600)
        assert due.json()["due_at"] == "2026-11-30T17:00:00Z"
        back = await ask(calendar=OFFICE, op="subtract", end="2026-11-23T10:00:00Z", seconds=7200)
        assert back.json()["at"] == "2026-11-20T16:00:00Z"

        async def named() -> bool:
            answer = await ask(calendar="office", op="due", start="2026-11-20T16:00:00Z", seconds=60)
            return answer.status_code == 200 and answer.json()["config_version"] == 1

        await first(named)
        wrong: list[dict[str, Any]] = [
            {"calendar": "absent", "op": "due", "start": "2026-11-20T16:00:00Z", "seconds": 1},
            {"calendar": {"tz": "Mars/Olympus"}, "op": "due", "start": "2026-11-20T16:00:00Z", "seconds": 1},
            {"calendar": {"tz": "UTC"}, "op": "due", "start": "2026-11-20T16:00:00Z", "seconds": 1},
            {"calendar": OFFICE, "op": "due", "start": "2026-11-20T16:00:00Z"},
            {"calendar": OFFICE, "op": "due", "seconds": 5},
            {"calendar": OFFICE, "op": "due", "start": "2026-11-20T16:00:00", "seconds": 5},
            {"calendar": OFFICE, "op": "due", "start": "2026-11-20T16:00:00Z", "seconds": 1e10},
            {"calendar": OFFICE, "op": "elapsed", "start": "0001-01-01T00:00:00Z", "end": "9999-12-31T00:00:00Z"},
            {"calendar": OFFICE, "op": "add", "start": "2026-11-20T16:00:00Z", "seconds": 1},
            {"calendar": OFFICE, "op": "due", "start": "2026-11-20T16:00:00Z", "seconds": 1, "tz": "UTC"},
        ]
        wrong.append({"calendar": {"always": True}, "op": "due", "start": "9999-12-31T00:00:00Z", "seconds": 1e10})
        statuses = [(await ask(**question)).status_code for question in wrong]
        assert statuses == [404] + [422] * 10
        bavaria = {**OFFICE, "holidays_of": {"country": "DE", "subdivision": "BY"}}
        night = {"op": "due", "start": "2023-01-05T18:00:00Z", "seconds": 0}
        assert (await ask(calendar=bavaria, **night)).json()["breach_at"] == "2023-01-09T09:00:00Z", "a Friday off"
        for key, value, pointer in (
            ("tz", "Mars/Olympus", "/calendar/tz"),
            ("week", {"mon": [["9", "10:00"]]}, "/calendar/week/mon/0"),
            ("holidays_of", {"country": "XX"}, "/calendar/holidays_of/country"),
            ("ical", {"text": "<html>"}, "/calendar/ical/text"),
        ):
            (error,) = (await ask(calendar={**OFFICE, key: value}, **night)).json()["errors"]
            assert error["pointer"] == pointer
        # What a document would be refused for.
        refused: tuple[tuple[str, Any, str], ...] = (
            ("always", "false", "/calendar/always"),
            ("always", 0, "/calendar/always"),
            ("week", {"mon": [["22:00", "06:00"], ["07:00", "08:00"]]}, "/calendar/week/mon"),
            ("days", {"2026-11-23": [["09:00:30", "17:00"]]}, "/calendar/days/2026-11-23/0/0"),
            ("from", {"2027-01-01": {"always": "yes"}}, "/calendar/from/2027-01-01/always"),
            ("name", "office", "/calendar/name"),
            ("tz", "localtime", "/calendar/tz"),
        )
        for key, wrong_value, pointer in refused:
            answer = await ask(calendar={**OFFICE, key: wrong_value}, **night)
            assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (422, "invalid-request"), key
            assert pointer in [error["pointer"] for error in answer.json()["errors"]], answer.json()


async def test_roles_and_workspaces(service: Service, app: Any) -> None:
    await service.configure(a_policy(1))
    await service.open("tkt_1")
    async with client_of(app) as sue:
        alert = await _one(sue, "/v1/alerts")
    path = f"/v1/alerts/{alert['id']}"
    async with client_of(app, "agent") as agent:
        assert (await agent.post(f"{path}/ack", json={})).status_code == 403
        assert (await agent.get(path)).status_code == 200
    async with client_of(app, "viewer") as viewer:
        assert (await viewer.get("/v1/alerts")).status_code == 200
        assert (await viewer.post(f"{path}/ack", json={})).status_code == 403
    async with client_of(app, workspace="globex") as stranger:
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.get(f"{path}/timeline")).status_code == 404
        assert (await stranger.post(f"{path}/ack", json={})).status_code == 404
        assert (await stranger.get("/v1/alerts")).json()["items"] == []
        assert (await stranger.get("/v1/due")).json()["items"] == []
    async with client_of(app) as sue:
        assert (await sue.get("/v1/config-version")).json() == {"config_version": 1}
        assert (await sue.post(f"{path}/ack", json={"for_seconds": 0})).status_code == 422
        assert (await sue.get("/v1/alerts?state=angry")).status_code == 422
        assert (await sue.get("/v1/due?cursor=x")).status_code == 422
