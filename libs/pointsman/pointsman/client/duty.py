"""Being present: the lease of an app session, renewed in the background as long as a block runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from pointsman.client.session import ApiError, Unreachable
from pointsman.client.shapes import Presence

RENEWALS_PER_LEASE = 3


class Leased(Protocol):
    """Whose lease it is: an `Agent`."""

    lease_seconds: int

    async def set_presence(self, state: str | None = None, reason: str | None = None) -> Presence: ...

    async def leave(self) -> None: ...


class Duty:
    """An agent at work. `presence` is what the last renewal answered; `ended` is set when the server takes no renewal
    any more, and `error` says why (the token was revoked, the agent is not configured any more); also when renewing
    itself failed: then the block ends with that."""

    def __init__(self, agent: Leased, presence: Presence) -> None:
        self.agent = agent
        self.presence = presence
        self.ended = asyncio.Event()
        self.error: ApiError | None = None

    async def choose(self, state: str, reason: str | None = None) -> Presence:
        """The person is `available`, `away` or `offline` from now on. Raises `ApiError` 409 `presence-held`."""
        self.presence = await self.agent.set_presence(state, reason)
        return self.presence

    async def renew(self) -> None:
        """Renews until cancelled. What fails is tried again: the lease outlives two attempts, and after a longer
        absence (a laptop that slept) the first renewal brings the agent back as they were."""
        try:
            while self.error is None:
                await asyncio.sleep(self.agent.lease_seconds / RENEWALS_PER_LEASE)
                try:
                    self.presence = await self.agent.set_presence()
                except ApiError as error:
                    if error.status in (401, 403, 404):
                        self.error = error
                except Unreachable:
                    continue
        finally:
            self.ended.set()


@asynccontextmanager
async def on_duty(agent: Leased, state: str | None) -> AsyncIterator[Duty]:
    """See `Agent.on_duty`."""
    duty = Duty(agent, await agent.set_presence(state))
    renewing = asyncio.gather(duty.renew())
    try:
        yield duty
    finally:
        renewing.cancel()
        await asyncio.wait([renewing])
        # A gathering that was cancelled is not `cancelled()`: it holds the error. That one is ours, from above.
        failed = renewing.exception()
        # If that fails the lease ends by itself, and what the block raised matters more.
        with suppress(ApiError, Unreachable):
            await agent.leave()
    if failed is not None and not isinstance(failed, asyncio.CancelledError):
        raise failed  # nobody is left to renew unseen: what ended it is raised here
