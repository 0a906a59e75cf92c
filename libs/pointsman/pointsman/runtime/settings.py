"""Settings that every process has, from `POINTSMAN_*` variables. Each service adds its own (docs/settings.md)."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class RuntimeSettings(BaseSettings):
    """One installation's addresses and limits. `broker` is `host:port[,…]` or `file:PATH`, read again before every
    reconnect. `database` is a DSN without a user: each service connects as its own role (`pointsman_<service>`)."""

    model_config = SettingsConfigDict(env_prefix="POINTSMAN_", extra="ignore")

    broker: str = "127.0.0.1:9092"
    topic_prefix: str = "pointsman"
    database: str = "postgresql://127.0.0.1:5432/pointsman"
    database_password: str | None = None
    partitions: int = Field(default=24, ge=1, le=1000)
    idempotent_producer: bool = True
    fetch_wait_ms: int = 10
    resend_seconds: int = 900
    lease_seconds: float = 2.5
    batch_milliseconds: int = 20
    batch_records_max: int = 2000
    requests_per_batch_max: int = 500
    command_timeout_seconds: float = 10.0
    gap_patience_seconds: float = 30.0
    blind_after_seconds: float = 5.0
    body_bytes_max: int = 6 * 1_048_576
    calls_per_second_max: float = 20_000
    ops_host: str = "127.0.0.1"
    ops_port: int = 0
    secrets_folder: Path | None = None
    key_file: Path | None = None
    log_format: Literal["json", "console"] = "json"
    log_level: str = "info"
    otlp_endpoint: str | None = None
    service_instance: str | None = None
