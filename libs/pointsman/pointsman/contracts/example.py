"""An example of any contract, made from its fields: every field is filled, the same at every run.

A stored example is never made anew and never deleted: it is what an older producer may have written, and every later
reader must decode it.
"""

import types
import typing
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pointsman.contracts.base import Contract

_AT = datetime(2026, 3, 2, 9, 15, 30, 250_000, tzinfo=UTC)

_BY_NAME: dict[str, Any] = {
    "agent": "ada",
    "alert_id": "alt_01khy5j2vs7c0h7wq5m1p2r3t4",
    "attachment_id": "att_01khy5j2vs3f0h7wq5m1p2r3t4",
    "body_hash": "9f3c1a5e77b04d1f8c2a6b1e0d4f5a6b",
    "calendar": "office",
    "category": "billing",
    "cc": "accounts@customer.example",
    "clock_id": "clk_01khy5j2vs5d0h7wq5m1p2r3t4",
    "connector": "support-mail",
    "content_type": "application/pdf",
    "document": {"version": 1, "queues": {"billing": {}}},
    "email": "kim@customer.example",
    "external_id": "<20260302091530.4711@customer.example>",
    "handle": "@kim",
    "html": "<p>The invoice of March was charged twice.</p>",
    "language": "en",
    "follow_up_of": "tkt_01khxz9a7c2m0h7wq5m1p2r3t4",
    "id": "kim",
    "message_id": "msg_01khy5j2vs9a0h7wq5m1p2r3t4",
    "name": "Kim Berg",
    "offer_id": "off_01khy5j2vs4b0h7wq5m1p2r3t4",
    "organization": "Customer Ltd",
    "policy": "standard",
    "queue": "billing",
    "reason": "the invoice is wrong",
    "reply_text": "The invoice of March was charged twice.",
    "role": "agent",
    "skill": "billing",
    "subject": "Charged twice",
    "text": "The invoice of March was charged twice.",
    "thread": "<20260302091530.4711@customer.example>",
    "tier": "gold",
    "ticket": "tkt_01khy5j2vs8k0h7wq5m1p2r3t4",
    "ticket_id": "tkt_01khy5j2vs8k0h7wq5m1p2r3t4",
    "to": "support@shop.example",
    "token_id": "tok_01khy5j2vs6e0h7wq5m1p2r3t4",
    "url": "https://files.example/invoice.pdf",
}


def example_of(model: type[Contract]) -> dict[str, Any]:
    """The example as the topic carries it: `type`, `version` and the fields."""
    return model.model_validate(_fields(model)).wire()


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {name: _field(name, field) for name, field in model.model_fields.items()}


def _field(name: str, field: FieldInfo) -> Any:
    return _value(name, field.annotation)


def _value(name: str, annotation: Any) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(name, arguments[0])
    if origin in (Union, types.UnionType):
        return _value(name, next(argument for argument in arguments if argument is not type(None)))
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return [_value(name.removesuffix("s"), arguments[0])]
    if origin in (list, set, frozenset):
        return [_value(name.removesuffix("s"), arguments[0])]
    if origin is dict or annotation is dict:
        if name in _BY_NAME:
            return _BY_NAME[name]
        return {"billing": _value("level", arguments[1] if arguments else int)}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _fields(annotation)
    return _scalar(name, annotation)


def _scalar(name: str, annotation: Any) -> Any:
    if annotation is str and isinstance(_BY_NAME.get(name), str):
        return _BY_NAME[name]
    values: dict[Any, Any] = {str: name.replace("_", "-"), int: 3, float: 12.5, bool: True, datetime: _AT}
    if annotation in values:
        return values[annotation]
    if annotation is typing.Any:
        return 1
    if getattr(annotation, "__name__", "") == "AwareDatetime":
        return _AT
    raise TypeError(f"no example of {annotation!r} for the field {name!r} is known")
