"""Ladders, notifications, one-click acknowledgements and silences together: a worker, a sender, a receiver and the
API on real servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pointsman.contracts.desk import TicketEscalated, TicketQueued, TicketReopened, TicketResolved, TicketTransferred
from pointsman.contracts.shapes import Actor
from pointsman_sla.api import create
from pointsman_sla.notify.sender import NotificationSender
from pointsman_sla.settings import SlaSettings
from pointsman_sla.worker import SlaLane
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key
from tests.integration.sla.conftest import Service, a_policy, first
from tests.integration.sla.notify.telling import QUICK, NotificationReceiver, a_receiver

pytestmark = pytest.mark.stack

PUBLIC = "http://pointsman.example"


@pytest.fixture
async def receiver() -> AsyncIterator[NotificationReceiver]:
    async with a_receiver() as receiver:
        yield receiver


@pytest.fixture
async def app(service: Service, receiver: NotificationReceiver, tmp_path: Path) -> AsyncIterator[Any]:
    async with an_app(service, receiver, tmp_path) as app:
        yield app


@asynccontextmanager
async def an_app(service: Service, receiver: NotificationReceiver, folder: Path) -> AsyncIterator[Any]:
    """Sla's worker with its sender, and the API; the target `pager` leads to the receiver."""
    (folder / "acme").mkdir()
    (folder / "acme" / "pager-url").write_text(receiver.address)
    settings = with_key(service.installation.settings.model_copy(update={"secrets_folder": folder}), folder)
    sla = SlaSettings(**settings.model_dump() | QUICK | {"public_url": PUBLIC})
    logic = SlaLane()
    async with (
        service.worker(logic) as worker,
        NotificationSender(sla, worker.lanes.keys, logic.told),
        a_process(settings, "sla") as process,
    ):
        yield create(process)


def ladder(*steps: dict[str, Any], **sla: Any) -> dict[str, Any]:
    """The `sla` of a document whose policy promises a first response within a second."""
    return {
        "policies": [a_policy(1, ladder="up")],
        "ladders": {"up": list(steps)},
        "notify": {"pager": {"url_from": "pager-url", "within_seconds": 0}},
        **sla,
    }


@asynccontextmanager
async def client_of(app: Any, role: str = "supervisor", workspace: str = "acme") -> AsyncIterator[httpx.AsyncClient]:
    async with a_client(app, bearer(a_token(app.state.process.settings, role, workspace, sub="sue"))) as client:
        yield client


async def an_alert(client: httpx.AsyncClient, state: str) -> dict[str, Any]:
    """The alert in this state, as soon as there is one."""

    async def found() -> Any:
        return (await client.get("/v1/alerts", params={"state": state})).json()["items"]

    alert: dict[str, Any] = (await first(found))[0]
    return alert


async def told(receiver: NotificationReceiver, count: int) -> str:
    """The text of the last of so many messages."""

    async def came() -> bool:
        return len(receiver.got) >= count

    await first(came)
    return receiver.bodies[count - 1]


async def test_a_breach_is_told_and_acknowledged_by_a_link(
    service: Service, app: Any, receiver: NotificationReceiver
) -> None:
    steps: list[dict[str, Any]] = [{"on": "breach", "do": [{"boost": 1}, {"notify": "pager"}]},
             {"after_seconds": 8, "unless": "acknowledged", "do": [{"notify": "pager"}]}]  # fmt: skip
    await service.configure(sla=ladder(*steps))
    await service.open("tkt_1")
    text = await told(receiver, 1)
    assert "tkt_1" in text
    path = text.split(f"{PUBLIC}/sla", 1)[1].split()[0].rstrip(").>")
    escalated = await service.fact("clock.escalated")
    assert (escalated["step"], escalated["boost"], escalated["notified"]) == (0, 1, ["pager"])
    async with client_of(app) as client, a_client(app, {}) as anybody:
        page = await anybody.get(path)
        assert (page.status_code, "<button>Acknowledge</button>" in page.text) == (200, True)
        assert page.headers["cache-control"] == "no-store"
        assert (await an_alert(client, "firing"))["state"] == "firing", "looking at it changes nothing"
        done = await anybody.post(path, data={"comment": "<b>mine</b>"})
        assert (done.status_code, "Acknowledged" in done.text) == (200, True)
        alert = await an_alert(client, "acknowledged")
        assert alert["acked_by"] == "ack-link:pager"
        assert "<button>" not in (await anybody.get(path)).text
        await first(lambda: _steps(service, 2))
        assert (await service.facts("clock.escalated"))[1]["withheld"] == "acknowledged"
        assert len(receiver.got) == 1
        timeline = (await client.get(f"/v1/alerts/{alert['id']}/timeline")).json()["items"]
        acknowledged = next(event for event in timeline if event["kind"] == "acknowledged")
        assert (acknowledged["by"], acknowledged["comment"]) == ("ack-link:pager", "<b>mine</b>")
        kinds = {event["kind"] for event in timeline}
        assert {"opened", "escalated", "notified", "acknowledged"} <= kinds


