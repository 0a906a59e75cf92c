"""The connector's side: customers' messages in, public replies out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.client.session import Session

BATCH_MESSAGES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was accepted (it is durable now), and the ticket that it is on."""

    message_id: str
    ticket_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A mail that could not be understood: kept whole, and visible to supervisors."""

    quarantine_id: str
    reason: str


class Connector:
    """One connector of a workspace. A message's `external_id` is its idempotency key: posting it again is harmless."""

    def __init__(self, session: Session, connector: str) -> None:
        self.session = session
        self.connector = connector

    async def post(self, **message: Any) -> Posted:
        """Posts one message (API.md, `POST /messages`)."""
        return _posted(await self.session.post("/intake/v1/messages", {"connector": self.connector, **message}))

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
            return Quarantined(said["quarantine_id"], said["reason"])
        return _posted(said)

    async def event(self, **event: Any) -> None:
        """Tells that the customer left, returned, typed, …, or what became of a reply."""
        await self.session.post("/intake/v1/events", {"connector": self.connector, **event})

    async def replies(
        self, after: str | None = None, wait_seconds: int = 30
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Public replies to deliver (for connectors that pull), and the cursor to go on from."""
        answer = await self.session.call(
            "GET",
            "/intake/v1/replies",
            params={"connector": self.connector, "after": after, "wait": wait_seconds},
            timeout_seconds=wait_seconds + 15.0,
        )
        page = answer.json()
        return page["items"], page.get("cursor")

    async def delivered(self, reply_id: str, external_id: str | None = None) -> None:
        """A reply reached the customer."""
        body = {} if external_id is None else {"external_id": external_id}
        await self.session.post(f"/intake/v1/replies/{reply_id}/delivered", body)


def _posted(body: dict[str, Any]) -> Posted:
    return Posted(body["message_id"], body["ticket_id"], bool(body.get("duplicate")))
