"""Sends notifications: through apprise, in processes of their own, at least once, with retries and a dead letter.

Runs beside the sla worker, for the lanes that its process owns. A round claims due notifications (`FOR UPDATE SKIP
LOCKED`), one of each target at a time, so that two processes that own a lane one after the other never send the same
one at the same time; a claim that lapsed, because its process died, is taken again, with the same id in the message.

What is over when its turn comes is not sent (`skipped`). A target that did not take a message is told again after a
pause that doubles; after `notify_rounds_max` rounds the notification is dead until a person sends it again. Of several
addresses those that took it are not told again.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import structlog
from prometheus_client import Counter, Histogram

from pointsman.runtime import telemetry
from pointsman.runtime.database import INFRASTRUCTURE_ERRORS, open_pool
from pointsman.runtime.outbound_queue import pause_seconds, send_due
from pointsman.runtime.secrets import SecretMissing, Secrets
from pointsman.runtime.tasks import Tasks
from pointsman_sla.notify import rows
from pointsman_sla.notify.bundling import open_due, take_up
from pointsman_sla.notify.sandbox import Sandbox
from pointsman_sla.notify.still_due import StillDue, read_still_due
from pointsman_sla.notify.targets import NotifyTarget, Targets
from pointsman_sla.notify.waking import wake
from pointsman_sla.notify.wording import ALERTS_LISTED_MAX, variables
from pointsman_sla.settings import SlaSettings

log = structlog.get_logger(__name__)

ADDRESSES_MAX = 10
RENDER_SECONDS = 3.0
TIDY_SECONDS = 3_600.0
WARM_UP_SECONDS = 3.0

SENT = Counter(
    "pointsman_notifications_total", "Notifications, by what became of them: sent, put off, dead, skipped.", ["result"]
)
DELAY = Histogram(
    "pointsman_notification_seconds",
    "From the moment at which a notification was due to its last address's answer, all rounds counted.",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600),
)
WAITING = Counter(
    "pointsman_notifications_held_back_total", "Groups that are told later: their target's hours or limit say so."
)


class NotTaken(Exception):
    """No address, or not all, took it. `taken` are the digests of those that did; `lacks`: the secret of this name is
    missing."""

    def __init__(
        self,
        reason: str,
        taken: Collection[str] = (),
        after_seconds: float | None = None,
        lacks: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.taken, self.after_seconds, self.lacks = taken, after_seconds, lacks


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `tokens` are those of its links, which are for the recipient alone. `remark` says when the target's
    template could not be used."""

    title: str
    body: str
    type: str
    tokens: tuple[str, ...] = ()
    remark: str | None = None

    def hidden(self, text: str) -> str:
        """A text of it, or about it, as it is kept and logged: without the tokens."""
        for token in self.tokens:
            text = text.replace(token, "…")
        return text


