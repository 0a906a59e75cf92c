"""The connector's side: customers' messages in, public replies out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from pointsman.client.session import ApiError, Session, Unreachable
from pointsman.client.shapes import Posted, Quarantined, Reply

POLL_SECONDS = 50
AGAIN_SECONDS = 1.0


class Connector:
    """One connector of a workspace. A message's `external_id` is its idempotency key: posting it again is harmless."""

    def __init__(self, session: Session, connector: str) -> None:
        self.session = session
        self.connector = connector

    async def post(self, **message: Any) -> Posted:
        """Posts one message (API.md, `POST /messages`)."""
        answer = await self.session.post("/intake/v1/messages", {"connector": self.connector, **message})
        return Posted.model_validate(answer)

    async def post_batch(self, messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Posts up to 1,000 messages; an item per message: `{index, status, message_id, …}` or with `error`."""
        body = [{"connector": self.connector, **message} for message in messages]
        items: list[dict[str, Any]] = (await self.session.post("/intake/v1/messages:batch", body))["items"]
        return items

    async def post_email(self, raw: bytes) -> Posted | Quarantined:
        """Posts one raw RFC 5322 message. What cannot be understood is durable too, in the quarantine."""
        answer = await self.session.call(
            "POST",
            f"/intake/v1/email/{self.connector}",
            content=raw,
            headers={"Content-Type": "message/rfc822"},
        )
        said = answer.json()
        if "quarantine_id" in said:
            return Quarantined.model_validate(said)
        return Posted.model_validate(said)

    async def attach(self, name: str, content: bytes, content_type: str = "application/octet-stream") -> dict[str, str]:
        """Stores a file: what to give in a message's `attachments`."""
        return {"attachment_id": await self.session.attach(name, content, content_type)}

    async def event(self, **event: Any) -> None:
        """Tells that the customer left, returned, typed, …, or what became of a reply."""
        await self.session.post("/intake/v1/events", {"connector": self.connector, **event})

    async def replies(self, wait_seconds: int = POLL_SECONDS) -> AsyncIterator[Reply]:
        """Public replies to deliver, for ever, beginning with all that are not settled. Settle each by `delivered` or
        `failed`; until then it comes again when the program starts anew. Raises `ApiError` when it is refused."""
        cursor: str | None = None
        while True:
            try:
                page, cursor = await self.poll_replies(cursor, wait_seconds)
            except (ApiError, Unreachable) as error:
                if isinstance(error, ApiError) and not error.passing:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            for reply in page:
                yield reply

    async def poll_replies(self, after: str | None = None, wait_seconds: int = POLL_SECONDS) -> tuple[list[Reply], str]:
        """One long poll: (replies, cursor)."""
        answer = await self.session.call(
            "GET",
            "/intake/v1/replies",
            params={"connector": self.connector, "after": after, "wait": wait_seconds},
            timeout_seconds=wait_seconds + 15.0,
        )
        page = answer.json()
        return [Reply.model_validate(item) for item in page["items"]], page["cursor"]

    async def delivered(self, reply_id: str, external_id: str | None = None, *, thread: str | None = None) -> None:
        """A reply reached the customer: with the provider's id of it, and the conversation that the provider made of
        it (its messages join the ticket)."""
        given = {"external_id": external_id, "thread": thread}
        body = {name: value for name, value in given.items() if value is not None}
        await self.session.post(f"/intake/v1/replies/{reply_id}/delivered", body)

    async def failed(self, reply_id: str, reason: str, *, permanent: bool = False) -> None:
        """A reply could not be delivered; unless `permanent` it is offered again."""
        body = {"reason": reason, "permanent": permanent}
        await self.session.post(f"/intake/v1/replies/{reply_id}/failed", body)
