"""Secrets that a document names and that no service has: asked of each service that is to use some."""

from collections.abc import Sequence
from typing import Any

from pointsman.client.session import Session
from pointsman.contracts.document.needed import Needed

ASKED_AT_ONCE = 50


async def unset_secrets(session: Session, needed: Sequence[Needed]) -> list[dict[str, Any]]:
    """Those of these secrets that have no value where they are looked up, in the order of the document."""
    unset: set[tuple[str, str]] = set()
    for service in dict.fromkeys(one.service for one in needed):
        names = [*dict.fromkeys(one.name for one in needed if one.service == service)]
        for first in range(0, len(names), ASKED_AT_ONCE):
            answer = await session.get(f"/{service}/v1/secrets/unset", name=names[first : first + ASKED_AT_ONCE])
            unset |= {(service, name) for name in answer["unset"]}
    return [one.plain() for one in needed if (one.service, one.name) in unset]


def worded(unset: dict[str, Any]) -> str:
    """What is missing, what that means and how to mend it, in one line."""
    name, service = unset["secret"], unset["service"]
    return f"{unset['pointer']}: {name} is not set in {service}, nothing comes of it yet: pointsman secret set {name}"
