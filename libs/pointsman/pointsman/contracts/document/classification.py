"""`classify`: the workspace's rules, what its categories need, and where everything else goes."""

from typing import Annotated

from pydantic import Field, StrictBool

from pointsman.contracts.document.connectors import Labelled
from pointsman.contracts.document.parts import (
    CATEGORIES_MAX,
    EXPRESSION_CHARACTERS_MAX,
    LIST_MAX,
    RULES_MAX,
    Label,
    Labels,
    Languages,
    Needs,
    OneOrMany,
    Part,
    Short,
    Slug,
    Slugs,
    Tags,
    Words,
)
from pointsman.contracts.shapes import Channel

SHIPPED_CATEGORIES = (
    "billing", "refund", "delivery", "account_access", "technical", "outage", "cancellation", "presales", "complaint",
    "security_fraud", "privacy", "thanks", "spam", "auto_reply",
)  # fmt: skip
"""The categories that the shipped lexicon knows."""

CATCH_ALL = "other"
"""The category of what nothing recognised. Its queue and skills are those of `classify.otherwise`."""

Expression = Annotated[str, Field(min_length=1, max_length=EXPRESSION_CHARACTERS_MAX)]
"""A linear-time regular expression (RE2); upper and lower case are the same unless it says `(?-i)`."""

Channels = Annotated[tuple[Channel, ...], Field(max_length=3), OneOrMany()]
Values = Annotated[tuple[str | bool | int | float, ...], Field(max_length=LIST_MAX), OneOrMany()]


class When(Part):
    """What a rule asks. All keys given must hold; an empty `when` always holds.

    `all`, `any` and `not` combine; `text` and `subject` are expressions; `header` maps a header's name to one; `to`
    lists addresses (or `@domain`); `metadata` maps a key to the values it may have; `open` names a calendar that is
    open at the message's time; the others list the values of which one must be.
    """

    all: Annotated[tuple["When", ...], Field(max_length=LIST_MAX)] = ()
    any: Annotated[tuple["When", ...], Field(max_length=LIST_MAX)] = ()
    not_: "When | None" = Field(default=None, alias="not")
    text: Expression | None = None
    subject: Expression | None = None
    header: Annotated[dict[Short, Expression], Field(max_length=20)] = {}
    to: Words = ()
    channel: Channels = ()
    connector: Slugs = ()
    language: Languages = ()
    customer_tier: Labels = ()
    organization: Tags = ()
    metadata: Annotated[dict[Short, Values], Field(max_length=20)] = {}
    open: Slug | None = None


class Rule(Part):
    """All matching rules apply in order: the first to set a key keeps it, tags add up, `priority` takes the highest;
    `stop` ends. `id` names the rule in evidence; without it its place does (`rules/3`)."""

    id: Label | None = None
    when: When = When()
    set: Labelled = Labelled()
    stop: StrictBool = False


class Category(Part):
    """Where tickets of a category go and what they need. Without `queue` they go where `otherwise` says."""

    queue: Slug | None = None
    requires: Needs = {}
    prefers: Needs = {}
    weight: Annotated[int, Field(strict=True, ge=0, le=100)] | None = None


class Otherwise(Category):
    """Where a ticket goes that no category claims."""


class Classify(Part):
    """Rules, categories, and the name of the skill that a language asks for (`{language}` is replaced)."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=RULES_MAX)] = ()
    categories: Annotated[dict[Label, Category], Field(max_length=CATEGORIES_MAX)] = {}
    language_skill: Annotated[str, Field(max_length=63)] | None = "lang-{language}"
    otherwise: Otherwise = Otherwise()
