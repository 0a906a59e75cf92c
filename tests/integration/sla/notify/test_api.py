"""Notifications over HTTP: what was told, sent again by hand, and a test of a target."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from pointsman_sla.api import create
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key
from tests.integration.sla.notify.items import an_item
from tests.integration.sla.notify.telling import NotificationReceiver, Telling

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def app(telling: Telling, tmp_path: Path) -> AsyncIterator[Any]:
    async with a_process(with_key(telling.settings, tmp_path), "sla") as process:
        yield create(process)


def client_of(
    app: Any, role: str = "supervisor", workspace: str = "acme"
) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return a_client(app, bearer(a_token(app.state.process.settings, role, workspace, sub="sue")))


async def test_notifications_are_listed_newest_first_by_state_and_target(
    telling: Telling, receiver: NotificationReceiver, app: Any
) -> None:
    await telling.write(*(an_item(str(n), queue=f"queue-{n}") for n in range(3)))
    async with telling.sending(), client_of(app) as client:
        await telling.settled("sent", 3)
        items = (await client.get("/v1/notifications", params={"state": "sent", "target": "pager"})).json()["items"]
        assert len(items) == 3
        assert items == sorted(items, key=lambda item: (item["created_at"], item["id"]), reverse=True)
        first = (await client.get("/v1/notifications", params={"limit": 2})).json()
        rest = (await client.get("/v1/notifications", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert first["items"] + rest["items"] == items
        assert (await client.get(f"/v1/notifications/{items[0]['id']}")).json() == items[0]
        assert (await client.get("/v1/notifications", params={"state": "dead"})).json()["items"] == []
        for given in ({"state": "lost"}, {"target": "desk"}):
            assert (await client.get("/v1/notifications", params=given)).status_code == 422
    async with client_of(app, workspace="globex") as stranger:
        assert (await stranger.get("/v1/notifications")).json()["items"] == []
        for call in (stranger.get, lambda path: stranger.post(f"{path}/resend")):
            assert (await call(f"/v1/notifications/{items[0]['id']}")).status_code == 404
    async with client_of(app, "agent") as agent:
        assert (await agent.get("/v1/notifications")).status_code == 403


async def test_a_dead_one_is_sent_again_by_hand_also_when_it_is_over_since(
    telling: Telling, receiver: NotificationReceiver, app: Any
) -> None:
    receiver.status = 500
    await telling.a_clock("clk_1", "tkt_1")
    await telling.write(an_item("1"))
    async with telling.sending(notify_rounds_max=1), client_of(app) as client:
        (dead,) = await telling.settled("dead")
        receiver.status = 200
        await telling.pool.execute("UPDATE clock SET state = 'met'")
        path = f"/v1/notifications/{dead['notification_id']}/resend"
        again = (await client.post(path)).json()
        assert (again["state"], again["rounds"]) == ("queued", 0)
        await telling.settled("sent")
        assert (await client.post(path)).json()["state"] == "sent", "a repeat changes nothing"
        assert (await client.post("/v1/notifications/ntf_none/resend")).status_code == 404
    assert len(receiver.got) == 2


async def test_a_target_is_tested_at_any_hour(telling: Telling, receiver: NotificationReceiver, app: Any) -> None:
    async with telling.sending(), client_of(app, "admin") as client:
        keyed = {"Idempotency-Key": "once"}
        answers = [await client.post("/v1/notify/pager/test", headers=keyed) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].json()["id"] == answers[1].json()["id"]
        await telling.settled("sent")
        shown = (await client.get(f"/v1/notifications/{answers[0].json()['id']}")).json()
        assert (shown["kind"], shown["title"]) == ("test", "Pointsman: a test message to pager")
        assert (await client.post("/v1/notify/nobody/test")).status_code == 404
    assert len(receiver.got) == 1
    async with client_of(app) as supervisor:
        assert (await supervisor.post("/v1/notify/pager/test")).status_code == 403
