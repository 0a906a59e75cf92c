"""The supervisor's side: who gets which ticket, and which queues are open."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pointsman.client.session import Session
from pointsman.client.shapes import Ticket


class Supervisor:
    """What a supervisor's token may do with tickets and agents. Every change is idempotent: it may be repeated."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def agents(self) -> list[dict[str, Any]]:
        """Every agent with presence, load, occupancy and recent handle time."""
        return await self.session.pages("/routing/v1/agents")

    async def assign(self, ticket_id: str, agent: str, reason: str, *, override: bool = False) -> Ticket:
        """Gives a ticket to an agent; with `override` above capacity. Raises `ApiError` 409 `no-room` without it."""
        body = {"agent": agent, "reason": reason, "override": override}
        return Ticket.model_validate(await self.session.post(f"/routing/v1/tickets/{ticket_id}/assign", body))

    async def bulk(
        self,
        action: dict[str, Any],
        *,
        ids: Sequence[str] | None = None,
        filter: dict[str, Any] | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """One action (`{"resolve": {"outcome": "spam"}}`) on the tickets named or found: what became of each, or of
        more than two hundred `{job_id}`."""
        body: dict[str, Any] = {"action": action, "dry_run": dry_run}
        body |= {"ids": list(ids)} if ids is not None else {"filter": filter}
        answer: dict[str, Any] = await self.session.post("/routing/v1/tickets:bulk", body)
        return answer

    async def job(self, job_id: str) -> dict[str, Any]:
        """How far a job is."""
        answer: dict[str, Any] = await self.session.get(f"/routing/v1/jobs/{job_id}")
        return answer

    async def close_queue(
        self, queue: str, reason: str, *, until: datetime | None = None, then: str | dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Closes a queue, until an instant or until it is opened; `then` (`hold`, `resolve`, `{"to": …}`) instead of
        its own rule. How it stands."""
        body = {"reason": reason, "until": None if until is None else until.isoformat(), "then": then}
        answer: dict[str, Any] = await self.session.post(f"/routing/v1/queues/{queue}/close", body)
        return answer

    async def open_queue(self, queue: str, reason: str | None = None) -> dict[str, Any]:
        """Ends a closing; outside its hours the queue is open until they begin. How it stands."""
        answer: dict[str, Any] = await self.session.post(f"/routing/v1/queues/{queue}/open", {"reason": reason})
        return answer

    async def requeue(
        self,
        agent: str,
        reason: str,
        *,
        ticket_ids: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
        to: str | None = None,
    ) -> list[Ticket]:
        """Gives an agent's tickets back to their queues, or to the queue `to`; those that were."""
        body: dict[str, Any] = {"reason": reason}
        for name, value in (("ticket_ids", ticket_ids), ("channels", channels)):
            if value is not None:
                body[name] = list(value)
        if to is not None:
            body["to"] = to
        items = (await self.session.post(f"/routing/v1/agents/{agent}/requeue", body))["items"]
        return [Ticket.model_validate(item) for item in items]
