"""What an installation is made of, verified at start: the number of partitions, and the incarnation of its database."""

import secrets
from typing import Any

from pointsman.runtime.settings import RuntimeSettings

IDENTITY = """
    SELECT (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
           (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline
"""

INSERT = "INSERT INTO installation (partitions, incarnation, system_identifier, timeline) VALUES ($1, $2, $3, $4)"


class WrongInstallation(RuntimeError):
    """The settings do not fit the stored installation."""


async def verify_installation(db: Any, settings: RuntimeSettings) -> str:
    """Stores the installation at the first start, checks it at every later one; returns the incarnation.

    The incarnation is part of every source's name. It is renewed when the schema is found in another database cluster
    or on another timeline than the one it was written in (restored from a backup): numbers that were given and lost
    would otherwise be given twice. Raises `WrongInstallation` when the number of partitions is another.
    """
    async with db.transaction():
        await db.execute("LOCK TABLE installation IN SHARE ROW EXCLUSIVE MODE")
        identity = await db.fetchrow(IDENTITY)
        known = await db.fetchrow("SELECT * FROM installation")
        if known is None:
            incarnation = secrets.token_hex(4)
            await db.execute(
                INSERT,
                settings.partitions,
                incarnation,
                identity["system_identifier"],
                identity["timeline"],
            )
            return incarnation
        if known["partitions"] != settings.partitions:
            raise WrongInstallation(
                f"this installation has {known['partitions']} partitions, the settings say {settings.partitions}: "
                "the number is fixed when an installation is made (POINTSMAN_PARTITIONS)"
            )
        if (known["system_identifier"], known["timeline"]) == (identity["system_identifier"], identity["timeline"]):
            return str(known["incarnation"])
        incarnation = secrets.token_hex(4)
        await db.execute(
            "UPDATE installation SET incarnation = $1, system_identifier = $2, timeline = $3",
            incarnation,
            identity["system_identifier"],
            identity["timeline"],
        )
        return incarnation
