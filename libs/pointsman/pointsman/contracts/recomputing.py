"""The command for sla that lays open tickets' clocks anew, and the name of the job that does it."""

from pointsman.contracts.commands import TOPIC, Command
from pointsman.core.ids import derived_id
from pointsman.core.instant import Instant


class ClocksRecompute(Command, topic=TOPIC, type="clocks.recompute"):
    """`POST /recompute`: open tickets' clocks under the newest version. Both empty: all; else the tickets of these
    policies or calendars, as they are or as the version makes them. A dry run counts and changes nothing."""

    policies: tuple[str, ...] = ()
    calendars: tuple[str, ...] = ()
    dry_run: bool = False
    reason: str | None = None


def recompute_job_id(workspace: str, applied_at: Instant, version: int) -> str:
    """The job by which a version that is applied with `open_clocks=recompute` recomputes."""
    return derived_id("job", applied_at, workspace, "config", version)


__all__ = ["ClocksRecompute", "recompute_job_id"]
