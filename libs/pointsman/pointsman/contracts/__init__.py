"""The contracts: facts and commands by producer, topics, codec, schemas and examples.

Importing this package registers every contract, so that the codec knows them all.
"""

from pointsman.contracts import alerting, commands, desk, recomputing, requests, sla, workspace

__all__ = ["alerting", "commands", "desk", "recomputing", "requests", "sla", "workspace"]
