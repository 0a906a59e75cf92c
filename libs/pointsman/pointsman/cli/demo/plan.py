"""What a playing process is told, as a file, and how it tells of itself: JSON lines on standard output."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel


class Plan(BaseModel):
    """One playing process's part. `tokens` are by connector or agent; results go to `results` as JSON."""

    url: str
    seed: int
    seconds: float
    rate: float
    tokens: dict[str, str]
    results: Path

    def write(self, path: Path) -> Path:
        path.write_text(self.model_dump_json())
        return path


def read_plan(path: str) -> Plan:
    return Plan.model_validate_json(Path(path).read_bytes())


def tell(progress: Mapping[str, Any]) -> None:
    """One line of progress for the conductor."""
    sys.stdout.buffer.write(orjson.dumps(progress) + b"\n")
    sys.stdout.buffer.flush()
