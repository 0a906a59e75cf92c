"""The words of a message: the default, and a target's own templates."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.integration.sla.notify.items import an_item
from tests.integration.sla.notify.telling import NotificationReceiver, Telling

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

DUE = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


async def told(
    telling: Telling, receiver: NotificationReceiver, template: dict[str, str], **target: Any
) -> tuple[Any, Any]:
    """What arrived of two breaches, and the notification."""
    await telling.configure(pager={"template": template, **target})
    await telling.write(*(an_item(str(n), ticket_id=f"tkt_{n}", due_at=DUE, agent="anna") for n in (1, 2)))
    async with telling.sending():
        (row,) = await telling.settled("sent")
    return receiver.got[0][1], row


async def test_a_target_has_its_own_words_and_zone(telling: Telling, receiver: NotificationReceiver) -> None:
    body = "{% for item in items %}{{ item.ticket }} by {{ item.deadline }} ({{ item.agent }})\n{% endfor %}{{ id }}"
    template = {"title": "{{ count }} late in {{ alerts[0].queue }}", "body": body}
    message, row = await told(telling, receiver, template, timezone="Asia/Tokyo")
    assert message["title"] == "2 late in billing"
    lines = [f"tkt_{n} by Wed 1 Jul 19:00 JST (anna)" for n in (1, 2)]
    assert message["message"] == "\n".join([*lines, row["notification_id"]])
    assert row["remark"] is None


async def test_without_a_zone_of_its_own_the_workspaces_is_used(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    message, _ = await told(telling, receiver, {"title": "{{ items[0].deadline }} {{ items[0].deadline_utc }}"})
    assert message["title"] == "Wed 1 Jul 12:00 CEST 2026-07-01T10:00:00+00:00"
    assert "tkt_1 (urgent)" in message["message"], "what has no template is the default"


@pytest.mark.parametrize(
    "broken",
    [
        "{{ items[99].ticket }}",
        "{{ 1 / 0 }}",
        "{{ count.__class__.__mro__ }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 9999999999 }}",
        "{{ 'x' | center(9999999999) }}",
        "{{ count | join | first | round }}",
    ],
)
async def test_a_template_that_breaks_is_said_and_blocks_nothing(
    telling: Telling, receiver: NotificationReceiver, broken: str
) -> None:
    message, row = await told(telling, receiver, {"body": broken})
    assert "tkt_1 (urgent)" in message["message"]
    assert row["remark"].startswith("the template was not used: ")


async def test_a_template_that_never_ends_its_words_is_cut(telling: Telling, receiver: NotificationReceiver) -> None:
    message, _ = await told(telling, receiver, {"body": "{% for a in range(99999) %}{{ default_body }}{% endfor %}"})
    assert len(message["message"]) <= 4_000


async def test_with_a_public_address_a_link_acknowledges_of_which_only_the_digest_is_kept(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    await telling.an_alert("alr_1")
    await telling.write(an_item("1", alert_id="alr_1"))
    async with telling.sending(public_url="https://desk.example/"):
        (row,) = await telling.settled("sent")
    (line,) = [line for line in receiver.bodies[0].split("\n") if line.startswith("Acknowledge ")]
    base, _, token = line.rpartition("/")
    assert base == "Acknowledge 1 breach in billing (standard): https://desk.example/sla/v1/acks"
    link = await telling.pool.fetchrow("SELECT *, expires_at - created_at AS life FROM ack_link")
    assert link["token_hash"] == hashlib.sha256(token.encode()).digest()
    assert (link["workspace"], link["alert_id"], link["target"]) == ("acme", "alr_1", "pager")
    assert link["life"].total_seconds() == pytest.approx(86_400, abs=0.001)
    assert token not in row["body"]


@pytest.mark.parametrize(
    "template",
    [
        {"title": "{{ alerts[0].ack_url }}", "body": "{{ alerts[0].ack_url | urlencode }}"},
        {"title": "late", "body": "{{ {}[alerts[0].ack_url].x }}"},
    ],
)
async def test_no_token_is_kept_or_logged_by_way_of_a_template(
    telling: Telling, receiver: NotificationReceiver, template: dict[str, str]
) -> None:
    """A template's error quoted the address that it was given, into the log and the notification."""
    await telling.an_alert("alr_1")
    await telling.configure(pager={"template": template})
    await telling.write(an_item("1", alert_id="alr_1"))
    with capture_logs() as lines:
        async with telling.sending(public_url="https://desk.example/"):
            (row,) = await telling.settled("sent")
    sent = receiver.got[0][1]
    (token,) = {*re.findall(r"acks(?:/|%2F)([\w-]{40,})", f"{sent['title']} {sent['message']}")}
    assert token not in str(dict(row))
    assert token not in str(lines)


async def test_without_a_public_address_there_is_no_link(telling: Telling, receiver: NotificationReceiver) -> None:
    await telling.an_alert("alr_1")
    await telling.write(an_item("1", alert_id="alr_1"))
    async with telling.sending():
        await telling.settled("sent")
    assert "Acknowledge" not in receiver.bodies[0]
    assert await telling.pool.fetchval("SELECT count(*) FROM ack_link") == 0
