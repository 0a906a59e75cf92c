"""Events by signed webhook: at least once, in order of each ticket, and nothing lost whatever fails."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from standardwebhooks.webhooks import Webhook

from pointsman.local.process import LocalProcess
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_routing.settings import RoutingSettings
from pointsman_routing.webhooks.sender import WebhookSender
from tests.integration.routing.receiver import WebhookReceiver, a_receiver
from tests.integration.routing.service import DOCUMENT, RoutingService, a_routing_service

pytestmark = pytest.mark.stack

FIRST, SECOND = "whsec_dGhlIGZpcnN0IHNlY3JldCBvZiB0aGUgY3Jt", "whsec_dGhlIHNlY29uZCBzZWNyZXQgb2YgdGhlIGNybQ=="
TICKETS = ["ticket.opened", "ticket.assigned", "ticket.replied", "ticket.resolved"]


class Hooked:
    """A routing service whose workspace has the webhook `crm`, and its receiver."""

    def __init__(self, routing: RoutingService, receiver: WebhookReceiver, admin: httpx.AsyncClient) -> None:
        self.routing, self.receiver, self.admin = routing, receiver, admin

    @asynccontextmanager
    async def sending(self, **changes: Any) -> AsyncIterator[None]:
        """The sender runs, with quick retries."""
        quick = {"webhook_to_loopback": True, "webhook_backoff_seconds": 0.05, "webhook_claim_seconds": 0.5}
        settings = RoutingSettings(**self.routing.settings.model_dump() | quick | changes)
        worker = self.routing.worker
        async with WebhookSender(settings, worker.clock, worker.lanes.keys, self.routing.logic.told):
            yield

    async def webhook(self) -> dict[str, Any]:
        (found,) = (await self.admin.get("/v1/webhooks")).json()["items"]
        return dict(found)

    async def works_on(self, ticket: str, **changes: Any) -> None:
        """A ticket from its message to its resolution."""
        agent = await self.routing.sign_in("anna")
        await self.routing.customer_writes(ticket, **changes)
        offer = await until(lambda: _offer_of(agent, ticket))
        assert (await agent.post(f"/v1/offers/{offer}/accept")).status_code == 200
        said = {"text": "We are on it.", "public": True}
        assert (await agent.post(f"/v1/tickets/{ticket}/messages", json=said)).status_code < 300
        done = {"outcome": "solved", "wrap_up_seconds": 0}
        assert (await agent.post(f"/v1/tickets/{ticket}/resolve", json=done)).status_code == 200


async def _offer_of(agent: httpx.AsyncClient, ticket: str) -> str | None:
    items = (await agent.get("/v1/me/offers")).json()["items"]
    return next((item["id"] for item in items if item["ticket"]["id"] == ticket), None)


@pytest.fixture
async def hooked(installation: Installation, tmp_path: Path) -> AsyncIterator[Hooked]:
    async with a_receiver() as receiver, a_routing_service(installation, tmp_path) as routing:
        hook = {"url_from": "crm-url", "secret": "crm-hook", "events": TICKETS}
        await routing.open_workspace(DOCUMENT | {"webhooks": {"crm": hook}})
        admin = await routing.as_("admin", "root")
        for name, value in (("crm-url", receiver.url), ("crm-hook", FIRST)):
            answer = await admin.put(f"/v1/secrets/{name}", json={"value": value})
            assert answer.status_code < 300, answer.text
        yield Hooked(routing, receiver, admin)


async def test_events_of_a_ticket_arrive_signed_and_in_order(hooked: Hooked) -> None:
    receiver = hooked.receiver
    async with hooked.sending():
        await hooked.works_on("t1")
        await until(lambda: len(receiver.taken) >= len(TICKETS))
        assert receiver.types("t1") == TICKETS
        headers, body = receiver.got[0]
        assert headers["content-type"] == "application/cloudevents+json"
        assert Webhook(FIRST).verify(body.decode(), headers) == orjson.loads(body)
        assert headers["webhook-id"] == orjson.loads(body)["id"]
        listed = (await hooked.admin.get("/v1/events", params={"type": TICKETS})).json()["items"]
        assert receiver.taken == listed, "what is sent is what is listed"
        await until(lambda: _is_idle(hooked))
        rotated = {"value": SECOND, "previous_valid_seconds": 600}
        assert (await hooked.admin.put("/v1/secrets/crm-hook", json=rotated)).status_code < 300
        await hooked.works_on("t2")
        await until(lambda: receiver.types("t2") == TICKETS)
        headers, body = receiver.got[-1]
        for secret in (FIRST, SECOND):
            Webhook(secret).verify(body.decode(), headers)


async def _is_idle(hooked: Hooked) -> bool:
    found = await hooked.webhook()
    return (found["state"], found["queued"], found["dead"], found["failures"]) == ("active", 0, 0, 0)


async def test_what_a_receiver_missed_while_it_was_down_comes_later_once_and_in_order(hooked: Hooked) -> None:
    receiver = hooked.receiver
    receiver.status = 503
    async with hooked.sending():
        for ticket in ("t1", "t2"):
            await hooked.works_on(ticket)
        await until(lambda: len(receiver.got) >= 3)
        failing = await hooked.webhook()
        assert failing["failing_since"] is not None
        assert "503" in failing["last_error"]
        receiver.status = 204
        await until(lambda: len(receiver.taken) == 2 * len(TICKETS))
        assert [receiver.types(ticket) for ticket in ("t1", "t2")] == [TICKETS, TICKETS]
        await until(lambda: _is_idle(hooked))


async def test_nothing_is_lost_when_the_sender_is_killed_in_the_middle(hooked: Hooked) -> None:
    receiver = hooked.receiver
    receiver.silent = True
    async with hooked.sending():
        await hooked.works_on("t1")
        await until(lambda: receiver.got)
    sent_before = len(receiver.got)
    await hooked.works_on("t2")
    receiver.silent = False
    async with hooked.sending():
        await until(lambda: len(receiver.taken) == 2 * len(TICKETS), 30)
    assert [receiver.types(ticket) for ticket in ("t1", "t2")] == [TICKETS, TICKETS]
    first = receiver.got[0][0]["webhook-id"]
    assert first in [headers["webhook-id"] for headers, _ in receiver.got[sent_before:]], "the same id again"


@pytest.mark.long
async def test_nothing_is_lost_when_workers_are_killed(installation: Installation, tmp_path: Path) -> None:
    wanted = ["ticket.opened", "ticket.classified", "message.received", "ticket.queued"]
    hook = {"url_from": "crm-url", "secret": "crm-hook", "events": wanted}
    async with a_receiver() as receiver, a_routing_service(installation, tmp_path, works=False) as routing:
        environment = installation.environment() | {
            "POINTSMAN_SECRETS_KEY_FILE": str(routing.settings.secrets_key_file),
            "POINTSMAN_WEBHOOK_TO_LOOPBACK": "true",
            "POINTSMAN_WEBHOOK_CLAIM_SECONDS": "1",
        }
        command = (sys.executable, "-m", "pointsman_routing", "worker")
        worker = LocalProcess("routing", command, tmp_path, environment=environment)
        worker.start()
        try:
            await routing.open_workspace(DOCUMENT | {"webhooks": {"crm": hook}})
            admin = await routing.as_("admin", "root")
            for name, value in (("crm-url", receiver.url), ("crm-hook", FIRST)):
                await admin.put(f"/v1/secrets/{name}", json={"value": value})
            for number in range(30):
                got = len(receiver.got)
                await routing.customer_writes(f"t{number}")
                if number % 10 == 5:
                    await until(lambda: len(receiver.got) > got, 60)  # noqa: B023  # it is awaited here
                    assert worker.pid is not None
                    os.kill(worker.pid, signal.SIGKILL)
                    await worker.stop()
                    worker = LocalProcess("routing", command, tmp_path, environment=environment)
                    worker.start()
            expected = {(f"t{number}", type) for number in range(30) for type in wanted}
            await until(lambda: {(event["subject"], event["type"]) for event in receiver.taken} == expected, 60)
            for number in range(30):
                once = dict.fromkeys(receiver.types(f"t{number}"))
                assert sorted(once) == sorted(wanted)
            listed = (await admin.get("/v1/events", params={"type": wanted, "limit": 200})).json()["items"]
            first_of_each = list({event["id"]: event for event in receiver.taken if event["subject"] == "t5"}.values())
            assert first_of_each == [event for event in listed if event["subject"] == "t5"], "in order of the ticket"
        finally:
            await worker.stop()


async def test_an_event_that_is_refused_for_ever_is_dead_and_can_be_sent_again(hooked: Hooked) -> None:
    receiver = hooked.receiver
    receiver.refused_subjects = {"t1": 422}
    async with hooked.sending(webhook_rounds_max=2):
        await hooked.works_on("t1")
        await hooked.works_on("t2")
        await until(lambda: receiver.types("t2") == TICKETS)

        async def dead() -> list[Any]:
            answer = await hooked.admin.get("/v1/webhooks/crm/deliveries", params={"state": "dead"})
            found: list[Any] = answer.json()["items"]
            return found if len(found) == len(TICKETS) else []

        given_up = await until(dead)
        assert [(each["type"], each["rounds"]) for each in given_up] == [(type, 2) for type in TICKETS]
        assert "422" in given_up[0]["reason"]
        receiver.refused_subjects = {}
        one = f"/v1/webhooks/crm/deliveries/{given_up[0]['id']}/redeliver"
        assert (await hooked.admin.post(one)).json() == {"queued": 1}
        await until(lambda: receiver.types("t1") == TICKETS[:1])
        assert (await hooked.admin.post("/v1/webhooks/crm/redeliver")).json() == {"queued": 3}
        await until(lambda: receiver.types("t1") == TICKETS)
        await until(lambda: _is_idle(hooked))
    assert (await hooked.admin.post(one)).status_code == 404
    assert (await hooked.admin.get("/v1/webhooks/none/deliveries")).status_code == 404


@pytest.mark.parametrize("reason", ["gone", "failing"])
async def test_a_webhook_that_wants_nothing_is_disabled_and_loses_nothing(hooked: Hooked, reason: str) -> None:
    receiver = hooked.receiver
    receiver.status = 410 if reason == "gone" else 500
    async with hooked.sending(webhook_disable_after_seconds=0.0 if reason == "failing" else 3600.0):
        await hooked.works_on("t1")

        async def disabled() -> bool:
            return bool((await hooked.webhook())["state"] == "disabled")

        await until(disabled)
        await hooked.works_on("t2")
        receiver.status = 204
        enabled = (await hooked.admin.post("/v1/webhooks/crm/enable")).json()
        assert enabled["state"] == "active"
        await until(lambda: len(receiver.taken) == 2 * len(TICKETS))
        assert receiver.types("t2") == TICKETS
    supervisor = await hooked.routing.as_("agent", "anna")
    assert (await supervisor.get("/v1/webhooks")).status_code == 403


async def test_redirects_are_not_followed_and_our_own_network_is_not_called(hooked: Hooked) -> None:
    async with a_receiver() as elsewhere:
        hooked.receiver.status, hooked.receiver.location = 302, elsewhere.url
        async with hooked.sending():
            await hooked.routing.customer_writes("t1")
            await until(lambda: hooked.receiver.got)

            async def said(text: str) -> bool:
                return text in ((await hooked.webhook())["last_error"] or "")

            await until(lambda: said("302"))
        assert elsewhere.got == []
        called = len(hooked.receiver.got)
        async with hooked.sending(webhook_to_loopback=False):
            await until(lambda: said("not a public address"))
        assert len(hooked.receiver.got) == called


async def test_a_webhook_hears_of_its_queues_from_the_version_on_that_names_it(
    installation: Installation, tmp_path: Path
) -> None:
    document = DOCUMENT | {
        "queues": {"general": {}, "billing": {}},
        "connectors": {"site-chat": {"channel": "chat", "kind": "json", "hints": True}},
    }
    async with a_receiver() as receiver, a_routing_service(installation, tmp_path) as routing:
        await routing.open_workspace(document)
        admin = await routing.as_("admin", "root")
        hooked = Hooked(routing, receiver, admin)
        for name, value in (("crm-url", receiver.url), ("crm-hook", FIRST)):
            await admin.put(f"/v1/secrets/{name}", json={"value": value})
        await hooked.works_on("before", hints={"queue": "billing"})
        hook = {"url_from": "crm-url", "secret": "crm-hook", "events": TICKETS, "queues": ["billing"]}
        changed = await admin.put(
            "/v1/config", json=document | {"webhooks": {"crm": hook}}, headers={"If-Match": '"1"'}
        )
        assert (changed.status_code, changed.json()["inactive"]) == (200, [])
        await hooked.works_on("t1", hints={"queue": "billing"})
        await hooked.works_on("t2")
        await hooked.works_on("t3", hints={"queue": "billing"})
        async with hooked.sending():
            await until(lambda: receiver.types("t3") == TICKETS)
            await until(lambda: _is_idle(hooked))
        assert {event["subject"] for event in receiver.taken} == {"t1", "t3"}
        removed = await admin.put("/v1/config", json=document, headers={"If-Match": '"2"'})
        assert removed.status_code == 200
        assert (await admin.get("/v1/webhooks")).json()["items"] == []
        unknown = document | {"webhooks": {"crm": hook | {"events": ["ticket.teleported"]}}}
        refused = await admin.put("/v1/config", json=unknown, headers={"If-Match": '"3"'})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/webhooks/crm/events/0"


async def test_an_address_that_cannot_be_called_leaves_a_reason_with_its_event(hooked: Hooked) -> None:
    """`http://müller.example/x` raised in the sender: the event stayed queued for ever, and nobody learned why."""
    await hooked.works_on("t1")
    async with hooked.sending():
        for address, said in (("http://müller.invalid/x", "xn--mller-kva.invalid"), ("http://[", "address")):
            assert (await hooked.admin.put("/v1/secrets/crm-url", json={"value": address})).status_code == 200

            async def told(said: str = said) -> bool:
                return said in ((await hooked.webhook())["last_error"] or "")

            await until(told)
        (waiting, *_) = (await hooked.admin.get("/v1/webhooks/crm/deliveries")).json()["items"]
        assert waiting["reason"]
        repaired = await hooked.admin.put("/v1/secrets/crm-url", json={"value": hooked.receiver.url})
        assert repaired.status_code == 200
        await hooked.admin.post("/v1/webhooks/crm/enable")
        await until(lambda: hooked.receiver.types("t1") == TICKETS)


async def test_setting_a_secret_wakes_the_webhook_that_waited_for_it(hooked: Hooked) -> None:
    """It waited for up to five minutes, since a webhook without its address is paused as one that is down."""
    for name in ("crm-url", "crm-hook"):
        assert (await hooked.admin.delete(f"/v1/secrets/{name}")).status_code == 204
    await hooked.works_on("t1")
    async with hooked.sending(webhook_backoff_seconds=200.0):
        for name, value in (("crm-url", hooked.receiver.url), ("crm-hook", FIRST)):

            async def told(name: str = name) -> bool:
                return name in ((await hooked.webhook())["last_error"] or "")

            await until(told)
            assert hooked.receiver.got == []
            assert (await hooked.admin.put(f"/v1/secrets/{name}", json={"value": value})).status_code == 200
        await until(lambda: hooked.receiver.types("t1") == TICKETS, within_seconds=10)


async def test_what_a_document_names_and_is_not_set_is_told_when_it_is_checked_and_put(hooked: Hooked) -> None:
    """Secrets that were not there yet passed silently."""
    hooks = {"crm": {"url_from": "crm-url", "secret": "crm-key"}, "erp": {"url_from": "erp-url", "secret": "crm-hook"}}
    unset = [
        {"pointer": "/webhooks/crm/secret", "secret": "crm-key", "service": "routing"},
        {"pointer": "/webhooks/erp/url_from", "secret": "erp-url", "service": "routing"},
    ]
    document = DOCUMENT | {"webhooks": hooks}
    assert (await hooked.admin.post("/v1/config:check", json=document)).json()["unset"] == unset
    put = await hooked.admin.put("/v1/config", json=document, headers={"If-Match": "*"})
    assert (put.status_code, put.json()["unset"]) == (200, unset)
    assert (await hooked.admin.put("/v1/secrets/erp-url", json={"value": "https://erp.example"})).status_code == 200
    assert (await hooked.admin.post("/v1/config:check", json=document)).json()["unset"] == unset[:1]
