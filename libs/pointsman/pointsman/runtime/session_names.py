"""What a session of ours calls itself (`application_name`): who it is, the newest revision that its code knows, and the
edition of the time zone database that its process reads. All sessions are of one server, so that processes that never
ask one another know of each other, those on other hosts and of other releases too.
"""

import re
from typing import NamedTuple

from pointsman.core import zones
from pointsman.runtime.revisions import known_revisions

# The server cuts a name off after 63 bytes. Releases before revisions were said read the edition at the end.
_NAME = re.compile(r"pointsman-(?P<who>.+?)(?: schema=(?P<revision>\w+))?(?: zones=(?P<edition>\w+))?")


class SessionName(NamedTuple):
    """`who` is the service and what the session is for, as `sla-worker`; None: its release does not say it."""

    who: str
    revision: str | None
    edition: str | None


def session_name(service: str, purpose: str) -> str:
    """The name of a session of this process."""
    known = known_revisions(service)
    revision = f" schema={known[-1]}" if known else ""
    return f"pointsman-{service}-{purpose}{revision} zones={zones.in_use().edition}"


def read_session_name(name: str) -> SessionName | None:
    """What a session says of itself; None when it is none of ours."""
    found = _NAME.fullmatch(name)
    return None if found is None else SessionName(found["who"], found["revision"], found["edition"])
