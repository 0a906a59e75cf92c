"""Writes what is generated from the contracts: `python -m pointsman.contracts.generate CHECKOUT`.

- `schemas/<topic>/<type>.v<version>.json` beside this module: the JSON Schema of each contract's current version; those
  of older versions stay as they are.
- `examples/<topic>/<type>.v<version>.json`: one example each, written once and never again.
- `docs/asyncapi.yaml`: the AsyncAPI 3 document of all topics.
- `docs/workspace.schema.json`: the JSON Schema of the workspace document.
- the marks in `docs/workspace.md` of what does nothing yet.

`make check` fails when a generated file is stale.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from pointsman.contracts.base import Contract
from pointsman.contracts.codec import dump
from pointsman.contracts.document.marking import marked
from pointsman.contracts.document.schema import document_schema
from pointsman.contracts.example import example_of
from pointsman.contracts.registry import REGISTRY
from pointsman.contracts.topics import TOPICS
from pointsman.core.topic import Topic

PACKAGE = Path(__file__).parent
SCHEMAS = PACKAGE / "schemas"
EXAMPLES = PACKAGE / "examples"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def generated(checkout: Path) -> dict[Path, bytes]:
    """Every generated file and what it should hold; stored examples hold what they hold."""
    files = {
        checkout / "docs" / "asyncapi.yaml": _yaml(asyncapi()),
        checkout / "docs" / "workspace.schema.json": _json(document_schema()),
        checkout / "docs" / "workspace.md": marked((checkout / "docs" / "workspace.md").read_text("utf-8")).encode(),
    }
    for topic, models in REGISTRY.items():
        for model in models.values():
            name = f"{model.type}.v{model.version}.json"
            files[SCHEMAS / topic / name] = _json(schema_of(model))
            example = EXAMPLES / topic / name
            files[example] = example.read_bytes() if example.exists() else _json(orjson.loads(dump(example_of(model))))
    return files


def schema_of(model: type[Contract]) -> dict[str, Any]:
    """The JSON Schema of a contract as the topic carries it, with its `type` and `version`."""
    schema = model.model_json_schema()
    schema["properties"] = {
        "type": {"const": model.type},
        "version": {"const": model.version},
        **schema.get("properties", {}),
    }
    schema["required"] = ["type", "version", *schema.get("required", [])]
    return {"$schema": _DIALECT, "$id": f"urn:pointsman:{model.topic}:{model.type}:v{model.version}", **schema}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3 document: a channel a topic, a message a command, one message for all facts of a decision."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for topic in TOPICS.values():
        own = _messages(topic)
        messages.update(own)
        channels[topic.name] = {
            "address": topic.full_name(),
            "description": _CHANNELS[topic.name],
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in own},
            "bindings": {"kafka": {"topicConfiguration": _topic_configuration(topic)}},
        }
        for action, services in (("send", topic.producers), ("receive", topic.readers)):
            for service in services:
                operations[f"{service}-{action}s-{topic.name}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{topic.name}"},
                    "tags": [{"name": service}],
                }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Pointsman",
            "version": "1",
            "license": {"name": "Apache-2.0"},
            "description": (
                "Records are CloudEvents 1.0 in Kafka's binary mode, keyed by workspace. An installation may have its "
                "own prefix in place of `pointsman`."
            ),
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "messageTraits": {"record": _RECORD}},
    }


_CHANNELS = {
    "requests": "What customers and connectors said, already on its ticket. Written by intake.",
    "commands": "What the APIs ask of the workers. Each worker takes its own types by header.",
    "desk": "Ticket, agent, configuration and token facts. Written by routing.",
    "sla": "Clock and alert facts. Written by sla.",
    "outcomes": (
        "A wake-up for the outcomes that workers keep in tables; the answer itself of read-only questions; "
        "who looks at a ticket now."
    ),
}

_RECORD = {
    "bindings": {"kafka": {"key": {"type": "string", "description": "The workspace."}}},
    "headers": {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_workspace"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {"type": "string", "description": "A command's id, or the record's."},
            "ce_source": {"type": "string", "description": "Who wrote it, with its incarnation."},
            "ce_type": {"type": "string"},
            "ce_time": {"type": "string", "format": "date-time"},
            "ce_subject": {"type": "string", "description": "The ticket, agent or other thing that it is about."},
            "ce_workspace": {"type": "string"},
            "ce_number": {"type": "string", "description": "Contiguous from 1 per source, topic and partition."},
            "ce_cause": {"type": "string", "description": "The id of the record or timer that caused it."},
            "facts": {"type": "string", "description": "The types inside, comma-separated."},
            "agents": {"type": "string", "description": "Every agent concerned, comma-separated."},
            "reply_to": {"type": "string", "description": "The API process that waits for the outcome."},
            "traceparent": {"type": "string", "description": "W3C Trace Context."},
        },
    },
}

_OUTCOME = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "integer"},
        "body": {"description": "The answer, or the problem."},
        "body_hash": {"type": ["string", "null"]},
    },
}

_VIEWING = {
    "type": "object",
    "required": ["ticket_id", "agent", "session", "until", "concerned"],
    "properties": {
        "ticket_id": {"type": "string"},
        "agent": {"type": "string"},
        "name": {"type": ["string", "null"]},
        "session": {"type": "string"},
        "until": {"type": "string", "format": "date-time"},
        "concerned": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The holder, whom it is offered to.",
        },
    },
}


def _messages(topic: Topic) -> dict[str, Any]:
    trait = [{"$ref": "#/components/messageTraits/record"}]
    if topic.name == "outcomes":
        return {
            "outcome": {"title": "The outcome of a command", "payload": _OUTCOME, "traits": trait},
            "viewing": {"title": "An agent looks at a ticket, until then", "payload": _VIEWING, "traits": trait},
        }
    models = REGISTRY[topic.name]
    if topic.name == "commands":
        return {
            name: {"title": _summary(model), "payload": {"$ref": _schema_file(model)}, "traits": trait}
            for name, model in sorted(models.items())
        }
    facts = {
        "type": "array",
        "items": {"oneOf": [{"$ref": _schema_file(model)} for _, model in sorted(models.items())]},
    }
    payload = {"type": "object", "required": ["facts"], "properties": {"facts": facts}}
    name = f"{topic.name}.decided"
    return {name: {"title": "All facts of one decision about one subject", "payload": payload, "traits": trait}}


def _summary(model: type[Contract]) -> str:
    return (model.__doc__ or model.type).strip().splitlines()[0]


def _schema_file(model: type[Contract]) -> str:
    return f"../libs/pointsman/pointsman/contracts/schemas/{model.topic}/{model.type}.v{model.version}.json"


def _topic_configuration(topic: Topic) -> dict[str, Any]:
    return {
        "cleanup.policy": ["delete"],
        "retention.ms": topic.retention_seconds * 1000,
        "max.message.bytes": topic.record_bytes_max,
    }


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"


class _Plain(yaml.SafeDumper):  # type: ignore[misc]  # it has no types
    """Writes shared values out each time: readers of the document need no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: Any) -> bytes:
    text: str = yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
    return b"# Generated from the contracts by `make docs`.\n" + text.encode()


def write(files: Mapping[Path, bytes]) -> None:
    """Writes every file whose content differs."""
    for path, content in files.items():
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


if __name__ == "__main__":
    write(generated(Path(sys.argv[1]).resolve()))
