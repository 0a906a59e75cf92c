"""Settings of routing's processes: the runtime's. Everything else is configuration of the workspaces."""

from pointsman.runtime.settings import RuntimeSettings


class RoutingSettings(RuntimeSettings):
    """See `RuntimeSettings` and docs/settings.md."""
