"""When a target is told: in its hours, not more than its limit, and not of what is over."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pointsman.testing.waiting import until
from tests.integration.sla.conftest import soon
from tests.integration.sla.notify.items import an_item
from tests.integration.sla.notify.telling import NotificationReceiver, Telling

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

ROME = ZoneInfo("Europe/Rome")


def closed_now() -> dict[str, Any]:
    """A calendar that opens next in two days' time, at nine in Rome."""
    opening = datetime.now(ROME).date() + timedelta(days=2)
    return {"office": {"tz": "Europe/Rome", "days": {opening.isoformat(): [["09:00", "18:00"]]}}}


async def held_back(telling: Telling, at: datetime) -> None:
    async def there() -> bool:
        return bool(await telling.pool.fetchval("SELECT true FROM notify_group WHERE due_at = $1", at))

    await until(there)


async def test_outside_its_hours_a_target_is_told_nothing_until_they_begin(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    calendars = closed_now()
    await telling.configure(calendars, pager={"hours": "office"})
    (day,) = calendars["office"]["days"]
    opening = datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=ROME)
    await telling.write(an_item("1"), an_item("2"))
    async with telling.sending():
        await held_back(telling, opening.astimezone(UTC))
        await telling.write(an_item("3"))
        assert await telling.notifications() == []
        await telling.configure(pager={"hours": None})
        await telling.pool.execute("UPDATE notify_group SET due_at = now()")
        await telling.settled("sent")
    assert [body["title"] for _, body in receiver.got] == ["3 breaches in billing (standard)"]


async def test_a_ladder_that_ended_is_told_at_any_hour(telling: Telling, receiver: NotificationReceiver) -> None:
    await telling.configure(closed_now(), pager={"hours": "office", "per_hour_max": 1})
    await telling.write(an_item("1"))
    for number in range(2):
        await telling.write(an_item(f"e{number}", kind="exhausted", queue=f"queue-{number}"))
    async with telling.sending():
        await telling.settled("sent", 2)
    assert {body["title"] for _, body in receiver.got} == {
        "Nobody acknowledged: 1 breach in queue-0 (standard)",
        "Nobody acknowledged: 1 breach in queue-1 (standard)",
    }


