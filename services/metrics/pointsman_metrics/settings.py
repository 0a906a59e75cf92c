"""Metrics' settings. It has none of its own beside the runtime's."""

from pointsman.runtime.settings import RuntimeSettings


class MetricsSettings(RuntimeSettings):
    """`POINTSMAN_*` variables of a metrics process."""
