"""The sla service's settings. It has none of its own beside the runtime's."""

from pointsman.runtime.settings import RuntimeSettings


class SlaSettings(RuntimeSettings):
    """`POINTSMAN_*` variables of an sla process."""
