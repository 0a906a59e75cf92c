"""The edge's settings, from `POINTSMAN_*` variables, beside those of every process."""

from pydantic import Field

from pointsman.runtime.settings import RuntimeSettings


class EdgeSettings(RuntimeSettings):
    """Where the edge serves. `edge_services` names the services to serve (`intake,routing`); all installed when empty.
    On SIGTERM calls in flight have `drain_seconds` to end."""

    edge_host: str = "127.0.0.1"
    edge_port: int = Field(default=8080, ge=0, le=65535)
    edge_services: str = ""
    drain_seconds: int = Field(default=10, ge=1)
