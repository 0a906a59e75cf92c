"""`connectors` and `channels`: where messages come from, how they are trusted, what a channel's tickets are like."""

from typing import Annotated, Any, Literal

from pydantic import Field, IPvAnyNetwork, StrictBool, field_serializer

from pointsman.contracts.document.parts import (
    Label,
    Needs,
    Part,
    PositiveSeconds,
    Seconds,
    SecretName,
    Short,
    Slug,
    Tags,
)
from pointsman.contracts.shapes import Channel, Priority

KINDS = (
    "json", "cloudevents", "smtp", "lmtp", "imap", "gmail", "graph", "mime", "mailgun", "sendgrid", "postmark", "ses",
    "sns", "mandrill", "brevo", "mailersend", "postal", "resend", "slack", "teams", "meta", "whatsapp", "messenger",
    "instagram", "facebook", "telegram",
    "twilio", "line", "x", "twitter", "mastodon", "activitypub", "zendesk", "freshdesk", "jira", "servicenow",
    "salesforce", "hubspot", "intercom", "front", "github", "gitlab", "groove", "zapier", "mention", "appfollow",
    "bandwidth", "deskdotcom", "tiktok", "webhook",
)  # fmt: skip
"""What a connector can be. `json` is Pointsman's own message format; the others name a provider or a protocol. A list
of the door (`closed`): what stands may have another, of an earlier release."""

SCHEMES = (
    "standard-webhooks", "slack-v0", "x-hub-signature-256", "x-hub-signature", "x-signature", "meta-verify-token",
    "mailgun", "mandrill", "sendgrid", "postmark", "aws-sns", "http-basic", "bearer", "telegram-secret-token",
    "twilio-sha1", "line", "tiktok", "x-crc", "twitter", "botframework-jwt", "teams-outgoing-hmac",
    "http-signature-cavage", "http-signature-rfc9421", "front-app-sha256", "hubspot-v3", "hubspot-v1", "intercom",
    "jira", "zendesk", "freshdesk", "servicenow", "salesforce", "github", "gitlab-token", "token",
)  # fmt: skip
"""How a provider proves that it sent the bytes."""


class Verify(Part):
    """How what arrives is trusted: `trust` lists networks, a `scheme` checks a signature with `secret`;
    `challenge_secret` answers the provider's subscription challenge."""

    trust: Annotated[tuple[IPvAnyNetwork, ...], Field(max_length=100)] = ()
    scheme: Annotated[str, Field(json_schema_extra={"enum": [*SCHEMES]})] | None = None
    secret: SecretName | None = None
    challenge_secret: SecretName | None = None

    @field_serializer("trust")
    def _networks(self, trust: tuple[Any, ...]) -> list[str]:
        return [str(network) for network in trust]


class Send(Part):
    """Where replies go. Without `send` the connector pulls them (`GET /replies`)."""

    kind: Literal["smtp", "webhook", "slack", "meta", "provider"] = "webhook"
    url_from: SecretName | None = None
    secret: SecretName | None = None


class Labelled(Part):
    """What a rule or a connector's default sets. A key that is absent sets nothing."""

    category: Label | None = None
    queue: Slug | None = None
    priority: Priority | None = None
    requires: Needs = {}
    prefers: Needs = {}
    tags: Tags = ()
    language: Annotated[str, Field(max_length=20)] | None = None


class Connector(Part):
    """One configured source on a channel. `hints`: its messages may say how to route them. `customers: write`: it may
    change what rules, policies and affinity go by: its customers' tier, organization and owner. `form_senders`:
    addresses, or `@domain`, that write for others, as contact forms do: the Reply-To of their mail is the customer."""

    channel: Channel
    kind: Annotated[str, Field(json_schema_extra={"enum": [*KINDS]})]
    addresses: Annotated[tuple[Short, ...], Field(max_length=100)] = ()
    form_senders: Annotated[tuple[Short, ...], Field(max_length=100)] = ()
    verify: Verify = Verify()
    send: Send | None = None
    auto_reply: Slug | None = None
    hints: StrictBool = False
    customers: Literal["write"] | None = None
    default: Labelled = Labelled()


class ChannelSettings(Part):
    """What tickets of a channel are like.

    `weight`: units that a ticket charges unless its category says otherwise. `affinity_seconds`: how long the last
    agent is preferred. `pending_holds`: pending keeps the charge. `abandons_after_seconds`: after the customer left.
    """

    weight: Annotated[int, Field(strict=True, ge=0, le=100)] = 1
    affinity_seconds: Seconds = 0
    pending_holds: StrictBool = False
    abandons_after_seconds: PositiveSeconds | None = None


CHANNEL_DEFAULTS: dict[Channel, dict[str, Any]] = {
    "email": {"weight": 1, "affinity_seconds": 3600},
    "chat": {"weight": 2, "affinity_seconds": 30, "pending_holds": True, "abandons_after_seconds": 300},
    "social": {"weight": 1},
}
"""A channel that says nothing of a key has this value."""
