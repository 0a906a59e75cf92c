"""Who comes: the customers of each class, drawn from streams of their own.

The n-th customer of a class has the same arrival, service and patience whatever the desk does (common random numbers):
each of the three has its own generator, seeded by the scenario's seed, the replication and the class's name, and is
asked in the order of the customers. So two policies meet the same customers, and classes do not disturb one another.
"""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pointsman_routing.simulation.plan import Kind

AT_ONCE = 4096
NEVER_US = 2**62


class Customer(NamedTuple):
    """Times in µs: `at_us` since the start, `service_us` from the assignment on, `patience_us` from the arrival on.
    `who` they are, where that is known: the desk remembers their last agent."""

    at_us: int
    number: int
    service_us: int
    patience_us: int | None
    who: str | None = None


def customers(kind: Kind, unit_us: int, seed: int, replication: int) -> Iterator[Customer]:
    """The customers of a class in the order of their arrival; ends where nobody comes any more."""
    drawn = kind.drawn
    arrivals, services, patiences = (
        _generator(seed, replication, kind.name, of) for of in ("arrival", "service", "patience")
    )
    expected, number = 0.0, 0
    if drawn is None or not any(rate for _, rate in drawn.rates.steps):
        return
    while True:
        gaps = -np.log1p(-arrivals.random(AT_ONCE))
        reached = expected + np.cumsum(gaps)
        expected = float(reached[-1])
        instants = np.rint(np.minimum(drawn.rates.instants(reached), NEVER_US)).astype(np.int64).tolist()
        service = _in_us(drawn.service(services, AT_ONCE), unit_us)
        patience = repeat(None) if drawn.patience is None else _in_us(drawn.patience(patiences, AT_ONCE), unit_us)
        for at_us, service_us, patience_us in zip(instants, service, patience, strict=False):
            if at_us >= NEVER_US:
                return
            number += 1
            yield Customer(at_us, number, service_us, patience_us)


def _in_us(times: NDArray[np.float64], unit_us: int) -> list[int]:
    found: list[int] = np.rint(np.minimum(times * unit_us, NEVER_US)).astype(np.int64).tolist()
    return found


def _generator(seed: int, replication: int, name: str, of: str) -> np.random.Generator:
    key = int.from_bytes(blake2b(f"{name}\x1f{of}".encode(), digest_size=16).digest())
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, replication, key])))
