"""Who a child process runs as, and how it is launched (see launch.py)."""

import os
import pwd
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class User:
    """An account of this machine."""

    uid: int
    gid: int


def unprivileged_user() -> User | None:
    """Who to become where root is refused; None when this process is not root and stays who it is."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return User(entry.pw_uid, entry.pw_gid)


def give(path: Path, user: User | None) -> None:
    """Makes the folder the user's own, and nobody else's."""
    path.mkdir(parents=True, exist_ok=True)
    if user is not None:
        os.chown(path, user.uid, user.gid)
    path.chmod(0o700)


def launching(argv: Sequence[str | Path], *, user: User | None, death_signal: signal.Signals) -> list[str]:
    """The command that runs `argv` as a child of this process which gets `death_signal` when this process ends.

    The pid stays the same, and the program's exit code is its own.
    """
    who = "-" if user is None else f"{user.uid}:{user.gid}"
    prefix = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(death_signal)), who]
    return [*prefix, *map(str, argv)]