async def test_a_target_has_no_more_messages_an_hour_than_its_limit(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    await telling.configure(pager={"per_hour_max": 3})
    await telling.write(*(an_item(str(n), queue=f"queue-{n}") for n in range(5)))
    async with telling.sending():
        await telling.settled("sent", 3)
        first = await telling.pool.fetchval("SELECT min(created_at) FROM notification")
        await held_back(telling, first + timedelta(hours=1))
        assert len(receiver.got) == 3
        await telling.pool.execute("UPDATE notification SET created_at = created_at - interval '1 hour'")
        await telling.window_passed()
        await telling.settled("sent", 5)


@pytest.mark.parametrize(
    ("alert", "clock", "over"),
    [
        ("firing", "running", None),
        ("firing", "paused", None),
        ("firing", "met", "stopped"),
        ("resolved", "cancelled", "stopped"),
        ("acknowledged", "running", "acknowledged"),
        ("silenced", "running", "silenced"),
        ("exhausted", "running", None),
    ],
)
async def test_nobody_is_paged_for_what_is_over(
    telling: Telling, receiver: NotificationReceiver, alert: str, clock: str, over: str | None
) -> None:
    acked_at = datetime.now(UTC) + timedelta(minutes=1)
    await telling.an_alert("alr_1", alert, acked_at if alert == "acknowledged" else None)
    await telling.a_clock("clk_1", "tkt_1", clock)
    await telling.write(an_item("1", alert_id="alr_1"))
    async with telling.sending():
        (row,) = await telling.settled("skipped" if over else "sent")
    assert row["reason"] == (f"it is over: 1 {over}" if over else None)
    assert len(receiver.got) == (0 if over else 1)


async def test_a_breach_that_was_withdrawn_is_not_told(telling: Telling, receiver: NotificationReceiver) -> None:
    await telling.a_clock("clk_1", "tkt_1", breached=False)
    await telling.a_clock("clk_2", "tkt_2")
    await telling.write(an_item("1"), an_item("2"))
    async with telling.sending():
        await telling.settled("sent")
    assert receiver.got[0][1]["title"] == "1 breach in billing (standard)"
    assert "tkt_1 " not in receiver.bodies[0]


async def test_an_acknowledgement_does_not_hold_back_what_was_said_after_it(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    await telling.an_alert("alr_1", "acknowledged", datetime.now(UTC) - timedelta(minutes=1))
    await telling.write(an_item("1", alert_id="alr_1"))
    async with telling.sending():
        await telling.settled("sent")
    assert len(receiver.got) == 1


async def test_an_acknowledgement_stays_for_the_clocks_it_covered_when_a_later_one_fires_the_alert_again(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    now = datetime.now(UTC)
    await telling.an_alert("alr_1", "firing", now)
    for number, joined_at in ((1, now - timedelta(minutes=1)), (2, now + timedelta(minutes=1))):
        await telling.a_clock(f"clk_{number}", f"tkt_{number}")
        await telling.joins("alr_1", f"clk_{number}", f"tkt_{number}", joined_at)
        await telling.write(an_item(str(number), alert_id="alr_1", at=now - timedelta(seconds=number)))
    async with telling.sending():
        await telling.settled("sent")
    assert receiver.got[0][1]["title"] == "1 breach in billing (standard)"
    assert "tkt_2 " in receiver.bodies[0]


async def test_an_alert_that_fires_again_tells_of_the_clocks_in_it(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    await telling.an_alert("alr_1")
    for number in (1, 2):
        await telling.a_clock(f"clk_{number}", f"tkt_{number}")
        await telling.joins("alr_1", f"clk_{number}", f"tkt_{number}")
    none = dict.fromkeys(("ticket_id", "clock_id", "metric", "cycle", "priority", "due_at", "breach_at"))
    await telling.write(an_item("1", alert_id="alr_1", kind="again", reason="the acknowledgement is over", **none))
    async with telling.sending():
        await telling.settled("sent")
    assert receiver.got[0][1]["title"] == "2 breaches in billing (standard)"
    assert "tkt_1 (urgent): breach of first_response, due " in receiver.bodies[0]
    assert "Why: the acknowledgement is over." in receiver.bodies[0]


async def test_of_one_clock_one_line_is_told(telling: Telling, receiver: NotificationReceiver) -> None:
    await telling.write(*(an_item(f"{n}", clock_id="clk_1", ticket_id="tkt_1") for n in range(3)))
    async with telling.sending():
        await telling.settled("sent")
    assert receiver.got[0][1]["title"] == "1 breach in billing (standard)"


@pytest.mark.parametrize(("agent", "state"), [(None, "sent"), ("anna", "skipped")])
async def test_a_ticket_that_nobody_took_is_told_until_somebody_has_it(
    telling: Telling, receiver: NotificationReceiver, agent: str | None, state: str
) -> None:
    await telling.pool.execute(
        "INSERT INTO ticket (ticket_id, workspace, lane, config_version, opened_at, phase, agent, mirror) "
        "VALUES ('tkt_1', 'acme', $1, 1, now(), 'queued', $2, '{}')",
        telling.lane,
        agent,
    )
    none = dict.fromkeys(("policy", "severity", "clock_id", "metric", "cycle", "due_at", "breach_at"))
    await telling.write(an_item("1", kind="escalation", reason="nobody took it", **none))
    async with telling.sending():
        await telling.settled(state)
    assert [body["title"] for _, body in receiver.got] == (["1 ticket nobody took in billing"] if agent is None else [])


async def test_a_target_that_is_gone_is_told_nothing_and_that_is_seen(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    await telling.write(an_item("1"))
    await telling.configure()
    async with telling.sending():
        (row,) = await telling.settled("skipped")
    assert row["reason"] == "the configuration has no such target any more"
    assert receiver.got == []


async def test_without_an_address_it_is_put_off_and_says_why(telling: Telling) -> None:
    await telling.configure(pager={})
    await telling.write(an_item("1"))
    async with telling.sending(notify_rounds_max=1):
        (dead,) = await telling.settled("dead")
    assert dead["reason"] == "the workspace acme has no secret 'pager-url'"


async def test_what_is_old_is_forgotten_and_what_waits_is_not(telling: Telling, receiver: NotificationReceiver) -> None:
    await telling.an_alert("alr_1")
    await telling.write(an_item("1", alert_id="alr_1"), an_item("2", queue="tech", not_before=soon(3_600)))
    async with telling.sending(public_url="http://desk.example"):
        await telling.settled("sent")
    ages = (
        "UPDATE notification SET updated_at = now() - interval '31 days'",
        "UPDATE notify_group SET last_sent_at = now() - interval '31 days'",
        "UPDATE ack_link SET expires_at = now()",
    )
    for statement in ages:
        await telling.pool.execute(statement)
    async with telling.sending():

        async def forgotten() -> bool:
            return not await telling.notifications()

        await until(forgotten)
        await until(lambda: _counts(telling, ack_link=0, notify_item=1, notify_group=1))


async def _counts(telling: Telling, **expected: int) -> bool:
    return all([await telling.pool.fetchval(f"SELECT count(*) FROM {name}") == n for name, n in expected.items()])
