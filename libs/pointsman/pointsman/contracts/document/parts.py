"""What the parts of the workspace document are made of: frozen, strict about keys, names with one spelling.

Every limit of the document stands here, so that a reader finds them together.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
NAME = r"^[A-Za-z0-9]+([_.-][A-Za-z0-9]+)*$"

DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
SKILLS_MAX = 2_000
AGENTS_MAX = 20_000
QUEUES_MAX = 1_000
CONNECTORS_MAX = 500
RULES_MAX = 1_000
CATEGORIES_MAX = 500
TEAMS_MAX = 1_000
CALENDARS_MAX = 200
POLICIES_MAX = 200
LADDERS_MAX = 200
LADDER_STEPS_MAX = 20
NOTIFY_MAX = 200
WEBHOOKS_MAX = 50
REPLIES_MAX = 200
ISSUERS_MAX = 10
SKILLS_OF_AGENT_MAX = 200
REQUIREMENTS_MAX = 20
DAYS_MAX = 2_000
ICAL_CHARACTERS_MAX = 1_000_000
SPANS_OF_DAY_MAX = 12
LIST_MAX = 200
RULE_DEPTH_MAX = 10
TEXT_CHARACTERS_MAX = 4_000
EXPRESSION_CHARACTERS_MAX = 1_000
SECONDS_MAX = 10 * 366 * 86_400

Slug = Annotated[str, StringConstraints(pattern=SLUG, max_length=63)]
"""The workspace's own name of an agent, queue, connector, calendar, …: `[a-z0-9-]` without `--`."""

SkillName = Annotated[str, StringConstraints(pattern=NAME, max_length=63)]
"""A skill: also upper case, `_` and `.`, because languages are skills too (`lang-zh-Hant`)."""

Label = Annotated[str, StringConstraints(pattern=NAME, max_length=63)]
"""A category, a tag's kind of name, a customer's tier, a role elsewhere: as `account_access`."""

LanguageCode = Annotated[
    str, StringConstraints(pattern=r"^([a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?|und)$", max_length=20)
]
"""A BCP 47 tag: `en`, `zh-Hant`, `pt-BR`."""

SecretName = Annotated[str, StringConstraints(pattern=SLUG, max_length=63)]
"""The name of a secret of *this* workspace; nothing in it can reach another's (DESIGN §2, configuration)."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_CHARACTERS_MAX)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Seconds = Annotated[int, Field(strict=True, ge=0, le=SECONDS_MAX)]
PositiveSeconds = Annotated[int, Field(strict=True, ge=1, le=SECONDS_MAX)]
Level = Annotated[int, Field(strict=True, ge=1, le=10)]
Units = Annotated[int, Field(strict=True, ge=0, le=10_000)]

Needs = Annotated[dict[SkillName, Level], Field(max_length=REQUIREMENTS_MAX)]
"""Skill → the minimum level that a ticket requires or prefers."""


def listed(value: Any) -> Any:
    """A single value stands for the list of it: `channel: chat`."""
    return [value] if isinstance(value, (str, int, float)) else value


class OneOrMany:
    """A list that may also be written as its only item, in the document and in its JSON Schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(listed, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


Slugs = Annotated[tuple[Slug, ...], Field(max_length=LIST_MAX), OneOrMany()]
Labels = Annotated[tuple[Label, ...], Field(max_length=LIST_MAX), OneOrMany()]
Tags = Annotated[tuple[Short, ...], Field(max_length=LIST_MAX), OneOrMany()]
Languages = Annotated[tuple[LanguageCode, ...], Field(max_length=50), OneOrMany()]
Words = Annotated[tuple[Short, ...], Field(max_length=LIST_MAX), OneOrMany()]


class Part(BaseModel):
    """A frozen part of the document. An unknown key is an error; numbers and booleans are never strings."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False, populate_by_name=True)
