"""The connectors' process: plays the script over HTTP and keeps the ledger of what was accepted.

`python -m pointsman.cli.demo.customers PLAN`. Chats are posted one by one, mail and social pages by batches, some mail
as raw RFC 5322. The ledger has an entry per answer, with the monotonic instant at which its call began.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from email.message import EmailMessage
from typing import Any

import orjson
import uvloop

from pointsman.cli.demo.plan import Plan, read_plan, tell
from pointsman.cli.demo.script import Post, draw
from pointsman.client.connector import Connector
from pointsman.client.session import ApiError, Session, Unreachable
from pointsman.runtime.tasks import awaited

BATCH_EVERY_SECONDS = 0.2
TICK_SECONDS = 0.02
PROGRESS_SECONDS = 0.25
CALLS_AT_ONCE_MAX = 40
POISON = b"\x00\xff\xfe\x00 this is no mail \x00" * 40


class Customers:
    """Posts the script and remembers every answer."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self._connectors = connectors
        self._at_once = asyncio.Semaphore(CALLS_AT_ONCE_MAX)
        self.ledger: list[dict[str, Any]] = []
        self.failures: list[dict[str, Any]] = []
        self.quarantined = 0
        self.events = 0
        self.posted = 0

    async def play(self, posts: Sequence[Post]) -> None:
        """Posts everything at its time; returns when every answer is there."""
        began = time.monotonic()
        waiting: dict[str, list[Post]] = {}
        batched = began
        place = 0
        async with asyncio.TaskGroup() as calls:
            while place < len(posts) or any(waiting.values()):
                now = time.monotonic()
                while place < len(posts) and posts[place].at <= now - began:
                    post = posts[place]
                    place += 1
                    if post.how == "batch":
                        waiting.setdefault(post.connector, []).append(post)
                    else:
                        calls.create_task(self._call(post))
                if now - batched >= BATCH_EVERY_SECONDS:
                    batched = now
                    for connector, batch in waiting.items():
                        if batch:
                            calls.create_task(self._batch(connector, batch))
                    waiting = {}
                await asyncio.sleep(TICK_SECONDS)

    async def _call(self, post: Post) -> None:
        async with self._at_once:
            at = time.monotonic()
            self.posted += 1
            try:
                await self._post_one(post, at)
            except (ApiError, Unreachable) as error:
                self.failures.append({"key": post.key, "error": str(error)})

    async def _post_one(self, post: Post, at: float) -> None:
        connector = self._connectors[post.connector]
        if post.how == "event":
            await connector.event(external_id=post.key, thread=post.thread, kind=post.kind)
            self.events += 1
        elif post.how in ("mail", "poison"):
            content = POISON if post.how == "poison" else _mail(post)
            answer = await connector.session.call(
                "POST",
                f"/intake/v1/email/{post.connector}",
                content=content,
                headers={"Content-Type": "message/rfc822"},
            )
            body = answer.json()
            if body.get("quarantine_id"):
                self.quarantined += 1
            else:
                self._note(post, at, body)
        else:
            posted = await connector.post(**_message(post))
            self._note(
                post,
                at,
                {"message_id": posted.message_id, "ticket_id": posted.ticket_id, "duplicate": posted.duplicate},
            )

    async def _batch(self, connector: str, batch: list[Post]) -> None:
        async with self._at_once:
            at = time.monotonic()
            self.posted += len(batch)
            try:
                items = await self._connectors[connector].post_batch([_message(post) for post in batch])
            except (ApiError, Unreachable) as error:
                self.failures.append({"key": batch[0].key, "error": str(error), "of": len(batch)})
                return
            for item in items:
                post = batch[item["index"]]
                if item["status"] == 202:
                    self._note(post, at, item)
                else:
                    self.failures.append({"key": post.key, "error": str(item["error"])})

    def _note(self, post: Post, at: float, answer: dict[str, Any]) -> None:
        self.ledger.append(
            {
                "key": post.key,
                "connector": post.connector,
                "channel": post.channel,
                "language": post.language,
                "category": post.category,
                "opens": post.opens,
                "message_id": answer["message_id"],
                "ticket_id": answer["ticket_id"],
                "duplicate": bool(answer["duplicate"]),
                "posted_at": at,
                "answered_ms": (time.monotonic() - at) * 1000,
            }
        )


def _message(post: Post) -> dict[str, Any]:
    message = {
        "external_id": post.key,
        "thread": post.thread,
        "customer": {name: value for name, value in (post.customer or {}).items() if value and name != "language"},
        "subject": post.subject,
        "text": post.text,
    }
    return {name: value for name, value in message.items() if value is not None}


def _mail(post: Post) -> bytes:
    customer = post.customer or {}
    mail = EmailMessage()
    mail["From"] = f"{customer['name']} <{customer['email']}>"
    mail["To"] = "help@shop.example"
    mail["Subject"] = post.subject or "(no subject)"
    mail["Message-ID"] = f"<{post.key}@mail.example>"
    mail.set_content(post.text or "")
    return mail.as_bytes()


async def _tell_progress(customers: Customers) -> None:
    while True:
        tell({"posted": customers.posted, "accepted": sum(not entry["duplicate"] for entry in customers.ledger)})
        await asyncio.sleep(PROGRESS_SECONDS)


async def main(plan: Plan) -> None:
    """Plays, then writes the ledger."""
    async with AsyncExitStack() as sessions:
        customers = Customers(
            {
                slug: Connector(await sessions.enter_async_context(Session(plan.url, token, retry_seconds=60)), slug)
                for slug, token in plan.tokens.items()
            }
        )
        telling = awaited(_tell_progress(customers))
        await customers.play(draw(plan.seconds, plan.rate, plan.seed))
        telling.cancel()
    plan.results.write_bytes(
        orjson.dumps(
            {
                "ledger": customers.ledger,
                "failures": customers.failures,
                "quarantined": customers.quarantined,
                "events": customers.events,
            }
        )
    )
    tell({"done": True})


if __name__ == "__main__":
    uvloop.run(main(read_plan(sys.argv[1])))
