"""Waiting on a condition: what tests do instead of sleeping for a guessed time."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

_POLL_SECONDS = 0.01


async def until(condition: Callable[[], Any], within_seconds: float = 30.0) -> Any:
    """Waits until a condition holds, which may itself wait (a query, a call), and returns its value.

    Raises `AssertionError` when it does not come to hold in time.
    """
    deadline = asyncio.get_running_loop().time() + within_seconds
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert asyncio.get_running_loop().time() < deadline, f"not within {within_seconds} s: {condition}"
        await asyncio.sleep(_POLL_SECONDS)
