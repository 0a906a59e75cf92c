"""Every contract, by its topic and type: who looks types up imports this, and then they are all known.

Apart from the package, since a process that needs a shape or two should not build a hundred models for them.
"""

from pointsman.contracts import alerting, commands, desk, recomputing, requests, sla, workspace
from pointsman.contracts.base import REGISTRY

__all__ = ["REGISTRY", "alerting", "commands", "desk", "recomputing", "requests", "sla", "workspace"]
