"""Commands as a person types them, and what they print."""

import io
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson

from pointsman.cli.main import run


class Typed:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return orjson.loads(self.out)


def typed(*arguments: str) -> Typed:
    """Runs a command as if it was typed; standard output is captured byte for byte."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        code = run(list(arguments))
    finally:
        sys.stdout, sys.stderr = before
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return Typed(code, *texts)


def typed_until(condition: Callable[[], object], within_seconds: float = 60.0) -> None:
    """Types until the condition is true: what was accepted is seen by the next service a moment later."""
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            if condition():
                return
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline
