"""`bench idle`: what the stack that `pointsman up` starts costs while nobody asks for anything.

`NAME_percent` is what the process NAME and those that it started took of one core, `whole_percent` what all took, and
`whole_megabytes` their memory (each page counted once).
"""

import asyncio
import time
from contextlib import suppress

import psutil

from pointsman.cli.bench.processor import families, spent
from pointsman.cli.bench.servers import Bench, whole_stack
from pointsman.cli.output import say
from pointsman.local.folder import StackFolder

SETTLED_SECONDS = 20.0
IDLE_SECONDS = 30.0


async def figures(bench: Bench) -> dict[str, list[float]]:
    """The samples of every figure."""
    samples: dict[str, list[float]] = {}
    async with whole_stack(bench) as folder:
        await asyncio.sleep(SETTLED_SECONDS)
        for number in range(bench.runs):
            say(f"run {number + 1} of {bench.runs}: {IDLE_SECONDS:g} s of nothing")
            before, began = spent(folder), time.monotonic()
            await asyncio.sleep(IDLE_SECONDS)
            after, took = spent(folder), time.monotonic() - began
            shares = {name: 100 * (after[name] - seconds) / took for name, seconds in before.items()}
            for name, share in {**shares, "whole": sum(shares.values())}.items():
                samples.setdefault(f"{name}_percent", []).append(share)
            samples.setdefault("whole_megabytes", []).append(_memory(folder) / 1e6)
    return samples


def _memory(folder: StackFolder) -> float:
    total = 0.0
    for family in families(folder).values():
        for process in family:
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += process.memory_full_info().pss
    return total
