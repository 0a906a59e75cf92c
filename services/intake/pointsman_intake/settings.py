"""Intake's own settings, from `POINTSMAN_*` variables, beside those of every process."""

from pydantic import Field

from pointsman.runtime.settings import RuntimeSettings


class IntakeSettings(RuntimeSettings):
    """Limits of the channel edge. Sizes are of bodies as they come over the wire."""

    message_bytes_max: int = Field(default=1_048_576, ge=1)
    batch_bytes_max: int = Field(default=16 * 1_048_576, ge=1)
    batch_messages_max: int = Field(default=1_000, ge=1)
    email_bytes_max: int = Field(default=32 * 1_048_576, ge=1)
    email_parse_seconds_max: float = 10.0
    hook_bytes_max: int = Field(default=4 * 1_048_576, ge=1)
    attachment_bytes_max: int = Field(default=25 * 1_048_576, ge=1)
    config_refresh_seconds: float = 1.0
    deliver_to_loopback: bool = False
    delivery_timeout_seconds: float = 15.0
    delivery_rounds_max: int = Field(default=8, ge=1)
    delivery_backoff_seconds: float = 5.0
    delivery_claim_seconds: float = 120.0
    deliveries_at_once_max: int = Field(default=20, ge=1)
