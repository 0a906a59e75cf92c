"""The edge's settings, from `POINTSMAN_*` variables, beside those of every process."""

from pathlib import Path

from pydantic import Field

from pointsman.runtime.settings import RuntimeSettings


class EdgeSettings(RuntimeSettings):
    """Where and what the edge serves."""

    edge_host: str = "127.0.0.1"
    """Where the edge listens."""
    edge_port: int = Field(default=8080, ge=0, le=65535)
    """On which port; 0 takes a free one."""
    edge_services: str = ""
    """The services to serve (`intake,routing`); all installed when empty."""
    edge_problem_pages: Path | None = None
    """The folder of the pages that errors name (docs/problems), if others than those that came with the package."""
    edge_connections_max: int = Field(default=4_000, ge=1)
    """How many connections the process has at most; further ones are answered 503 and closed."""
    edge_header_bytes_max: int = Field(default=32_768, ge=1_024)
    """The largest head of a call: its line and its headers."""
    edge_header_seconds_max: float = Field(default=10.0, gt=0)
    """The head of a call comes within so long."""
    edge_body_seconds_max: float = Field(default=120.0, gt=0)
    """And its body within so long."""
    edge_reader_seconds_max: float = Field(default=120.0, gt=0)
    """Who takes nothing of an answer for so long is cut off."""
    edge_refusal_seconds: float = Field(default=0.5, ge=0, le=1)
    """A call that is refused because the process has too much to do, or its token calls too often, is answered after so
    long, up to twice as long, and its connection is not read meanwhile: who asks again at once is slowed down."""
    drain_seconds: int = Field(default=10, ge=1)
    """On SIGTERM calls in flight have so long to end."""
