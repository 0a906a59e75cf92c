"""The sla service's own settings, from `POINTSMAN_*` variables, beside those of every process. Everything else is
configuration of the workspaces."""

from pydantic import Field

from pointsman.runtime.settings import RuntimeSettings


class SlaSettings(RuntimeSettings):
    """See `RuntimeSettings` and docs/settings.md."""

    public_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    """Where people reach this installation (`https://pointsman.example`): messages then have a link that acknowledges.
    Without it they have none."""
    ack_link_seconds: int = Field(default=86_400, ge=60)
    """How long such a link is good."""
    notify_to_loopback: bool = False
    """Whether notifications may be sent to addresses of this host: for tests and the demo only."""
    notify_timeout_seconds: float = Field(default=15.0, gt=0)
    """How long one address may take to be told."""
    notify_rounds_max: int = Field(default=8, ge=1)
    """How often a notification is sent to a target that refuses it before it is dead."""
    notify_backoff_seconds: float = Field(default=5.0, ge=0)
    """The pause before the second try; it doubles, to an hour at most."""
    notify_claim_seconds: float = Field(default=240.0, gt=0)
    """How long a process may hold a notification that it sends before another sends it: longer than all addresses of a
    target may take."""
    notify_at_once_max: int = Field(default=10, ge=1)
    """So many notifications are sent at once by one process."""
    alerts_days: int = Field(default=400, ge=1)
    """How long resolved alerts and ended silences are kept; and of alerts that stay open, which clocks left and what
    happened."""
    notify_kept_days: int = Field(default=30, ge=1)
    """How long notifications are kept, and what they told."""
