"""A folder in memory, for servers whose data nobody needs afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
PREFIX = "pointsman-of-"


@contextmanager
def a_folder_in_memory(bytes_min: int) -> Iterator[Path | None]:
    """A new folder in the machine's shared memory, gone at the end; None where fewer than `bytes_min` bytes are free.

    What a process that was killed left behind goes first: the folder's name has the process's id.
    """
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < bytes_min:
        yield None
        return
    for left in MEMORY.glob(f"{PREFIX}*"):
        if not Path("/proc", left.name.removeprefix(PREFIX).partition("-")[0]).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=MEMORY))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
