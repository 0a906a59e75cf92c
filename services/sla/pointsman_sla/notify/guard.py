"""What the process that sends may reach: public addresses, and the files of its own installation. Nothing else.

Python's audit hooks (PEP 578) see every connection, opened file and started program of a process before it happens,
whichever library asks for it, and cannot be taken away again. A connection is checked with the address that is
connected to, after names were resolved, so that a name which resolves differently the second time gains nothing.
"""

import ipaddress
import os
import resource
import sys
import sysconfig
from collections.abc import Callable
from typing import Any, NoReturn

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from pointsman.core import zones
from pointsman.runtime.public_addresses import AddressRefused, may_call

MEMORY_BYTES_MAX = 1 << 30

_STARTS = frozenset(
    ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "pty.spawn")
)
_SENDS = frozenset(("socket.sendto", "socket.sendmsg", "socket.bind"))


def shut_in(*, loopback: bool, refused: Callable[[str], None]) -> None:
    """From now on this process is guarded, for good. `refused` is told in words what was refused."""
    readable = _readable()

    def refuse(error: OSError) -> NoReturn:
        refused(str(error))
        raise error

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            error = _why_not(arguments[1], loopback)
            if error is not None:
                refuse(error)
        elif event == "open":
            path = arguments[0]
            if isinstance(path, (str, bytes)) and not _inside(os.fsdecode(path), readable):
                refuse(PermissionError("files of this host are not read"))
        elif event in _STARTS:
            refuse(PermissionError("programs of this host are not started"))
        elif event in _SENDS:
            refuse(PermissionError("only connections over TCP are made"))

    # No file may grow: whatever opens one for writing can write nothing into it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    sys.addaudithook(look)


def _why_not(address: Any, loopback: bool) -> OSError | None:
    """Why an address is not connected to; None when it may be. A name, which the system would resolve, is none."""
    if not isinstance(address, tuple):
        return AddressRefused("sockets of this host are not called")
    host = str(address[0])
    try:
        allowed = may_call(host, loopback=loopback)
    except ValueError:
        return AddressRefused("a name was to be called without looking at its address")
    return None if allowed else AddressRefused(f"the address leads to {_shown(host)}, which is not public")


def _shown(host: str) -> str:
    return str(ipaddress.ip_address(host.partition("%")[0]))


def _readable() -> tuple[str, ...]:
    """The interpreter's own folders, the public certificates, the time zones, and devices without content."""
    paths = (
        sys.prefix,
        sys.base_prefix,
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        os.path.dirname(DEFAULT_CA_BUNDLE_PATH),
        zones.ZONES.folder,
    )
    return (
        *(os.path.realpath(path) + os.sep for path in paths if path and path != os.sep),
        "/dev/null",
        "/dev/urandom",
        "/etc/mime.types",
    )


def _inside(path: str, readable: tuple[str, ...]) -> bool:
    real = os.path.realpath(path)
    return any(real == allowed or (allowed.endswith(os.sep) and real.startswith(allowed)) for allowed in readable)
