"""The agent's side: presence, offers by long poll, and what is done with a ticket."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from pointsman.client.session import ApiError, Session, Unreachable

LEASE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Offer:
    """A ticket shown to this agent until it expires."""

    id: str
    ticket_id: str
    ticket: dict[str, Any]
    reason: str
    expires_in_seconds: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """A ticket that this agent holds."""

    ticket_id: str
    ticket: dict[str, Any]


class Agent:
    """One app session of the agent that the token names. Every change is idempotent: it may be repeated."""

    def __init__(self, session: Session, *, app_session: str | None = None, lease_seconds: int = LEASE_SECONDS) -> None:
        self.session = session
        self.app_session = app_session or uuid4().hex
        self.lease_seconds = lease_seconds

    async def set_presence(self, state: str | None = None, reason: str | None = None) -> dict[str, Any]:
        """Renews the lease; with `state` because the person chose it."""
        body: dict[str, Any] = {"session": self.app_session, "lease_seconds": self.lease_seconds}
        if state is not None:
            body["state"] = state
        if reason is not None:
            body["reason"] = reason
        answer: dict[str, Any] = (await self.session.call("PUT", "/routing/v1/me/presence", json=body)).json()
        return answer

    @asynccontextmanager
    async def present(self) -> AsyncIterator[None]:
        """Keeps the lease alive within the block, from `available` on; afterwards the session is over."""
        await self.set_presence("available")
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])
            await self.leave()

    async def leave(self) -> None:
        """Ends this app session; the last one of an agent makes them offline."""
        await self.session.call("DELETE", f"/routing/v1/me/sessions/{self.app_session}")

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.lease_seconds / 3)
            try:
                await self.set_presence()
            except (ApiError, Unreachable):
                continue  # The lease lasts two more attempts; a state that a supervisor holds is not ours to change.

    async def offers(self, after: str | None = None, wait_seconds: int = 25) -> tuple[list[Offer], str]:
        """The pending offers: without `after` as they are now, with it when they differ from that cursor."""
        answer = await self.session.call(
            "GET",
            "/routing/v1/me/offers",
            params={"wait": wait_seconds, "after": after},
            timeout_seconds=wait_seconds + 15.0,
        )
        page = answer.json()
        offers = [
            Offer(item["id"], item["ticket"]["id"], item["ticket"], item["reason"], item["expires_in_seconds"])
            for item in page["items"]
            if item["state"] == "pending"
        ]
        return offers, page["cursor"]

    async def assignments(self) -> list[Assignment]:
        """What this agent holds now."""
        page = await self.session.get("/routing/v1/me/assignments")
        return [Assignment(item["id"], item) for item in page["items"]]

    async def accept(self, offer_id: str) -> dict[str, Any]:
        """Takes the offer. Raises `ApiError` 409 when it is too late, naming the holder."""
        answer: dict[str, Any] = await self.session.post(
            f"/routing/v1/offers/{offer_id}/accept", key=f"{offer_id}-accept"
        )
        return answer

    async def reject(self, offer_id: str, reason: str | None = None) -> None:
        """Declines the offer."""
        await self.session.post(f"/routing/v1/offers/{offer_id}/reject", {"reason": reason}, key=f"{offer_id}-reject")

    async def reply(self, ticket_id: str, text: str, *, public: bool = True, key: str | None = None) -> dict[str, Any]:
        """Writes to the customer, or with `public=False` a note."""
        answer: dict[str, Any] = await self.session.post(
            f"/routing/v1/tickets/{ticket_id}/messages", {"text": text, "public": public}, key=key
        )
        return answer

    async def pend(self, ticket_id: str, waiting_on: str) -> dict[str, Any]:
        """Waits for the customer or a third party."""
        answer: dict[str, Any] = await self.session.post(
            f"/routing/v1/tickets/{ticket_id}/pend", {"waiting_on": waiting_on}
        )
        return answer

    async def snooze(self, ticket_id: str, until: datetime) -> dict[str, Any]:
        """Sets the ticket aside until an instant."""
        answer: dict[str, Any] = await self.session.post(
            f"/routing/v1/tickets/{ticket_id}/snooze", {"until": until.isoformat()}
        )
        return answer

    async def start(
        self, connector: str, customer: dict[str, Any], text: str, *, subject: str | None = None, public: bool = True
    ) -> dict[str, Any]:
        """Begins a ticket with a customer (`{id, email, phone, handle, name}`), assigned to this agent."""
        body = {"connector": connector, "customer": customer, "text": text, "public": public, "subject": subject}
        answer: dict[str, Any] = await self.session.post("/routing/v1/tickets", body)
        return answer

    async def transfer(
        self, ticket_id: str, reason: str, *, wait_seconds: int | None = None, **to: Any
    ) -> dict[str, Any]:
        """Hands the ticket on to `queue=`, `agent=` or `skills=`. Raises `ApiError` 409 `no-room` when the agent is
        absent or full, unless the ticket may wait for them."""
        body: dict[str, Any] = {"to": to, "reason": reason}
        if wait_seconds is not None:
            body["wait_seconds"] = wait_seconds
        answer: dict[str, Any] = await self.session.post(f"/routing/v1/tickets/{ticket_id}/transfer", body)
        return answer

    async def take(self, ticket_id: str) -> dict[str, Any]:
        """Takes a waiting ticket of a queue with `pull`. Raises `ApiError` 409 naming who has it."""
        answer: dict[str, Any] = await self.session.post(f"/routing/v1/tickets/{ticket_id}/take")
        return answer

    async def handover(self, reason: str, ticket_ids: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Gives tickets back to their queues, all without `ticket_ids`; those that were."""
        body: dict[str, Any] = {"reason": reason}
        if ticket_ids is not None:
            body["ticket_ids"] = list(ticket_ids)
        items: list[dict[str, Any]] = (await self.session.post("/routing/v1/me/handover", body))["items"]
        return items

    async def resolve(
        self,
        ticket_id: str,
        outcome: str = "solved",
        *,
        wrap_up_seconds: int | None = None,
        last_message_id: str | None = None,
        force: bool = False,
    ) -> dict[str, Any]:
        """Ends the matter. Raises `ApiError` 409 `unseen-message` when the customer wrote something newer."""
        body: dict[str, Any] = {"outcome": outcome, "force": force}
        if wrap_up_seconds is not None:
            body["wrap_up_seconds"] = wrap_up_seconds
        if last_message_id is not None:
            body["last_message_id"] = last_message_id
        answer: dict[str, Any] = await self.session.post(f"/routing/v1/tickets/{ticket_id}/resolve", body)
        return answer

    async def merge(
        self, ticket_id: str, into: str, reason: str, *, different_customers: bool = False
    ) -> dict[str, Any]:
        """Lets the ticket's matter go on in another; the closed ticket is returned. Raises `ApiError` 409 when that one
        is another customer's or not open."""
        body = {"into": into, "reason": reason, "different_customers": different_customers}
        answer: dict[str, Any] = await self.session.post(f"/routing/v1/tickets/{ticket_id}/merge", body)
        return answer

    async def split(self, ticket_id: str, message_ids: Sequence[str], reason: str) -> dict[str, Any]:
        """Makes these messages a ticket of their own, which is returned."""
        body = {"message_ids": list(message_ids), "reason": reason}
        answer: dict[str, Any] = await self.session.post(f"/routing/v1/tickets/{ticket_id}/split", body)
        return answer

    async def finish_wrap_up(self, ticket_id: str) -> None:
        """The after-work is done; the charge is free."""
        await self.session.post(f"/routing/v1/tickets/{ticket_id}/wrap-up/finish")
