"""Bytes of a connector to arrivals: which reader a kind has, and what becomes of what nobody understands."""

from pointsman.core.instant import Instant
from pointsman.runtime.http.problems import Problem
from pointsman_intake.connectors import EMAIL_KINDS, META_KINDS, SLACK_KINDS, Connector
from pointsman_intake.hooks.meta import read_meta
from pointsman_intake.hooks.slack import read_slack
from pointsman_intake.mail.readers import Readers
from pointsman_intake.model import Arrival, Raw
from pointsman_intake.normalise import normalise
from pointsman_intake.parsed import ParsedWebhook
from pointsman_intake.storable import kept_read

HOOK_KINDS = SLACK_KINDS | META_KINDS


def read_hook(raw: Raw, workspace: str, slug: str, connector: Connector) -> ParsedWebhook:
    """What a provider's webhook says, as it can be kept. Raises `NotUnderstood`."""
    if connector.kind in SLACK_KINDS:
        return kept_read(read_slack(raw.body, raw.content_type))
    return kept_read(read_meta(raw.body, workspace, slug))


def hook_arrival(
    read: ParsedWebhook,
    raw: Raw,
    workspace: str,
    slug: str,
    connector: Connector,
    at: Instant,
    quarantine_id: str | None = None,
) -> Arrival:
    """The arrival of a webhook that was read."""
    return Arrival(
        workspace,
        slug,
        at,
        raw=raw,
        messages=tuple(normalise(parsed, workspace, slug, connector, at) for parsed in read.messages),
        reports=read.reports,
        token=read.token,
        quarantine_id=quarantine_id,
    )


async def mail_arrival(
    readers: Readers,
    raw: Raw,
    workspace: str,
    slug: str,
    connector: Connector,
    at: Instant,
    *,
    cpu_seconds: float | None = None,
    quarantine_id: str | None = None,
) -> Arrival:
    """The arrival of a raw mail, read in a process that is killed when it takes too much. Raises `NotUnderstood`, and
    `Problem` 503 when no process can be had."""
    parsed = await readers.read(raw.body, connector.addresses, connector.form_senders, cpu_seconds=cpu_seconds)
    message = normalise(parsed, workspace, slug, connector, at)
    return Arrival(workspace, slug, at, raw=raw, messages=(message,), quarantine_id=quarantine_id)


def needs_kind(slug: str, connector: Connector, kinds: frozenset[str], what: str) -> None:
    """Raises `Problem` 422 when the connector is of another kind."""
    if connector.kind not in kinds:
        raise Problem(422, "wrong-connector-kind", f"{slug} is of kind {connector.kind}: it takes no {what}")


__all__ = ["EMAIL_KINDS", "HOOK_KINDS", "hook_arrival", "mail_arrival", "needs_kind", "read_hook"]
