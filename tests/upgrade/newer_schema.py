"""A plugin for the pytest of an older release: the databases of its tests get the before-parts of this one.

It is loaded into the older checkout by `run`, and knows no more of that than
`pointsman.testing.installation.make_template`.
"""

import asyncio
import os
import subprocess
from typing import Any

from pointsman.testing import installation

MIGRATES = "POINTSMAN_NEWER_COMMAND"
"""The variable that names the newer release's `pointsman`."""

_make = installation.make_template


async def make_template(postgres: Any, name: str) -> None:
    """As the older release makes it, and then brought on."""
    await _make(postgres, name)
    command = [os.environ[MIGRATES], "migrate", postgres.dsn_of(name), "--password", postgres.password]
    own = {variable: value for variable, value in os.environ.items() if variable != "PYTHONPATH"}
    await asyncio.to_thread(subprocess.run, command, env=own, check=True)


installation.make_template = make_template
