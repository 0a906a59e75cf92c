"""How being on duty ends: well, with what the block raised, or with what ended the renewing."""

import asyncio
from typing import cast

import pytest

from pointsman.client.duty import on_duty
from pointsman.client.shapes import Presence

PRESENCE = cast("Presence", object())


class Lease:
    """A lease whose renewals are answered, until they raise."""

    lease_seconds = 0

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.renewals = 0
        self.renewed = asyncio.Event()
        self.left = False

    async def set_presence(self, state: str | None = None, reason: str | None = None) -> Presence:
        if state is None:
            self.renewals += 1
            self.renewed.set()
            if self.error is not None:
                raise self.error
        return PRESENCE

    async def leave(self) -> None:
        self.left = True


async def test_a_duty_that_ends_well_raises_nothing() -> None:
    lease = Lease()
    async with on_duty(lease, "available"):
        await lease.renewed.wait()
    renewals = lease.renewals
    await asyncio.sleep(0)
    assert (lease.left, lease.renewals) == (True, renewals)
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_a_duty_ends_with_what_its_block_raised() -> None:
    lease = Lease(ZeroDivisionError())

    async def block() -> None:
        async with on_duty(lease, "available") as duty:
            await duty.ended.wait()
            raise KeyError

    with pytest.raises(KeyError):
        await block()
    assert lease.left


async def test_a_duty_whose_renewing_failed_ends_with_that() -> None:
    lease = Lease(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        async with on_duty(lease, "available") as duty:
            await duty.ended.wait()
    assert lease.left
