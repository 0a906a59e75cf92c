"""Which keys are valid and do nothing yet. A feature that is built deletes its line here, and nothing else."""

from collections.abc import Iterator
from typing import Any

UNREAD_KINDS = (
    "cloudevents", "gmail", "graph", "mailgun", "sendgrid", "postmark", "ses", "sns", "mandrill", "brevo",
    "mailersend", "postal", "resend", "teams", "telegram", "twilio", "line", "x", "twitter", "mastodon",
    "activitypub", "zendesk", "freshdesk", "jira", "servicenow", "salesforce", "hubspot", "intercom", "front",
    "github", "gitlab", "groove", "zapier", "mention", "appfollow", "bandwidth", "deskdotcom", "tiktok", "webhook",
)  # fmt: skip
"""Kinds of connectors that bring nothing in yet."""

UNPROVED_SCHEMES = (
    "x-hub-signature", "x-signature", "meta-verify-token", "mailgun", "mandrill", "sendgrid", "postmark", "aws-sns",
    "http-basic", "bearer", "telegram-secret-token", "twilio-sha1", "line", "tiktok", "x-crc", "twitter",
    "botframework-jwt", "teams-outgoing-hmac", "http-signature-cavage", "http-signature-rfc9421", "front-app-sha256",
    "hubspot-v3", "hubspot-v1", "intercom", "jira", "zendesk", "freshdesk", "servicenow", "salesforce", "github",
    "gitlab-token", "token",
)  # fmt: skip
"""Schemes by which nothing is proved yet: every webhook is refused."""

UNSENT_KINDS = ("smtp", "slack", "meta", "provider")
"""Ways of sending that are pulled yet."""

INACTIVE: tuple[str, ...] = (
    "/agents/*/hours",
    "/agents/*/login",
    "/teams/*/hours",
    f"/connectors/*/kind={'|'.join(UNREAD_KINDS)}",
    "/connectors/*/verify/trust",
    f"/connectors/*/verify/scheme={'|'.join(UNPROVED_SCHEMES)}",
    f"/connectors/*/send/kind={'|'.join(UNSENT_KINDS)}",
    "/queues/*/wallboard",
    "/surveys",
    "/auth/issuers",
)
"""Patterns of JSON pointers; `*` is any one key or place. `=a|b` asks that the value is one of these. The published
schema and docs/workspace.md are marked by them (`marking`)."""


def is_active(pattern: str) -> bool:
    """Whether a key does something: what reasons about a document leaves out what does not."""
    return not any(one.partition("=")[0] == pattern for one in INACTIVE)


def inactive_pointers(document: dict[str, Any]) -> list[str]:
    """The pointers of keys that are present and not built, in the order of the table; an empty value does not count."""
    found = [pointer for pattern in INACTIVE for pointer in _matches(pattern, document)]
    return list(dict.fromkeys(found))


def _matches(pattern: str, document: dict[str, Any]) -> Iterator[str]:
    path, _, values = pattern.partition("=")
    for pointer, found in _walk(path.split("/")[1:], document, ""):
        if values and found not in values.split("|"):
            continue
        if found in ({}, [], None, False):
            continue
        yield pointer


def _walk(steps: list[str], value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if not steps:
        yield pointer, value
        return
    head, rest = steps[0], steps[1:]
    if head == "*":
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            yield from _walk(rest, item, f"{pointer}/{escaped(key)}")
    elif isinstance(value, dict) and head in value:
        yield from _walk(rest, value[head], f"{pointer}/{head}")


def escaped(key: str | int) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")
