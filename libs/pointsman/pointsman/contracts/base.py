"""What every contract model is: frozen, versioned, tolerant of newer fields, and named by its type.

A fact is a past-tense thing that happened, a command an imperative. `wire()` is the JSON value on the topic:
`{"type": …, "version": …, …fields}`; fields that are None are left out.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, ParamSpec, TypeVar

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from pointsman.core.instant import Instant

Moment = AwareDatetime
"""An instant in a contract: RFC 3339 with an offset; written in UTC with `Z`."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=63)]
"""A workspace's own name of an agent, queue, skill, connector, policy or calendar."""

REGISTRY: dict[str, dict[str, type["Contract"]]] = {}
"""Topic → type → the newest model of that type. Filled by the `topic=` of each contract class; whole in `registry`."""


P = ParamSpec("P")
V = TypeVar("V", bound="Value")


class Value(BaseModel):
    """A frozen part of a contract."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    blank: ClassVar[dict[str, Any]] = {}
    """Each field's default, or `...` where it has none: what `made` begins with."""
    names: ClassVar[set[str]] = set()

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        cls.blank = {name: ... if field.is_required() else field.default for name, field in cls.model_fields.items()}
        cls.names = set(cls.blank)


class Contract(Value):
    """A fact or a command. Subclasses give `topic=` and `type=` as class arguments."""

    topic: ClassVar[str]
    type: ClassVar[str]
    version: ClassVar[int] = 1
    wire_begin: ClassVar[bytes] = b"{"

    def __init_subclass__(cls, *, topic: str = "", type: str = "", version: int = 1, **options: Any) -> None:
        super().__init_subclass__(**options)
        if type:
            cls.topic, cls.type, cls.version = topic, type, version
            cls.wire_begin = orjson.dumps({"type": type, "version": version})[:-1]
            REGISTRY.setdefault(topic, {})[type] = cls

    def wire(self) -> dict[str, Any]:
        return {"type": self.type, "version": self.version, **self.model_dump(exclude_none=True)}

    def wire_json(self) -> bytes:
        """`wire` as JSON: instants in UTC with `Z`. Every contract has a field that is not None."""
        return self.wire_begin + b"," + self.__pydantic_serializer__.to_json(self, exclude_none=True)[1:]


def made(model: Callable[P, V], *_: P.args, **values: P.kwargs) -> V:
    """`model(**values)` without a look at the values: they are the caller's own, computed from what was validated.

    For the facts that a desk makes, several in each decision. What comes from outside is never given to it. A type
    checker sees the model's own signature, and every test that plays a desk validates what the desk said.
    """
    kind: Any = model
    value: V = _new(kind)
    _set_fields(value, {**kind.blank, **values})
    _set_names(value, kind.names)
    _set_extra(value, None)
    _set_private(value, None)
    return value


_new = object.__new__
_set_fields, _set_names, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)

__all__ = ["REGISTRY", "Contract", "Instant", "Moment", "Slug", "Value", "made"]
