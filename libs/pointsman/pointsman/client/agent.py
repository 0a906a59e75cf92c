"""The agent's side: presence, offers, and what is done with a ticket."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any
from uuid import uuid4

from pointsman.client.duty import Duty, on_duty
from pointsman.client.session import ApiError, Session, Unreachable
from pointsman.client.shapes import Message, Notice, Offer, Presence, Ticket
from pointsman.client.sse import followed

LEASE_SECONDS = 60
POLL_SECONDS = 50
AGAIN_SECONDS = 1.0


class Agent:
    """One app session of the agent that the token names. Every change is idempotent: it may be repeated."""

    def __init__(self, session: Session, *, app_session: str | None = None, lease_seconds: int = LEASE_SECONDS) -> None:
        self.session = session
        self.app_session = app_session or uuid4().hex
        self.lease_seconds = lease_seconds

    def on_duty(self, state: str | None = "available") -> AbstractAsyncContextManager[Duty]:
        """Present within the block: the lease is renewed in the background, and the session over afterwards.

        `state` is what the person chose; None takes up what they had chosen before.
        """
        return on_duty(self, state)

    async def set_presence(self, state: str | None = None, reason: str | None = None) -> Presence:
        """Renews the lease; with `state` because the person chose it."""
        body: dict[str, Any] = {"session": self.app_session, "lease_seconds": self.lease_seconds}
        if state is not None:
            body["state"] = state
        if reason is not None:
            body["reason"] = reason
        answer = await self.session.call("PUT", "/routing/v1/me/presence", json=body)
        return Presence.model_validate(answer.json())

    async def leave(self) -> None:
        """Ends this app session; the last one of an agent makes them offline."""
        await self.session.call("DELETE", f"/routing/v1/me/sessions/{self.app_session}")

    async def offers(self, *, ended: bool = False, wait_seconds: int = POLL_SECONDS) -> AsyncIterator[Offer]:
        """Every offer to this agent as it is made, for ever, beginning with those that are pending; with `ended` also
        what becomes of them. What the connection loses is asked for again. Raises `ApiError` when it is refused."""
        cursor: str | None = None
        known: set[str] = set()
        while True:
            try:
                page, cursor = await self.poll_offers(cursor, wait_seconds)
            except (ApiError, Unreachable) as error:
                if isinstance(error, ApiError) and not error.passing:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            for offer in page:
                if offer.pending and offer.id not in known:
                    known.add(offer.id)
                    yield offer
                elif not offer.pending:
                    known.discard(offer.id)
                    if ended:
                        yield offer

    async def poll_offers(self, after: str | None = None, wait_seconds: int = POLL_SECONDS) -> tuple[list[Offer], str]:
        """One long poll: (offers, cursor). Without `after` those that are pending, with it what changed since."""
        answer = await self.session.call(
            "GET",
            "/routing/v1/me/offers",
            params={"wait": wait_seconds, "after": after},
            timeout_seconds=wait_seconds + 15.0,
        )
        page = answer.json()
        return [Offer.model_validate(item) for item in page["items"]], page["cursor"]

    def stream(self, last_id: str | None = None) -> AsyncIterator[Notice]:
        """Everything that concerns this agent as it happens, for ever: offers, tickets, messages, warnings, viewers. A
        connection that breaks is made again behind the last notice. Raises `ApiError` when it is refused."""
        return followed(self.session, "/routing/v1/me/stream", last_id)

    async def assignments(self) -> list[Ticket]:
        """What this agent holds now, wrap-ups too."""
        return [Ticket.model_validate(item) for item in await self.session.pages("/routing/v1/me/assignments")]

    async def ticket(self, ticket_id: str) -> Ticket:
        """One ticket. Raises `ApiError` 404."""
        return Ticket.model_validate(await self.session.get(f"/routing/v1/tickets/{ticket_id}"))

    async def messages(self, ticket_id: str) -> list[Message]:
        """The ticket's messages and notes, oldest first."""
        items = await self.session.pages(f"/routing/v1/tickets/{ticket_id}/messages")
        return [Message.model_validate(item) for item in items]

    async def explain(self, ticket_id: str, agent: str | None = None) -> dict[str, Any]:
        """Why the ticket is where it is, or why (not) this agent; `sentence` says it in words."""
        answer: dict[str, Any] = await self.session.get(f"/routing/v1/tickets/{ticket_id}/explain", agent=agent)
        return answer

    async def view(self, ticket_id: str) -> list[str]:
        """Says that the ticket is on this agent's screen for the next 30 seconds; who looks at it now."""
        body = {"session": self.app_session}
        answer = await self.session.call("PUT", f"/routing/v1/tickets/{ticket_id}/viewing", json=body)
        return [viewer["agent"] for viewer in answer.json()["viewers"]]

    async def accept(self, offer_id: str) -> Offer:
        """Takes the offer. Raises `ApiError` 409 when it is too late, naming the holder."""
        answer = await self.session.post(f"/routing/v1/offers/{offer_id}/accept", key=f"{offer_id}-accept")
        return Offer.model_validate(answer)

    async def reject(self, offer_id: str, reason: str | None = None) -> None:
        """Declines the offer."""
        await self.session.post(f"/routing/v1/offers/{offer_id}/reject", {"reason": reason}, key=f"{offer_id}-reject")

    async def reply(
        self,
        ticket_id: str,
        text: str,
        *,
        public: bool = True,
        html: str | None = None,
        cc: Sequence[str] = (),
        attachment_ids: Sequence[str] = (),
        reply_to_message: str | None = None,
        key: str | None = None,
    ) -> Message:
        """Writes to the customer, or with `public=False` a note. `attachment_ids` are of `attach`."""
        body = _given(text=text, public=public, html=html, reply_to_message=reply_to_message)
        body |= {name: list(value) for name, value in (("cc", cc), ("attachment_ids", attachment_ids)) if value}
        return Message.model_validate(
            await self.session.post(f"/routing/v1/tickets/{ticket_id}/messages", body, key=key)
        )

    async def attach(self, name: str, content: bytes, content_type: str = "application/octet-stream") -> str:
        """Stores a file; its id goes into a reply's `attachment_ids`."""
        return await self.session.attach(name, content, content_type)

    async def note(self, ticket_id: str, text: str) -> Message:
        """Writes what only colleagues read."""
        return await self.reply(ticket_id, text, public=False)

    async def pend(
        self,
        ticket_id: str,
        waiting_on: str,
        *,
        until: datetime | None = None,
        then: str | None = None,
        reason: str | None = None,
        last_message_id: str | None = None,
        force: bool = False,
    ) -> Ticket:
        """Waits for the `customer` or a `third_party`, and at `until` does `then`: return or resolve. Raises `ApiError`
        409 `unseen-message` when the customer wrote something newer than `last_message_id`."""
        body = _given(waiting_on=waiting_on, then=then, reason=reason, last_message_id=last_message_id, force=force)
        if until is not None:
            body["until"] = until.isoformat()
        return await self._change(ticket_id, "pend", body)

    async def snooze(
        self, ticket_id: str, until: datetime, *, last_message_id: str | None = None, force: bool = False
    ) -> Ticket:
        """Sets the ticket aside until an instant. Raises `ApiError` 409 `unseen-message` when the customer wrote
        something newer than `last_message_id`."""
        body = _given(until=until.isoformat(), last_message_id=last_message_id, force=force)
        return await self._change(ticket_id, "snooze", body)

    async def start(
        self, connector: str, customer: dict[str, Any], text: str, *, subject: str | None = None, public: bool = True
    ) -> Ticket:
        """Begins a ticket with a customer (`{id, email, phone, handle, name}`), assigned to this agent."""
        body = {"connector": connector, "customer": customer, "text": text, "public": public, "subject": subject}
        return Ticket.model_validate(await self.session.post("/routing/v1/tickets", body))

    async def transfer(self, ticket_id: str, reason: str, *, wait_seconds: int | None = None, **to: Any) -> Ticket:
        """Hands the ticket on to `queue=`, `agent=` or `skills=`. Raises `ApiError` 409 `no-room` when the agent is
        absent or full, unless the ticket may wait for them."""
        return await self._change(ticket_id, "transfer", _given(to=to, reason=reason, wait_seconds=wait_seconds))

    async def take(self, ticket_id: str) -> Ticket:
        """Takes a waiting ticket of a queue with `pull`. Raises `ApiError` 409 naming who has it."""
        return await self._change(ticket_id, "take", None)

    async def handover(self, reason: str, ticket_ids: Sequence[str] | None = None) -> list[Ticket]:
        """Gives tickets back to their queues, all without `ticket_ids`; those that were."""
        body = _given(reason=reason, ticket_ids=None if ticket_ids is None else list(ticket_ids))
        items = (await self.session.post("/routing/v1/me/handover", body))["items"]
        return [Ticket.model_validate(item) for item in items]

    async def resolve(
        self,
        ticket_id: str,
        outcome: str = "solved",
        *,
        category: str | None = None,
        wrap_up_seconds: int | None = None,
        last_message_id: str | None = None,
        force: bool = False,
    ) -> Ticket:
        """Ends the matter. Raises `ApiError` 409 `unseen-message` when the customer wrote something newer than
        `last_message_id`."""
        body = _given(outcome=outcome, category=category, force=force, wrap_up_seconds=wrap_up_seconds)
        body |= _given(last_message_id=last_message_id)
        return await self._change(ticket_id, "resolve", body)

    async def reopen(self, ticket_id: str, reason: str | None = None) -> Ticket:
        """Opens a resolved ticket again."""
        return await self._change(ticket_id, "reopen", {"reason": reason})

    async def label(self, ticket_id: str, **labels: Any) -> Ticket:
        """Corrects `category`, `priority`, `language`, `tags` ({add, remove}); `reroute` gives it to another queue."""
        return await self._change(ticket_id, "label", labels)

    async def merge(self, ticket_id: str, into: str, reason: str, *, different_customers: bool = False) -> Ticket:
        """Lets the ticket's matter go on in another; the closed ticket is returned. Raises `ApiError` 409 when that one
        is another customer's or not open."""
        body = {"into": into, "reason": reason, "different_customers": different_customers}
        return await self._change(ticket_id, "merge", body)

    async def split(self, ticket_id: str, message_ids: Sequence[str], reason: str) -> Ticket:
        """Makes these messages a ticket of their own, which is returned."""
        return await self._change(ticket_id, "split", {"message_ids": list(message_ids), "reason": reason})

    async def finish_wrap_up(self, ticket_id: str) -> Ticket:
        """The after-work is done; the charge is free."""
        return await self._change(ticket_id, "wrap-up/finish", None)

    async def _change(self, ticket_id: str, what: str, body: dict[str, Any] | None) -> Ticket:
        return Ticket.model_validate(await self.session.post(f"/routing/v1/tickets/{ticket_id}/{what}", body))


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
