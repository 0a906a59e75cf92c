"""The topics of an installation, created with their counts; only this module creates them."""

import asyncio
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from pointsman.contracts.topics import TOPICS
from pointsman.local.process import LocalProcess, LocalStackError
from pointsman.runtime.broker import start_client
from pointsman.runtime.broker_access import access_of
from pointsman.runtime.settings import RuntimeSettings


async def create_topics(
    address: str,
    partitions: int,
    prefix: str = "pointsman",
    *,
    replication: int = 1,
    settings: RuntimeSettings | None = None,
) -> Mapping[str, int]:
    """Creates the topics that are missing and verifies that all have `partitions` partitions; name → count.

    `settings` say how the broker lets clients in; without them it asks for nothing. Raises `LocalStackError` when a
    topic has another count: the count is a constant of the installation.
    """
    async with _admin(address, settings) as admin:
        known = await _counts(admin)
        wanted = [
            NewTopic(
                topic.full_name(prefix),
                partitions,
                replication,
                topic_configs={
                    "cleanup.policy": "delete",
                    "retention.ms": str(topic.retention_seconds * 1000),
                    "max.message.bytes": str(topic.record_bytes_max),
                },
            )
            for topic in TOPICS.values()
            if topic.full_name(prefix) not in known
        ]
        if wanted:
            answer = await admin.create_topics(wanted, timeout_ms=20_000)
            for name, code, *rest in answer.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise LocalStackError(f"topic {name} cannot be created: {for_code(code).__name__} {rest or ''}")
        return await _verified(admin, partitions, {topic.full_name(prefix) for topic in TOPICS.values()})


async def delete_topics(address: str, prefix: str) -> None:
    """Deletes the topics of an installation: for tests, which make many."""
    async with _admin(address) as admin:
        await admin.delete_topics([topic.full_name(prefix) for topic in TOPICS.values()], timeout_ms=20_000)


async def _verified(admin: AIOKafkaAdminClient, partitions: int, names: set[str]) -> dict[str, int]:
    """The counts, once the broker tells them of all topics: a new topic takes a moment to be known."""
    for _ in range(200):
        counts = {name: count for name, count in (await _counts(admin)).items() if name in names}
        if len(counts) == len(names) and all(counts.values()):
            break
        await asyncio.sleep(0.05)
    missing = sorted(names - counts.keys())
    if missing:
        raise LocalStackError(f"the broker does not list the topics {', '.join(missing)}")
    for name, count in counts.items():
        if count != partitions:
            raise LocalStackError(
                f"topic {name} has {count} partitions, but the installation has {partitions}: "
                "the count can never change; use another topic prefix"
            )
    return counts


async def _counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    # Asking for all topics creates none; asking for one by name would, on tansu.
    metadata = await admin.describe_topics()
    return {topic["topic"]: len(topic["partitions"]) for topic in metadata if not topic.get("error_code")}


async def cluster_of(address: str) -> str:
    """The id of the broker's cluster."""
    async with _admin(address) as admin:
        return str((await admin.describe_cluster())["cluster_id"])


async def answers(address: str, process: LocalProcess, *, within_seconds: float) -> None:
    """Waits until the broker describes its cluster. Raises `LocalStackError` when it ends or takes too long."""
    try:
        async with asyncio.timeout(within_seconds):
            while True:
                try:
                    async with _admin(address) as admin:
                        await admin.describe_cluster()
                    return
                except (KafkaError, OSError) as error:
                    if not process.running:
                        raise LocalStackError(f"{process.name} ended at its start", process.log) from error
                    await asyncio.sleep(0.05)
    except TimeoutError:
        raise LocalStackError(f"{process.name} did not answer within {within_seconds:.0f} s", process.log) from None


class _admin:
    """An admin client, started and closed."""

    def __init__(self, address: str, settings: RuntimeSettings | None = None) -> None:
        access = {} if settings is None else access_of(settings)
        self._client = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=20_000, **access)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await start_client(self._client, self._client.close)
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
