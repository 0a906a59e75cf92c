"""A source of facts: how what was emitted becomes its records."""

from hashlib import blake2b

from pointsman.core.decision import Emission
from pointsman.core.envelope import Envelope, record_id
from pointsman.runtime.logic import Codec


class Source:
    """Makes the records of one source on one topic. Their numbers are the caller's to give."""

    __slots__ = ("_codec", "_digest", "_topic", "name")

    def __init__(self, name: str, topic: str, codec: Codec) -> None:
        self.name, self._topic, self._codec = name, topic, codec
        self._digest = int.from_bytes(blake2b(name.encode(), digest_size=4).digest())

    def record(
        self, emission: Emission, partition: int, number: int, cause: str, traceparent: str | None = None
    ) -> Envelope:
        return Envelope(
            id=record_id(emission.at, self._digest, partition, number),
            source=self.name,
            topic=self._topic,
            partition=partition,
            number=number,
            cause=cause,
            workspace=emission.workspace,
            subject=emission.subject,
            at=emission.at,
            types=tuple(fact.type for fact in emission.facts),
            agents=emission.agents,
            body=self._codec.encode_facts(emission),
            traceparent=traceparent,
        )
