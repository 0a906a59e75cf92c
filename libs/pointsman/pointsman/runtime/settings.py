"""Settings that every process has, from `POINTSMAN_*` variables. Each service adds its own (docs/settings.md)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class RuntimeSettings(BaseSettings):
    """One installation's addresses and limits."""

    model_config = SettingsConfigDict(env_prefix="POINTSMAN_", extra="ignore")

    broker: str = "127.0.0.1:9092"
    """`host:port[,host:port]`, or `file:PATH` of a file with the address, read again before every reconnect."""
    broker_security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    """How the broker is talked to: over TLS (`ssl`), with a user and password (`sasl_…`), or both."""
    broker_ca_file: Path | None = None
    """The certificates that may have signed the broker's, PEM; without it those that the system trusts."""
    broker_certificate_file: Path | None = None
    """This client's certificate, PEM, for a broker that asks for one."""
    broker_certificate_key_file: Path | None = None
    """Its key, PEM; without it in the certificate's file."""
    broker_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How the user proves the password. `PLAIN` sends it: only over TLS."""
    broker_username: str | None = None
    """The user, with `sasl_…`."""
    broker_password_file: Path | None = None
    """The file with the user's password."""
    topic_prefix: str = "pointsman"
    """What the topics' names begin with."""
    database: str = "postgresql://127.0.0.1:5432/pointsman"
    """A DSN without a user: each service connects as its own role (`pointsman_<service>`)."""
    database_password: str | None = None
    """The password of every service's role, where each has not its own."""
    database_passwords_folder: Path | None = None
    """The folder with `<service>/password`, the password of that service's role: nobody needs another's. (`pointsman
    migrate --passwords FOLDER` makes them.)"""
    database_connections_max: int = Field(default=8, ge=1)
    """So many connections each service's API keeps in one process, beside the few that it has for itself."""
    database_wait_seconds: float = Field(default=5.0, gt=0)
    """How long a call waits for one of them to come free before it answers 503."""
    database_stuck_seconds: float = Field(default=40.0, gt=0)
    """When none came back for so long while one was waited for, the process says that it does not live (`/healthz`)."""
    lane_stuck_seconds: float = Field(default=60.0, gt=0)
    """When a lane had something to decide for so long and decided nothing, though database and broker answer, its
    process says that it does not live."""
    partitions: int = Field(default=24, ge=1, le=1000)
    """Partitions of every topic: a constant of the installation, stored and verified at start."""
    idempotent_producer: bool = True
    """Whether the producer is idempotent. Off only for a broker that cannot (tansu)."""
    fetch_wait_ms: int = Field(default=100, ge=2)
    """How long the broker may wait before it answers a fetch with nothing. A broker that answers only then, also when
    a record came meanwhile (tansu), needs 10."""
    fetch_idle_wait_ms: int = Field(default=500, ge=2)
    """The same once nothing has come for some seconds: up to so long, growing from `fetch_wait_ms`."""
    fetch_rest_ms: int = Field(default=0, ge=0, le=10_000)
    """For a broker that answers a fetch only at the end of its wait (tansu): once nothing has come for some seconds, a
    consumer asks nothing for so long, unless who publishes says by the database that there is something. 0: never."""
    resend_seconds: int = 900
    """How old a fact may be to be sent again to a broker that lost its log."""
    facts_days: int = Field(default=760, ge=8)
    """How long facts are kept, of every service: the timelines of tickets, the list of events and what a replay plays.
    Whole days are dropped; what a cursor older than that asks for is answered with 410 `cursor-too-old`."""
    dead_letters_days: int = Field(default=90, ge=1)
    """How long dead letters, and what was in quarantine, are kept after they were replayed or discarded."""
    lease_seconds: float = 2.5
    """How long a lane's lease lives without renewal: until a stopped worker's lanes are taken by another."""
    batch_milliseconds: int = 20
    """A batch ends after about so long of decisions."""
    batch_records_max: int = 2000
    """A batch has at most so many records."""
    requests_per_batch_max: int = 500
    """Of these at most so many of `requests`: a burst of them must not starve commands."""
    command_timeout_seconds: float = 10.0
    """How long a call waits for its command's outcome before it answers 503, not applied."""
    gap_patience_seconds: float = 30.0
    """How long a missing number may be missing before it is an alarm."""
    blind_after_seconds: float = 5.0
    """How long the broker may be out of reach before SLA timers fire marked as blind."""
    body_bytes_max: int = 6 * 1_048_576
    """The largest body that the APIs take."""
    calls_per_second_max: float = Field(default=500, gt=0)
    """How many calls a second one token may make of one process; what is above is answered 429."""
    strangers_calls_per_second_max: float = Field(default=500, gt=0)
    """How many calls a second may come from one address without a token that is known here: webhooks, links, and who
    guesses."""
    calls_per_token_max: int = Field(default=200, ge=1)
    """How many calls one token may have in one process at once, long polls and streams too."""
    polls_per_token_max: int = Field(default=30, ge=1)
    """How many long polls of these."""
    streams_per_token_max: int = Field(default=10, ge=1)
    """How many streams and downloads of these."""
    connections_per_token_max: int = Field(default=300, ge=1)
    """How many connections to one process a token may have, idle ones too."""
    ops_host: str = "127.0.0.1"
    """Where `/healthz`, `/readyz` and `/metrics` are served."""
    ops_port: int = 0
    """On which port; 0 takes a free one."""
    secrets_folder: Path | None = None
    """The folder with a folder of secrets for each workspace."""
    secrets_key_file: Path | None = None
    """The keys that seal the secrets in the services' stores (`pointsman key create --secrets`): one a line, the first
    seals, each opens. Without it nothing can be put there."""
    key_file: Path | None = None
    """The JWK that signs and verifies tokens (`pointsman key create`). Needed by processes that serve HTTP."""
    log_format: Literal["json", "console"] = "json"
    """`console` is for people."""
    log_level: str = "info"
    """The least level that is logged: `debug`, `info`, `warning`, `error`."""
    otlp_endpoint: str | None = None
    """Where traces are sent, OTLP over HTTP; without it there are none."""
    process_name: str | None = None
    """What this process is called by who keeps it, the same at every start: its restarts are counted under it. Without
    it they are not."""
    service_instance: str | None = None
    """The id of this process in commands and traces; a random one else. Never the same twice."""


class AdministratorSettings(BaseSettings):
    """Who makes roles and schemas: what `pointsman migrate` reads where its arguments do not say it. No running process
    needs them."""

    model_config = SettingsConfigDict(env_prefix="POINTSMAN_ADMIN_", extra="ignore")

    dsn: str | None = None
    """Where the database is: `postgresql://HOST:PORT/NAME`, with parameters such as `?sslmode=verify-full`."""
    user: str | None = None
    """A role that may create roles and schemas."""
    password: str | None = None
    """Its password, as it is: every character may be in it."""


def environment_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """The variables that give a process these settings."""
    return {f"POINTSMAN_{name.upper()}": str(value) for name, value in settings.items()}
