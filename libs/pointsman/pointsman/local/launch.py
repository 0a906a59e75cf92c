"""Becomes another program: ties it to its parent's life, and for PostgreSQL gives up being root.

Run as `python launch.py PARENT SIGNAL USER PROGRAM ARGUMENT…` (see `privileges.launching`). It asks the kernel to send
SIGNAL when PARENT ends in whatever way; elsewhere than on Linux only pid files end what a killed parent left.

PostgreSQL refuses to run as root. Started by root it becomes USER (`uid:gid`, or `-` to stay); so that a checkout below
a folder that only root may enter (`/root`) works too, it keeps the one capability that lets it pass there.
Source: capabilities(7), "Transformation of capabilities during execve", and prctl(2).
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def become(uid: int, gid: int, libc: ctypes.CDLL | None) -> None:
    """Changes the user for good."""
    if libc is not None:
        libc.prctl(_PR_SET_KEEPCAPS, 1)
        # access(2), by which initdb looks for its own programs, would otherwise ignore the capability.
        libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if libc is None:
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    passing = 1 << _CAP_DAC_OVERRIDE
    sets = (ctypes.c_uint32 * 6)(passing, passing, passing, 0, 0, 0)
    # Where the machine grants no such capability the program runs without, and its log says what it may not read.
    if libc.capset(header, sets) == 0:
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def main(parent: int, death_signal: int, user: str, program: list[str]) -> None:
    """Does what the module says; does not return."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if user != "-":
        uid, _, gid = user.partition(":")
        become(int(uid), int(gid), libc)
    if libc is not None:
        # After the change of user, which clears it.
        libc.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            sys.exit("the parent has ended already")
    try:
        os.execvp(program[0], program)
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