async def _steps(service: Service, count: int) -> bool:
    return len(await service.facts("clock.escalated")) >= count


async def test_a_link_that_was_never_given_or_has_expired_is_none(
    service: Service, app: Any, receiver: NotificationReceiver
) -> None:
    await service.configure(sla=ladder({"on": "breach", "do": [{"notify": "pager"}]}))
    await service.open("tkt_1")
    path = (await told(receiver, 1)).split(f"{PUBLIC}/sla", 1)[1].split()[0].rstrip(").>")
    async with a_client(app, {}) as anybody:
        for call in (anybody.get, anybody.post):
            never = await call("/v1/acks/never-given", headers={"Accept": "application/json"})
            assert (never.status_code, never.headers["content-type"]) == (404, "application/problem+json")
        bad = await anybody.post(path, content=b"{", headers={"content-type": "application/json"})
        assert bad.status_code == 400
        assert (await anybody.post(path, json={"comment": 7})).json()["errors"][0]["pointer"] == "/comment"
        await service.pool.execute("UPDATE ack_link SET expires_at = now() - interval '1 second'")
        assert (await anybody.get(path)).status_code == 404
        assert (await anybody.post(path)).status_code == 404


async def test_a_ladder_that_nobody_acknowledged_reaches_the_last_resort(
    service: Service, app: Any, receiver: NotificationReceiver
) -> None:
    steps = [{"on": "breach", "do": [{"notify": "pager"}], "repeat": {"every_seconds": 1, "times_max": 1}}]
    await service.configure(sla=ladder(*steps, last_resort="pager"))
    await service.open("tkt_1")
    assert "nobody acknowledged" in await told(receiver, 3)
    async with client_of(app, "agent") as client:
        alert = await an_alert(client, "exhausted")
        assert alert["clocks"][0]["ticket"] == "tkt_1"
    assert (await service.fact("alert.exhausted"))["last_resort"] == "pager"


async def test_an_acknowledgement_that_ends_gives_the_ladder_back(
    service: Service, app: Any, receiver: NotificationReceiver
) -> None:
    pages = {"after_seconds": 6, "unless": "acknowledged", "do": [{"notify": "pager"}]}
    await service.configure(sla=ladder({"on": "breach", "do": [{"boost": 1}]}, pages))
    at = datetime.now(UTC)
    await service.open("tkt_1", at)
    await service.open("tkt_2", at)
    async with client_of(app) as client:
        alert = await an_alert(client, "firing")
        path = f"/v1/alerts/{alert['id']}"

        async def both() -> bool:
            return bool((await client.get(path)).json()["clock_count"] == 2)

        await first(both)
        acked = (await client.post(f"{path}/ack", json={})).json()
        assert (acked["state"], acked["covered_count"], acked["ack_until"]) == ("acknowledged", 2, None)
        await first(lambda: _steps(service, 4))
        assert [fact.get("withheld") for fact in (await service.facts("clock.escalated"))[2:]] == ["acknowledged"] * 2
        assert (await client.post(f"{path}/unack")).json()["state"] == "firing"
        await first(lambda: _steps(service, 6))
    for ticket in ("tkt_1", "tkt_2"):
        carried_out = [fact for fact in await service.facts("clock.escalated") if fact["ticket_id"] == ticket]
        said = [(fact["step"], fact.get("withheld")) for fact in carried_out]
        assert said == [(0, None), (1, "acknowledged"), (1, None)]
    assert await service.pool.fetchval("SELECT count(*) FROM alert WHERE released_at IS NOT NULL") == 0


async def test_a_reopened_overdue_ticket_is_in_its_alert_and_in_the_list_of_what_is_due(
    service: Service, app: Any
) -> None:
    policy = a_policy(1, targets={"resolution": {"default": 1}}, reopen="continue")
    await service.configure(sla={"policies": [policy]})
    await service.open("tkt_1")
    async with client_of(app) as client:
        before = await an_alert(client, "firing")
        by = Actor(kind="agent", id="anna")
        await service.tell("tkt_1", TicketResolved(ticket_id="tkt_1", outcome="solved", by=by))
        await an_alert(client, "resolved")
        assert (await client.get("/v1/due")).json()["items"] == []
        queued = TicketQueued(ticket_id="tkt_1", queue="general", reason="reopened", waiting_since=datetime.now(UTC))
        await service.tell("tkt_1", TicketReopened(ticket_id="tkt_1", reason="agent", by=by), queued)
        again = await an_alert(client, "firing")
        assert (again["queue"], again["clock_count"]) == (before["queue"], 1)
        (due,) = (await client.get("/v1/due")).json()["items"]
        assert (due["ticket_id"], due["overdue"], due["breach_probability"]) == ("tkt_1", True, 1.0)
        moved = TicketTransferred(ticket_id="tkt_1", to_queue="billing", reason="theirs", by=by)
        queued = TicketQueued(ticket_id="tkt_1", queue="billing", reason="transferred", waiting_since=datetime.now(UTC))
        await service.tell("tkt_1", moved, queued)

        async def there() -> bool:
            firing = (await client.get("/v1/alerts", params={"state": "firing"})).json()["items"]
            return [alert["queue"] for alert in firing] == ["billing"]

        await first(there)
    assert len(await service.facts("clock.breached")) == 1


