"""An instant, for tests that need some."""

from datetime import UTC, datetime

from pointsman.core.instant import Instant

NOON: Instant = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday noon."""
