"""`webhooks`, `replies`, `surveys`, `auth`: what Pointsman sends by itself, and whose tokens it accepts."""

from typing import Annotated, Literal

from pydantic import Field

from pointsman.contracts.document.classification import Channels
from pointsman.contracts.document.parts import (
    ISSUERS_MAX,
    LIST_MAX,
    LanguageCode,
    Part,
    Seconds,
    SecretName,
    Short,
    Slugs,
    Text,
)
from pointsman.contracts.shapes import Outcome

Event = Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+$", max_length=60)]
"""The type of a fact, as `ticket.assigned`."""

Texts = Annotated[dict[LanguageCode, Text], Field(min_length=1, max_length=50)]
"""Language → text."""


class Webhook(Part):
    """Facts by signed POST (Standard Webhooks). No `queues`: those of every queue."""

    url_from: SecretName | None = None
    secret: SecretName | None = None
    events: Annotated[tuple[Event, ...], Field(max_length=LIST_MAX)] = (
        "ticket.assigned",
        "ticket.resolved",
        "clock.breached",
    )
    queues: Slugs = ()


class Survey(Part):
    """A question after a resolution."""

    after_seconds: Seconds = 3600
    channels: Channels = ("email", "chat")
    ask: Annotated[dict[LanguageCode, Text], Field(max_length=50)] = {}
    once_per_customer_seconds: Seconds = 2_592_000
    skip_outcomes: Annotated[tuple[Outcome, ...], Field(max_length=5)] = ("spam", "duplicate", "abandoned")


class Surveys(Part):
    """The three kinds of survey."""

    csat: Survey | None = None
    nps: Survey | None = None
    ces: Survey | None = None


Role = Literal["connector", "viewer", "agent", "supervisor", "admin"]


class Issuer(Part):
    """An OpenID Connect issuer whose tokens are accepted; `match` tells which claim finds the agent by `login`."""

    issuer: Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=500)]
    audience: Short
    match: Literal["email", "sub", "preferred_username"] = "email"
    roles: Annotated[dict[Short, Role], Field(max_length=100)] = {}


class Auth(Part):
    """Whose tokens are accepted beside our own."""

    issuers: Annotated[tuple[Issuer, ...], Field(max_length=ISSUERS_MAX)] = ()
