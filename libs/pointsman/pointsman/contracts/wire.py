"""What an API process needs of the contracts: the codec, the topics, and the few records that the runtime itself
writes or understands. The runtime imports no contract; each composition hands this module in."""

from collections.abc import Iterator
from typing import Any, cast

from pointsman.contracts.codec import Undecodable, decode, encode_command
from pointsman.contracts.commands import DeadLetterReplay
from pointsman.contracts.shapes import Actor
from pointsman.contracts.topics import DESK, TOPICS
from pointsman.core.instant import Instant, parse_rfc3339

REVOCATIONS = DESK
"""Where it is announced that a token was taken back."""

REVOKED_TYPE = "token.revoked"


def actor(role: str, sub: str) -> Actor:
    """Who asks, as commands and facts name it."""
    return Actor(kind=cast(Any, role), id=sub)


def dead_letter_replay(service: str, dead_letter_id: str, role: str, sub: str) -> DeadLetterReplay:
    """The command that feeds a dead letter into its lane again."""
    return DeadLetterReplay(actor=actor(role, sub), service=service, dead_letter_id=dead_letter_id)


def revoked(facts: list[Any]) -> Iterator[tuple[str, Instant]]:
    """The tokens that a record's facts revoke, each with the instant at which it would have expired."""
    for fact in facts:
        if fact.get("type") == REVOKED_TYPE:
            yield fact["token_id"], parse_rfc3339(fact["expires_at"])


__all__ = [
    "REVOCATIONS",
    "REVOKED_TYPE",
    "TOPICS",
    "Undecodable",
    "actor",
    "dead_letter_replay",
    "decode",
    "encode_command",
    "revoked",
]
