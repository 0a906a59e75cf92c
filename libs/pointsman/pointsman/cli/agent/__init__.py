"""`pointsman agent --as anna`: a headless agent in the terminal, and the shortest whole example of an agent's app."""

from pointsman.cli.agent.command import register

__all__ = ["register"]
