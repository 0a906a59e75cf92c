"""Routing's own settings, from `POINTSMAN_*` variables, beside those of every process. Everything else is configuration
of the workspaces."""

from pydantic import Field

from pointsman.runtime.settings import RuntimeSettings


class RoutingSettings(RuntimeSettings):
    """See `RuntimeSettings` and docs/settings.md."""

    webhook_to_loopback: bool = False
    """Whether webhooks of events may call addresses of this host: for tests and the demo only."""
    webhook_timeout_seconds: float = 15.0
    """How long a webhook's receiver may take to answer."""
    webhook_rounds_max: int = Field(default=10, ge=1)
    """How often an event is sent to a webhook that refuses it before it is dead."""
    webhook_backoff_seconds: float = 5.0
    """The pause before the second try; it doubles, to an hour at most."""
    webhook_disable_after_seconds: float = 86_400.0
    """A webhook that took nothing for so long is disabled."""
    webhook_claim_seconds: float = 120.0
    """How long a process may hold an event that it sends before another sends it."""
    webhook_queued_max: int = Field(default=10_000, ge=1)
    """So many events wait in the queue of a webhook; the others wait in the list of events."""
    webhooks_at_once_max: int = Field(default=20, ge=1)
    """So many events are sent at once by one process."""
