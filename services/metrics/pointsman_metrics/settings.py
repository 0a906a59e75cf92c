"""Metrics' settings."""

from pointsman.runtime.settings import RuntimeSettings


class MetricsSettings(RuntimeSettings):
    """`POINTSMAN_*` variables of a metrics process."""

    figures_workspaces: str = ""
    """The workspaces whose names and queues may be labels of the figures at `/metrics` (`acme,globex`; `*` for all).
    All others are summed."""
