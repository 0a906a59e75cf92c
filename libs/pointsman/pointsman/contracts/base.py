"""What every contract model is: frozen, versioned, tolerant of newer fields, and named by its type.

A fact is a past-tense thing that happened, a command an imperative. `wire()` is the JSON value on the topic:
`{"type": …, "version": …, …fields}`; fields that are None are left out.
"""

from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from pointsman.core.instant import Instant

Moment = AwareDatetime
"""An instant in a contract: RFC 3339 with an offset; written in UTC with `Z`."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=63)]
"""A workspace's own name of an agent, queue, skill, connector, policy or calendar."""

REGISTRY: dict[str, dict[str, type["Contract"]]] = {}
"""Topic → type → the newest model of that type. Filled by the `topic=` of each contract class."""


class Value(BaseModel):
    """A frozen part of a contract."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Contract(Value):
    """A fact or a command. Subclasses give `topic=` and `type=` as class arguments."""

    topic: ClassVar[str]
    type: ClassVar[str]
    version: ClassVar[int] = 1

    def __init_subclass__(cls, *, topic: str = "", type: str = "", version: int = 1, **options: Any) -> None:
        super().__init_subclass__(**options)
        if type:
            cls.topic, cls.type, cls.version = topic, type, version
            REGISTRY.setdefault(topic, {})[type] = cls

    def wire(self) -> dict[str, Any]:
        return {"type": self.type, "version": self.version, **self.model_dump(exclude_none=True)}


__all__ = ["REGISTRY", "Contract", "Instant", "Moment", "Slug", "Value"]
