"""Pointsman's own messages by signed webhook (Standard Webhooks), instead of with a token."""

from typing import Any

import orjson
from pydantic import ValidationError

from pointsman.core.instant import Instant
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.http.storable import refuse_body
from pointsman_intake.connectors import Connector
from pointsman_intake.json_messages import inbound
from pointsman_intake.model import Arrival, Raw
from pointsman_intake.shapes import MESSAGE
from pointsman_intake.validation import refused

MESSAGES_MAX = 1_000


def own_arrival(raw: Raw, workspace: str, slug: str, connector: Connector, at: Instant, token: str | None) -> Arrival:
    """One message or an array of them. `connector` in it may be left out. Raises `Problem`; none is taken then."""
    refuse_body(raw.body)
    try:
        value = orjson.loads(raw.body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "not-json", f"the body is not JSON: {error}") from error
    items: list[Any] = value if isinstance(value, list) else [value]
    if len(items) > MESSAGES_MAX:
        raise Problem(413, "too-many-messages", f"a body has at most {MESSAGES_MAX} messages")
    messages = []
    for item in items:
        named = {"connector": slug} | item if isinstance(item, dict) else item
        try:
            message = MESSAGE.validate_python(named)
        except ValidationError as error:
            raise refused(error) from error
        if message.connector != slug:
            raise Problem(403, "another-connector", f"the webhook is of the connector {slug}, not {message.connector}")
        messages.append(inbound(message, workspace, connector, at))
    return Arrival(workspace, slug, at, raw=raw, messages=tuple(messages), token=token)
