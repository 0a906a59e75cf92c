"""The embedded stack: PostgreSQL and a broker as child processes, and the supervisor of `pointsman up`.

Everything listens on loopback only, on free ports, and keeps its data and logs in the folder that it is given. The
names below are loaded when they are first used: the command line needs only some of them, and must start fast.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointsman.local.kafka import Kafka
    from pointsman.local.postgres import Postgres
    from pointsman.local.process import LocalStackError
    from pointsman.local.tansu import Tansu
    from pointsman.local.topics import create_topics

__all__ = ["Kafka", "LocalStackError", "Postgres", "Tansu", "create_topics"]

_PLACES = {"Kafka": "kafka", "LocalStackError": "process", "Postgres": "postgres", "Tansu": "tansu"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES.get(name, 'topics')}"), name)
