"""Ids that a replay gives again: opaque, sortable by time, and derived from what caused them.

An id is `<kind>_<time><digest>`: ten Crockford base32 characters of milliseconds since the epoch, then sixteen of a
BLAKE2b digest over the parts. The same instant and parts give the same id on every run and in every process, so that
a batch that is decided twice writes the same rows. Of things that one transaction makes in an order, the first seven
of the sixteen are that order: their ids ascend in it, although they are of one millisecond.
"""

from functools import lru_cache
from hashlib import blake2b
from secrets import token_bytes

from pointsman.core.instant import Instant

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_ORDER_MAX = (1 << 35) - 1


@lru_cache(maxsize=256)
def _time(milliseconds: int) -> str:
    """Ten characters of time. Many ids are made in one millisecond."""
    ms, two = milliseconds, _PAIRS
    return two[ms >> 40] + two[ms >> 30 & 1023] + two[ms >> 20 & 1023] + two[ms >> 10 & 1023] + two[ms & 1023]


def _digits(digest: int) -> str:
    """Sixteen characters of 80 bits, written out: ids are made several times a message."""
    d, two = digest, _PAIRS
    return (
        f"{two[d >> 70]}{two[d >> 60 & 1023]}{two[d >> 50 & 1023]}{two[d >> 40 & 1023]}"
        f"{two[d >> 30 & 1023]}{two[d >> 20 & 1023]}{two[d >> 10 & 1023]}{two[d & 1023]}"
    )


def derived_id(kind: str, at: Instant, *parts: str | int) -> str:
    """The id of the thing of this `kind` that the given parts identify, sortable by `at`.

    `kind` is a short lower-case prefix (`tkt`, `msg`, `off`). 80 bits of digest: no two of 10^9 things of one
    millisecond are expected to collide.
    """
    digest = blake2b("\x1f".join(map(str, (kind, *parts))).encode(), digest_size=10).digest()
    return f"{kind}_{_time(int(at.timestamp() * 1000))}{_digits(int.from_bytes(digest))}"


def ordered_id(kind: str, at: Instant, order: int, *parts: str | int) -> str:
    """Like `derived_id`, for things that are made together: those of one millisecond sort by `order`, of which the
    lowest 35 bits count. 45 bits of digest tell things of one millisecond and order apart.
    """
    digest = blake2b("\x1f".join(map(str, (kind, order, *parts))).encode(), digest_size=10).digest()
    placed = (order & _ORDER_MAX) << 45 | int.from_bytes(digest) >> 35
    return f"{kind}_{_time(int(at.timestamp() * 1000))}{_digits(placed)}"


def random_id(kind: str, at: Instant) -> str:
    """A fresh id, for things that begin outside the log (a request, a token, a process)."""
    return derived_id(kind, at, token_bytes(16).hex())


def digest_of(data: bytes) -> str:
    """A short stable digest of bytes, to tell whether two bodies are the same."""
    return blake2b(data, digest_size=16).hexdigest()


@lru_cache(maxsize=16_384)
def lane_of(workspace: str, partitions: int) -> int:
    """The lane of a workspace: Kafka's default partitioner (murmur2) over its key, so that any producer that keys by
    workspace agrees. Source: org.apache.kafka.common.utils.Utils#murmur2."""
    return (_murmur2(workspace.encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    length, mixer, mask = len(data), 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ length) & mask
    for start in range(0, length - 3, 4):
        k = int.from_bytes(data[start : start + 4], "little") * mixer & mask
        k = (k ^ (k >> 24)) * mixer & mask
        h = (h * mixer & mask) ^ k
    rest = data[length & ~3 :]
    if rest:
        h = ((h ^ int.from_bytes(rest, "little")) * mixer) & mask
    h = (h ^ (h >> 13)) * mixer & mask
    return h ^ (h >> 15)
