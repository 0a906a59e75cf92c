"""`pointsman chaos`: breaks a stack of its own in every way that must not matter, and verifies that it did not."""

from pointsman.cli.chaos.command import register

__all__ = ["register"]
