"""The client's calls leave no line in the log of the program that uses it.

httpx tells of each call at INFO, httpcore of each step at DEBUG, and their loggers belong to the whole program: what
else in it uses them goes on to be told.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11")
_ours = ContextVar("pointsman_client_call", default=False)


@contextmanager
def quietly() -> Iterator[None]:
    """What is called within is not logged. Not around a `yield` of a generator, which runs in its caller's context."""
    token = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(token)


def _others(record: logging.LogRecord) -> bool:
    return not _ours.get()


for name in LOGGERS:
    logging.getLogger(name).addFilter(_others)
