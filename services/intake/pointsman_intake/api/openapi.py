"""The hot routes in the OpenAPI document, from the shapes that they validate with."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from pointsman.core.fields import describe
from pointsman_intake.shapes import MessageIn

_REF = "#/components/schemas/{model}"


class MessageAccepted(BaseModel):
    """`duplicate`: it was there before; `differs`: with another content, and the first is kept."""

    message_id: str
    ticket_id: str
    duplicate: bool
    differs: bool | None = None


class BatchItem(BaseModel):
    """What became of one item: accepted (202), or refused with an error."""

    index: int
    status: int
    message_id: str | None = None
    ticket_id: str | None = None
    duplicate: bool | None = None
    differs: bool | None = None
    error: dict[str, Any] | None = None


class BatchAccepted(BaseModel):
    """One item for each that was sent, in order."""

    items: list[BatchItem]


class CloudEventMessage(BaseModel):
    """A message as a CloudEvent: source is the connector, id the external id, time `occurred_at`."""

    specversion: str
    id: str
    source: str
    type: str
    time: str | None = None
    data: dict[str, Any] | None = None


_PROBLEMS = {
    400: "The body is not JSON.",
    401: "The token is absent, expired, revoked or not of this installation.",
    403: "The token is no connector's, or another connector's.",
    404: "The workspace has no such connector.",
    413: "The body is too large, or the batch has too many messages.",
    415: "The body's media type is not one of those that are read here.",
    422: "The input has errors.",
    429: "Too many calls with this token.",
    503: "Nothing was written; repeat the call.",
}


def document_hot_routes(app: FastAPI) -> None:
    """Extends the app's OpenAPI document by the routes that FastAPI does not know."""
    made = app.openapi

    def with_hot_routes() -> dict[str, Any]:
        document = made()
        if "/v1/messages" not in document["paths"]:
            schemas = document["components"]["schemas"]
            for model in (MessageIn, MessageAccepted, BatchAccepted, CloudEventMessage):
                schema = model.model_json_schema(ref_template=_REF)
                schemas.update(schema.pop("$defs", {}))
                schemas[model.__name__] = schema
            document["paths"]["/v1/messages"] = {"post": _post_message()}
            document["paths"]["/v1/messages:batch"] = {"post": _post_batch()}
            describe(document)
        return document

    app.openapi = with_hot_routes  # type: ignore[method-assign]


def _post_message() -> dict[str, Any]:
    return {
        "operationId": "post_message",
        "summary": "One message, answered after the durable write",
        "tags": ["messages"],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _ref("MessageIn")},
                "application/cloudevents+json": {"schema": _ref("CloudEventMessage")},
            },
        },
        "responses": _answers("MessageAccepted", "Written; `duplicate` when it was there before."),
    }


def _post_batch() -> dict[str, Any]:
    many = {"type": "array", "maxItems": 1000, "items": _ref("MessageIn")}
    events = {"type": "array", "maxItems": 1000, "items": _ref("CloudEventMessage")}
    return {
        "operationId": "post_batch",
        "summary": "Up to 1,000 messages; a bad item refuses only itself",
        "tags": ["messages"],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": many},
                "application/x-ndjson": {"schema": {"type": "string"}},
                "application/cloudevents-batch+json": {"schema": events},
            },
        },
        "responses": _answers("BatchAccepted", "One result for each item, in order."),
    }


def _answers(model: str, text: str) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": _ref("ProblemDocument")}}
    answers: dict[str, Any] = {"202": {"description": text, "content": {"application/json": {"schema": _ref(model)}}}}
    return answers | {str(status): {"description": detail, "content": problem} for status, detail in _PROBLEMS.items()}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(model=name)}