async def test_a_silence_and_its_end(service: Service, app: Any, receiver: NotificationReceiver) -> None:
    await service.configure(sla=ladder({"on": "breach", "do": [{"notify": "pager"}]}))
    async with client_of(app) as client:
        until = datetime.now(UTC) + timedelta(hours=1)
        said = {"match": {"queue": "general"}, "until": until.isoformat(), "reason": "moving house"}
        made = await client.post("/v1/silences", json=said, headers={"Idempotency-Key": "s1"})
        silence = made.json()
        assert (made.status_code, silence["match"], silence["by"]) == (201, {"queue": ["general"]}, "sue")
        again = await client.post("/v1/silences", json=said, headers={"Idempotency-Key": "s1"})
        assert again.json()["id"] == silence["id"]
        await service.open("tkt_1")
        alert = await an_alert(client, "silenced")
        assert alert["silence_id"] == silence["id"]
        assert (await client.get("/v1/silences?active=true")).json()["items"] == [silence]
        assert (await client.get(f"/v1/silences/{silence['id']}")).json() == silence
        assert receiver.got == []
        assert (await client.delete(f"/v1/silences/{silence['id']}")).status_code == 204
        assert "the silence is over" in await told(receiver, 1)
        assert (await client.delete(f"/v1/silences/{silence['id']}")).status_code == 404
        assert (await client.get("/v1/silences?active=true")).json()["items"] == []
        ended = (await client.get(f"/v1/silences/{silence['id']}")).json()
        assert (ended["ended_by"], ended["ended_at"] is not None) == ("sue", True)


async def test_a_silence_survives_the_worker_and_ends_by_itself(service: Service, tmp_path: Path) -> None:
    settings = with_key(service.installation.settings, tmp_path)
    await service.configure(sla=ladder({"on": "breach", "do": [{"boost": 1}]}))
    async with a_process(settings, "sla") as process, client_of(create(process)) as client:
        async with service.worker():
            said = {"until": (datetime.now(UTC) + timedelta(seconds=4)).isoformat(), "reason": "short"}
            assert (await client.post("/v1/silences", json=said)).status_code == 201
            await service.open("tkt_1")
            await an_alert(client, "silenced")
        async with service.worker():
            await an_alert(client, "firing")
            (silence,) = (await client.get("/v1/silences")).json()["items"]
            assert silence["ended_by"] == "pointsman"
    assert [fact["again"] for fact in await service.facts("alert.opened")] == [False, True]


async def test_a_silence_of_a_queue_that_does_not_exist_is_refused(service: Service, app: Any) -> None:
    await service.configure(sla=ladder(), queues={"general": {}, "billing": {}})
    await service.row("SELECT 1 FROM config_version")
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    async with client_of(app) as client:
        for match, pointer in (
            ({"queue": "biling"}, "/match/queue"),
            ({"queue": ["billing", "biling"]}, "/match/queue/1"),
            ({"policy": "standart"}, "/match/policy"),
        ):
            refused = await client.post("/v1/silences", json={"match": match, "until": until, "reason": "a test"})
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
        assert (await client.get("/v1/silences")).json()["items"] == []
        good = {"match": {"queue": "billing", "policy": "standard"}, "until": until, "reason": "a test"}
        assert (await client.post("/v1/silences", json=good)).status_code == 201


async def test_silences_are_of_their_workspace_and_of_supervisors(service: Service, app: Any) -> None:
    said = {"until": (datetime.now(UTC) + timedelta(hours=1)).isoformat(), "reason": "mine"}
    async with client_of(app) as client, client_of(app, "agent") as agent, client_of(app, workspace="globex") as other:
        assert (await agent.post("/v1/silences", json=said)).status_code == 403
        id = (await client.post("/v1/silences", json=said)).json()["id"]
        assert (await agent.get(f"/v1/silences/{id}")).status_code == 200
        assert (await agent.delete(f"/v1/silences/{id}")).status_code == 403
        assert (await other.get(f"/v1/silences/{id}")).status_code == 404
        assert (await other.delete(f"/v1/silences/{id}")).status_code == 404
        assert (await other.get("/v1/silences")).json()["items"] == []


async def test_a_ticket_that_nobody_took_is_told_without_an_alert(
    service: Service, app: Any, receiver: NotificationReceiver
) -> None:
    await service.configure(sla=ladder({"on": "breach", "do": [{"boost": 1}]}))
    await service.open("tkt_1")
    await service.tell("tkt_1", TicketEscalated(ticket_id="tkt_1", reason="3 offers", offers=3, notify="pager"))
    assert "nobody took the ticket" in await told(receiver, 1)
