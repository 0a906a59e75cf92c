"""The embedded stack: PostgreSQL and a broker as child processes, and the supervisor of `pointsman up`.

Everything listens on loopback only, on free ports, and keeps its data and logs in the folder that it is given.
"""

from pointsman.local.kafka import Kafka
from pointsman.local.postgres import Postgres
from pointsman.local.process import LocalStackError
from pointsman.local.tansu import Tansu
from pointsman.local.topics import create_topics

__all__ = ["Kafka", "LocalStackError", "Postgres", "Tansu", "create_topics"]
