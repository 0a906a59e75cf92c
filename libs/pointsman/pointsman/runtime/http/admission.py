"""What one process admits: how fast each token and each stranger may call, and how much a token may have open at once.

- A call is charged to its token; one without a token that is known to be valid, to the address that it comes from. So
  guessing tokens is as slow as calling is, and what is refused was charged too.
- A token has so many calls, long polls and streams open at once. All of it is counted per process, for all services.

What is not admitted is answered 429 with `Retry-After`, before its body is read.
"""

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b

from pointsman.runtime.http.load import Load
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.settings import RuntimeSettings

OFTEN = "too many calls with this token"
STRANGE = "too many calls from this address without a token that is known here"
REMEMBERED_MAX = 20_000
"""So many tokens, and so many addresses, are remembered; then the one that called longest ago is forgotten."""

_paid_by: ContextVar[str | None] = ContextVar("_paid_by", default=None)
"""The token that the running call was charged to."""


class Rates:
    """Token buckets, one a name, each of one second's calls."""

    def __init__(self, per_second: float, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._depth = max(1.0, per_second)
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def charge(self, name: str) -> float:
        """Takes one call; 0.0, or in how many seconds there will be one to take."""
        now = self._now()
        left = self._left(name, now)
        taken = left >= 1
        self._buckets[name] = (left - 1 if taken else left, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > REMEMBERED_MAX:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._per_second

    def wait_seconds(self, name: str) -> float:
        """In how many seconds there will be one to take; 0.0 when there is one. Nothing is taken."""
        left = self._left(name, self._now())
        return 0.0 if left >= 1 else (1 - left) / self._per_second

    def _left(self, name: str, now: float) -> float:
        left, at = self._buckets.get(name, (self._depth, now))
        return min(self._depth, left + (now - at) * self._per_second)


class Places:
    """How much of one kind each name has open. `what` is said to whoever finds no place."""

    def __init__(self, count_max: int, what: str) -> None:
        self._count_max, self._what = count_max, what
        self._taken: Counter[str] = Counter()

    def take(self, name: str) -> Callable[[], None]:
        """A place, until the function that is returned is called. Raises `Problem` 429."""
        if self._taken[name] >= self._count_max:
            detail = f"{self._what}: this token has {self._count_max} open in this process, which is the most"
            raise Problem(429, "too-many-at-once", detail, headers={"Retry-After": "1"})
        self._taken[name] += 1
        held = True

        def give_back() -> None:
            nonlocal held
            if held:
                held = False
                self._taken[name] -= 1
                if not self._taken[name]:
                    del self._taken[name]

        return give_back

    @contextmanager
    def taken(self, name: str) -> Iterator[None]:
        """`take` for a `with`."""
        give_back = self.take(name)
        try:
            yield
        finally:
            give_back()

    def count(self, name: str) -> int:
        return self._taken.get(name, 0)


class Admission:
    """One process's limits, shared by its services."""

    def __init__(self, settings: RuntimeSettings) -> None:
        self.tokens = Rates(settings.calls_per_second_max)
        self.strangers = Rates(settings.strangers_calls_per_second_max)
        self.calls = Places(settings.calls_per_token_max, "calls at once")
        self.polls = Places(settings.polls_per_token_max, "long polls")
        self.connections = Places(settings.connections_per_token_max, "connections")
        self.load = Load()
        self.streams = Places(settings.streams_per_token_max, "streams and exports")
        self._proved: OrderedDict[bytes, str] = OrderedDict()

    @contextmanager
    def call(self, authorization: bytes | None, address: str) -> Iterator[None]:
        """One call, from the end of its headers to the answer's last byte. `authorization` is the header's value.
        Raises `Problem` 429."""
        token_id = None if authorization is None else self.token_of(authorization)
        if token_id is None:
            charged(self.strangers, address, STRANGE)
        else:
            charged(self.tokens, token_id, OFTEN)
        paid = _paid_by.set(token_id)
        try:
            with self.calls.taken(token_id or f"address {address}"), self.load.worked_on():
                yield
        finally:
            _paid_by.reset(paid)

    def token_of(self, authorization: bytes) -> str | None:
        """The id of the token in the header, when it was proved before."""
        return self._proved.get(_digest(authorization))

    def proved(self, authorization: str, token_id: str) -> None:
        """The header carries a valid token: from now on its calls are charged to it."""
        digest = _digest(authorization.encode("latin-1"))
        if digest not in self._proved:
            self._proved[digest] = token_id
            if len(self._proved) > REMEMBERED_MAX:
                self._proved.popitem(last=False)

    def refusal(self, token_id: str | None, address: str) -> Problem | None:
        """Why a call is refused unseen: 429, or 503 when the process has too much to do. None: it goes on, and `call`
        charges it."""
        rates, name, detail = (
            (self.tokens, token_id, OFTEN) if token_id is not None else (self.strangers, address, STRANGE)
        )
        seconds = rates.wait_seconds(name)
        if seconds:
            return _too_often(seconds, detail)
        if self.load.full():
            return Problem(503, "overloaded", "this process has too much to do", headers={"Retry-After": "1"})
        return None

    def charge_token(self, token_id: str) -> None:
        """Charges the call to the token, unless it was already. Raises `Problem` 429 when the token calls too often."""
        if _paid_by.get() != token_id:
            charged(self.tokens, token_id, OFTEN)


def charged(rates: Rates, name: str, detail: str) -> None:
    """Takes one call. Raises `Problem` 429 when there is none to take."""
    seconds = rates.charge(name)
    if seconds:
        raise _too_often(seconds, detail)


def _too_often(seconds: float, detail: str) -> Problem:
    return Problem(429, "too-many-calls", detail, headers={"Retry-After": str(math.ceil(seconds))})


def _digest(authorization: bytes) -> bytes:
    return blake2b(authorization, digest_size=16).digest()