class NotificationSender:
    """Runs while its context is entered. `lanes` tells the lanes that are ours now, `bell` is set at commits that left
    something to tell. `sandbox` is what another keeps, who ends it; else the sender has one of its own."""

    def __init__(
        self,
        settings: SlaSettings,
        lanes: Callable[[], Collection[int]],
        bell: asyncio.Event | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        self._settings, self._lanes = settings, lanes
        self._due = bell or asyncio.Event()
        self._own = sandbox is None
        self._sandbox = sandbox or Sandbox(loopback=settings.notify_to_loopback)
        self._targets = Targets()
        self._tasks = Tasks("sla")

    async def __aenter__(self) -> "NotificationSender":
        self._pool: Any = await open_pool(self._settings, "sla", size=4, purpose="notifications")
        self._secrets = Secrets(self._settings, "sla", self._pool)
        sending = send_due(self._claim, self._send, self._due, self._settings.notify_at_once_max)
        self._tasks.keep(sending)
        self._tasks.keep(self._keep_tidy())
        self._tasks.start(self._warm_up())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tasks.close()
        if self._own:
            await self._sandbox.__aexit__()
        await self._pool.close()

    async def _warm_up(self) -> None:
        """Loads what sends before it is needed, but not while the worker itself begins."""
        await asyncio.sleep(WARM_UP_SECONDS)
        try:
            await self._sandbox.start()
        except OSError as error:  # the first task tries again
            log.warning("the sandbox was not started", error=repr(error))

    async def _keep_tidy(self) -> None:
        while True:
            try:
                await rows.tidy(self._pool, self._lanes(), self._settings.notify_kept_days)
            except INFRASTRUCTURE_ERRORS as error:
                log.warning("notifications not tidied", error=repr(error))
            await asyncio.sleep(TIDY_SECONDS)

    async def _claim(self, count_max: int) -> list[Any]:
        """Opens what is due, and claims what is to be sent."""
        lanes = self._lanes()
        _, held_back = await open_due(self._pool, self._targets, lanes)
        WAITING.inc(held_back)
        return await rows.claim(self._pool, lanes, count_max, self._settings.notify_claim_seconds)

    async def _send(self, row: Any) -> None:
        """One notification: sent, put off, given up or skipped."""
        if not await self._targets.read(self._pool, [row["workspace"]]):
            return
        target = self._targets.get(row["workspace"], row["target"])
        if row["items"] is None and await take_up(self._pool, row) == 0:
            await rows.drop(self._pool, row)
            return
        still_due = await read_still_due(self._pool, row["id"], whatever=row["by_hand"])
        if target is None:
            await self._skip(row, "the configuration has no such target any more")
        elif still_due.count == 0 and row["kind"] != "test":
            await self._skip(row, f"it is over: {still_due.why_over}")
        else:
            await self._tell(row, target, still_due)
        self._due.set()

    async def _skip(self, row: Any, reason: str) -> None:
        await rows.skip(self._pool, row, reason)
        SENT.labels("skipped").inc()
        log.info("notification skipped", workspace=row["workspace"], target=row["target"], id=row["id"], reason=reason)

    async def _tell(self, row: Any, target: NotifyTarget, still_due: StillDue) -> None:
        message = await self._written(row, target, still_due)
        alerts = [alert.id for alert in still_due.alerts if alert.id is not None]
        await rows.keep_text(
            self._pool, row, message.hidden(message.title), message.hidden(message.body), message.remark, alerts
        )
        try:
            await self._tell_addresses(row, target, message)
        except NotTaken as error:
            await self._note_failure(row, alerts, error)
        else:
            seconds = await rows.sent(self._pool, row, alerts)
            SENT.labels("sent").inc()
            if seconds is not None:
                DELAY.observe(seconds)

    async def _written(self, row: Any, target: NotifyTarget, still_due: StillDue) -> Message:
        """The message as it stands now, with fresh links. A template that breaks is remarked on; the default text is
        used."""
        links = await self._links(row, still_due)
        given = variables(
            still_due,
            id=row["id"],
            workspace=row["workspace"],
            target=row["target"],
            zone=target.zone,
            group=row["group_key"],
            links=links,
            test=row["kind"] == "test",
        )
        texts = {"title": given["default_title"], "body": given["default_body"]}
        broken = None
        if target.templates:
            rendered = await self._sandbox.render(target.templates, given, RENDER_SECONDS)
            if rendered["ok"]:
                texts |= {name: text for name, text in rendered["texts"].items() if text}
            else:
                broken = f"the template was not used: {rendered['reason']}"
        tokens = tuple(link.rpartition("/")[2] for link in links.values())
        message = Message(texts["title"], texts["body"], given["severity"] or "info", tokens)
        if broken is not None:
            message = replace(message, remark=message.hidden(broken))
            log.warning("template broke", workspace=row["workspace"], target=row["target"], reason=message.remark)
        return message

    async def _links(self, row: Any, still_due: StillDue) -> dict[str, str]:
        """Alert → the address that acknowledges it, of the largest alerts; none without a `public_url`."""
        if self._settings.public_url is None:
            return {}
        tokens = {
            alert.id: secrets.token_urlsafe(32)
            for alert in still_due.alerts[:ALERTS_LISTED_MAX]
            if alert.id is not None
        }
        hashes = {alert: hashlib.sha256(token.encode()).digest() for alert, token in tokens.items()}
        await rows.keep_links(self._pool, row, hashes, self._settings.ack_link_seconds)
        base = self._settings.public_url.rstrip("/")
        return {alert: f"{base}/sla/v1/acks/{token}" for alert, token in tokens.items()}

    async def _tell_addresses(self, row: Any, target: NotifyTarget, message: Message) -> None:
        """Tells each address that has not taken it. Raises `NotTaken` unless all have."""
        try:
            secret = await self._secrets.get(row["workspace"], target.url_from)
        except SecretMissing as error:
            raise NotTaken(str(error), lacks=error.name) from error
        lines = [line.strip() for line in secret.splitlines()]
        addresses = [line for line in lines if line and not line.startswith("#")]
        if not addresses or len(addresses) > ADDRESSES_MAX:
            raise NotTaken(f"the secret has {len(addresses)} addresses; a target has 1 to {ADDRESSES_MAX}")
        taken, wrong, pause = set(row["taken"]), [], 0.0
        for place, address in enumerate(addresses, 1):
            digest = hashlib.sha256(address.encode()).hexdigest()
            if digest in taken:
                continue
            answer = await self._sandbox.tell(
                address, message.title, message.body, message.type, row["id"], self._settings.notify_timeout_seconds
            )
            if answer["ok"]:
                taken.add(digest)
            else:
                which = f"address {place}: " if len(addresses) > 1 else ""
                wrong.append(f"{which}{answer['reason']}")
                pause = max(pause, answer["retry_after_seconds"] or 0.0)
        if wrong:
            raise NotTaken(message.hidden("; ".join(wrong)), taken, pause)

    async def _note_failure(self, row: Any, alerts: list[str], error: NotTaken) -> None:
        settings = self._settings
        dead = row["rounds"] >= settings.notify_rounds_max
        seconds = pause_seconds(settings.notify_backoff_seconds, row["rounds"], error.after_seconds)
        await rows.put_off(self._pool, row, alerts, str(error), sorted(error.taken), seconds, dead=dead)
        SENT.labels("dead" if dead else "put off").inc()
        named = {"workspace": row["workspace"], "target": row["target"], "id": row["id"]}
        log.info("notification not taken", **named, reason=str(error), dead=dead)
        if error.lacks and await self._secrets.has(row["workspace"], error.lacks):
            await wake(self._pool, row["workspace"], error.lacks)  # it was set while we failed
        if dead:
            telemetry.alarm("sla", "notification-dead", **named, reason=str(error))
