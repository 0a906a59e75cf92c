"""Intake's own settings, from `POINTSMAN_*` variables, beside those of every process."""

from pydantic import Field

from pointsman.runtime.settings import RuntimeSettings


class IntakeSettings(RuntimeSettings):
    """Limits of the channel edge. Sizes are of bodies as they come over the wire."""

    message_bytes_max: int = Field(default=1_048_576, ge=1)
    """The largest body of one message."""
    batch_bytes_max: int = Field(default=16 * 1_048_576, ge=1)
    """The largest body of a batch."""
    batch_messages_max: int = Field(default=1_000, ge=1)
    """A batch has at most so many messages."""
    email_bytes_max: int = Field(default=32 * 1_048_576, ge=1)
    """The largest mail."""
    email_cpu_seconds_max: float = Field(default=0.07, gt=0)
    """How much CPU time the reading of a mail of up to 1 MiB may take before it is quarantined."""
    email_cpu_seconds_per_megabyte: float = Field(default=0.04, ge=0)
    """How much more for each MiB beyond."""
    email_parse_seconds_max: float = Field(default=10.0, gt=0)
    """How long a process that reads mail may stand still with one before another tries; and the CPU time for a mail
    that a person takes out of the quarantine."""
    hook_bytes_max: int = Field(default=4 * 1_048_576, ge=1)
    """The largest body of a provider's webhook."""
    attachment_bytes_max: int = Field(default=25 * 1_048_576, ge=1)
    """The largest attachment."""
    fetch_seconds_max: float = Field(default=60.0, gt=0)
    """How long one try to fetch an attachment from its `url` may take."""
    fetch_rounds_max: int = Field(default=6, ge=1)
    """How often that is tried before the attachment is `failed`."""
    fetch_backoff_seconds: float = Field(default=10.0, gt=0)
    """The pause before the second try; it doubles, to an hour at most."""
    fetches_at_once_max: int = Field(default=4, ge=1)
    """So many attachments are fetched at once in one process."""
    fetch_from_loopback: bool = False
    """Whether attachments may be fetched from addresses of this host: for tests only."""
    config_refresh_seconds: float = 1.0
    """How old what a process knows of the connectors may be."""
    deliver_to_loopback: bool = False
    """Whether replies may be delivered to addresses of this host: for tests and the demo only."""
    delivery_timeout_seconds: float = 15.0
    """How long one delivery may take."""
    delivery_rounds_max: int = Field(default=8, ge=1)
    """How often a delivery is tried before it is failed for good."""
    delivery_backoff_seconds: float = 5.0
    """The pause before the second try; it doubles, to an hour at most."""
    delivery_claim_seconds: float = 120.0
    """How long a process may hold a delivery before another takes it."""
    deliveries_at_once_max: int = Field(default=20, ge=1)
    """So many deliveries at once in one process."""
