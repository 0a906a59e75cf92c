"""What arrives at a receiver: each thing told, at least once and not twice by our own doing, in few messages."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from pointsman.local.process import LocalProcess
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from pointsman_sla.api import create
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key
from tests.integration.sla.notify.items import an_item
from tests.integration.sla.notify.telling import NotificationReceiver, Telling, a_receiver

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]


async def test_a_breach_is_told_with_what_where_until_when_and_who_holds_it(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    due = datetime(2026, 11, 23, 14, 4, tzinfo=UTC)
    await telling.write(an_item("1", agent="anna", due_at=due, ticket_id="tkt_1"))
    async with telling.sending():
        (row,) = await telling.settled("sent")
    ((headers, body),) = receiver.got
    assert body["title"] == "1 breach in billing (standard)"
    assert "tkt_1 (urgent): breach of first_response, due Mon 23 Nov 15:04 CET, held by anna" in body["message"]
    assert "Why: step 2 of page-supervisor." in body["message"]
    assert row["notification_id"] in body["message"], "a recipient can tell that it was sent twice"
    assert headers["pointsman-notification"] == row["notification_id"]
    assert (row["items"], row["rounds"], row["body"]) == (1, 1, body["message"])


async def test_ten_thousand_at_one_instant_are_one_message_of_some_lines(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    at = datetime.now(UTC)
    due = [at + timedelta(seconds=number) for number in range(10_000)]
    await telling.write(*(an_item(f"{n:05}", at=at, ticket_id=f"tkt_{n:05}", due_at=due[-n]) for n in range(10_000)))
    async with telling.sending():
        (row,) = await telling.settled("sent")
    (message,) = receiver.bodies
    assert row["items"] == 10_000
    assert receiver.got[0][1]["title"] == "10000 breaches in billing (standard)"
    lines = [line for line in message.split("\n") if line.startswith("tkt_")]
    assert len(lines) == 10
    assert lines[0].startswith("tkt_00000 "), "the next to fall due are named"
    assert "… and 9990 more." in message


async def test_the_first_is_told_at_once_and_what_follows_in_one_digest_at_the_windows_end(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    await telling.write(an_item("first"))
    async with telling.sending():
        await telling.settled("sent")
        for number in range(5):
            await telling.write(an_item(f"later-{number}"))
        due = await telling.pool.fetchval("SELECT due_at - last_sent_at FROM notify_group")
        assert due == timedelta(seconds=60)
        assert len(receiver.got) == 1
        await telling.window_passed()
        await telling.settled("sent", 2)
    assert receiver.got[1][1]["title"] == "5 breaches in billing (standard)"


async def test_setting_the_addresses_wakes_what_waited_for_them(telling: Telling, tmp_path: Path) -> None:
    settings = with_key(telling.settings, tmp_path)
    telling.settings = settings
    async with a_receiver() as receiver, a_process(settings, "sla") as process, a_client(create(process)) as client:
        await telling.configure(pager={}, other={"url_from": "others"})
        await telling.write(an_item("1"))
        async with telling.sending(notify_backoff_seconds=600.0):

            async def failed() -> bool:
                return any("pager-url" in (row["reason"] or "") for row in await telling.notifications())

            await until(failed)
            admin = bearer(a_token(settings, "admin"))
            put = await client.put("/v1/secrets/pager-url", json={"value": receiver.address}, headers=admin)
            assert put.status_code == 200, put.text
            await telling.settled("sent")
        assert len(receiver.got) == 1


async def test_of_two_senders_each_message_comes_once(telling: Telling, receiver: NotificationReceiver) -> None:
    await telling.configure(pager={"per_hour_max": 1000})
    items = [an_item(str(n), queue=f"queue-{n}", group_by=("queue",)) for n in range(60)]
    async with telling.sending(), telling.sending():
        await telling.write(*items)
        await telling.settled("sent", 60)
    ids = [headers["pointsman-notification"] for headers, _ in receiver.got]
    assert len(ids) == len(set(ids)) == 60


async def test_whatever_is_written_while_senders_send_is_told_in_one_message(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    await telling.configure(pager={"per_hour_max": 3_600})

    async def write(writer: int) -> None:
        for number in range(40):
            await telling.write(
                an_item(f"{writer}-{number}", queue=f"queue-{number % 3}", within_seconds=0, group_by=("queue",))
            )

    async with telling.sending(), telling.sending():
        await asyncio.gather(*map(write, range(3)))

        async def all_told() -> bool:
            waiting = await telling.pool.fetchval(
                "SELECT count(*) FROM notify_item i LEFT JOIN notification n USING (notification_id) "
                "WHERE n.state IS DISTINCT FROM 'sent'"
            )
            return bool(waiting == 0)

        await until(all_told)
    # One that was opened when its items had been told already has nothing to say, and goes.
    rows = [row for row in await telling.notifications() if row["state"] == "sent"]
    assert sum(row["items"] for row in rows) == 120
    assert sorted(headers["pointsman-notification"] for headers, _ in receiver.got) == sorted(
        row["notification_id"] for row in rows
    )


async def test_what_a_worker_that_was_killed_was_sending_is_sent_again_with_its_id(
    telling: Telling, receiver: NotificationReceiver, installation: Installation, tmp_path: Path
) -> None:
    receiver.silent = True
    environment = installation.environment() | {
        "POINTSMAN_SECRETS_FOLDER": str(telling.settings.secrets_folder),
        "POINTSMAN_NOTIFY_TO_LOOPBACK": "true",
    }
    worker = LocalProcess("sla", (sys.executable, "-m", "pointsman_sla", "worker"), tmp_path, environment=environment)
    worker.start()
    try:
        await telling.write(an_item("1"))
        await until(lambda: bool(receiver.got))
        assert worker.pid is not None
        started = psutil.Process(worker.pid).children(recursive=True)
        assert len(started) == 2, "the program that sends, and the process of the message"
        os.kill(worker.pid, signal.SIGKILL)
    finally:
        await worker.stop()
    await until(lambda: not any(_runs(process) for process in started))
    receiver.silent = False
    await telling.pool.execute("UPDATE notification SET claimed_until = now()")
    async with telling.sending():
        (row,) = await telling.settled("sent")
    assert [headers["pointsman-notification"] for headers, _ in receiver.got] == [row["notification_id"]] * 2
    assert row["rounds"] == 2


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


async def test_a_receiver_that_hangs_holds_up_nobody_else(telling: Telling) -> None:
    async with a_receiver(silent=True) as hanging, a_receiver() as other:
        await telling.configure(pager={}, desk={})
        telling.address("pager", hanging.address)
        telling.address("desk", other.address)
        await telling.write(an_item("1"))
        async with telling.sending(notify_timeout_seconds=1.0, notify_rounds_max=1):
            await until(lambda: bool(hanging.got))
            await telling.write(an_item("2", target="desk"))
            await until(lambda: bool(other.got))
            (dead,) = await telling.settled("dead")
    assert dead["reason"] in ("not done within 1 seconds", "no answer: ReadTimeout")


async def test_of_several_addresses_those_that_took_it_are_not_told_again(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    async with a_receiver(status=500) as failing:
        telling.address("pager", "# the team", receiver.address, failing.address)
        await telling.write(an_item("1"))
        async with telling.sending():
            await until(lambda: len(failing.got) >= 2)
            failing.status = 200
            (row,) = await telling.settled("sent")
    assert len(receiver.got) == 1
    assert row["rounds"] >= 3


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (429, "Retry-After: 120\r\n"),
        (503, "Date: Mon, 23 Nov 2026 10:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 10:02:00 GMT\r\n"),
    ],
)
async def test_a_receiver_says_when_to_come_again(
    telling: Telling, receiver: NotificationReceiver, status: int, headers: str
) -> None:
    receiver.status, receiver.headers = status, headers
    await telling.write(an_item("1"))
    async with telling.sending():
        row = await until_row(telling, "reason IS NOT NULL")
        assert row["reason"] == f"the receiver answered {status}"
        assert timedelta(seconds=119) < row["due_at"] - row["updated_at"] < timedelta(seconds=121)
        receiver.status = 200
        await telling.pool.execute("UPDATE notification SET due_at = now()")
        await telling.settled("sent")


async def until_row(telling: Telling, condition: str) -> Any:
    found: list[Any] = []

    async def there() -> bool:
        found[:] = await telling.pool.fetch(f"SELECT * FROM notification WHERE {condition}")
        return bool(found)

    await until(there)
    return found[0]


async def test_what_is_refused_too_often_is_dead_and_the_alerts_timeline_says_so(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    receiver.status = 500
    await telling.an_alert("alr_1")
    await telling.write(an_item("1", alert_id="alr_1"))
    async with telling.sending(notify_rounds_max=3):
        (dead,) = await telling.settled("dead")
    assert (dead["rounds"], dead["reason"], len(receiver.got)) == (3, "the receiver answered 500", 3)
    lines = await telling.pool.fetch("SELECT kind, comment FROM alert_event ORDER BY event_id")
    assert [line["kind"] for line in lines] == ["notification_failed"] * 2, "the first failure, and the last"
    assert f"{dead['notification_id']} is dead: the receiver answered 500" in lines[-1]["comment"]


async def test_a_message_that_arrived_is_a_line_of_its_alerts_timelines(
    telling: Telling, receiver: NotificationReceiver
) -> None:
    for alert in ("alr_1", "alr_2"):
        await telling.an_alert(alert)
    await telling.write(*(an_item(f"{n}", alert_id=f"alr_{n}") for n in (1, 2)))
    async with telling.sending():
        (row,) = await telling.settled("sent")
    lines = await telling.pool.fetch("SELECT alert_id, kind, comment FROM alert_event ORDER BY alert_id")
    told = f"pager: {row['notification_id']}"
    assert [tuple(line) for line in lines] == [("alr_1", "notified", told), ("alr_2", "notified", told)]
