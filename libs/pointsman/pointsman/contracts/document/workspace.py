"""The workspace document as a whole, with its defaults applied, and the questions that every service asks it."""

from typing import Annotated, Any, Self

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, field_validator, model_validator

from pointsman.contracts.document.calendars import Calendar, Zone
from pointsman.contracts.document.classification import CATCH_ALL, SHIPPED_CATEGORIES, Category, Classify
from pointsman.contracts.document.connectors import CHANNEL_DEFAULTS, ChannelSettings, Connector
from pointsman.contracts.document.inactive import inactive_pointers
from pointsman.contracts.document.outbound import Auth, Surveys, Texts, Webhook
from pointsman.contracts.document.parts import (
    AGENTS_MAX,
    CALENDARS_MAX,
    CONNECTORS_MAX,
    QUEUES_MAX,
    REPLIES_MAX,
    SKILLS_MAX,
    TEAMS_MAX,
    WEBHOOKS_MAX,
    Languages,
    Part,
    PositiveSeconds,
    Seconds,
    SkillName,
    Slug,
)
from pointsman.contracts.document.people import Agent, Place, Presence, Team
from pointsman.contracts.document.promises import Sla
from pointsman.contracts.document.queues import Queue
from pointsman.contracts.shapes import Channel

WRAP_UP_SECONDS: dict[Channel, int] = {"email": 0, "chat": 30, "social": 0}
FIRST_QUEUE = "general"


class Tickets(Part):
    """The times of a ticket's life: `reopen_seconds` after a resolution a customer's message goes back to the holder;
    `close_after_seconds` after it the ticket closes; a pending ticket resolves by itself in the end."""

    reopen_seconds: Seconds = 259_200
    close_after_seconds: Seconds = 259_200
    pending_resolves_after_seconds: PositiveSeconds = 604_800


Days = Annotated[int, Field(strict=True, ge=1, le=36_500)]


class Retention(Part):
    """How long raw bytes and closed tickets are kept, in days."""

    raw_days: Days = 90
    closed_tickets_days: Days = 730


class Document(Part):
    """One version of a workspace's configuration. Read it with `read_document`, which also checks references;
    `Document.model_validate` trusts a document that was applied before."""

    workspace: Slug
    timezone: Zone = "Europe/Rome"
    languages: Languages = ("it", "en", "de", "ru", "zh-Hant")
    tickets: Tickets = Tickets()
    retention: Retention = Retention()
    connectors: Annotated[dict[Slug, Connector], Field(max_length=CONNECTORS_MAX)] = {}
    channels: dict[Channel, ChannelSettings] = {
        channel: ChannelSettings(**settings) for channel, settings in CHANNEL_DEFAULTS.items()
    }
    skills: Annotated[tuple[SkillName, ...], Field(max_length=SKILLS_MAX)] = ()
    classify: Classify = Classify()
    queues: Annotated[dict[Slug, Queue], Field(max_length=QUEUES_MAX)] = {FIRST_QUEUE: Queue()}
    agents: Annotated[dict[Slug, Agent], Field(max_length=AGENTS_MAX)] = {}
    teams: Annotated[dict[Slug, Team], Field(max_length=TEAMS_MAX)] = {}
    presence: Presence = Presence()
    calendars: Annotated[dict[Slug, Calendar], Field(max_length=CALENDARS_MAX)] = {}
    sla: Sla = Sla()
    webhooks: Annotated[dict[Slug, Webhook], Field(max_length=WEBHOOKS_MAX)] = {}
    replies: Annotated[dict[Slug, Texts], Field(max_length=REPLIES_MAX)] = {}
    wrap_up_seconds: dict[Channel, Seconds] = WRAP_UP_SECONDS
    surveys: Surveys = Surveys()
    auth: Auth = Auth()

    _written: dict[str, Any] = PrivateAttr(default={})

    @model_validator(mode="wrap")
    @classmethod
    def _keeping_what_was_written(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        document = validate(given)
        if isinstance(given, dict):
            document._written = given
        return document

    @field_validator("queues", mode="before")
    @classmethod
    def _at_least_one_queue(cls, given: Any) -> Any:
        """A ticket always has a queue: a document without queues has `general`."""
        return {FIRST_QUEUE: {}} if given == {} else given

    @field_validator("channels", mode="before")
    @classmethod
    def _every_channel(cls, given: Any) -> Any:
        """What a channel does not say it has from `CHANNEL_DEFAULTS`."""
        if not isinstance(given, dict):
            return given
        merged = dict(given)
        for channel, defaults in CHANNEL_DEFAULTS.items():
            said = given.get(channel, {})
            merged[channel] = {**defaults, **said} if isinstance(said, dict) else said
        return merged

    @field_validator("wrap_up_seconds", mode="before")
    @classmethod
    def _every_wrap_up(cls, given: Any) -> Any:
        return {**WRAP_UP_SECONDS, **given} if isinstance(given, dict) else given

    @property
    def catch_all_queue(self) -> str:
        """Where a ticket goes that nothing else claims: `classify.otherwise`, else `general`, else the first queue."""
        named = self.classify.otherwise.queue
        if named is not None:
            return named
        return FIRST_QUEUE if FIRST_QUEUE in self.queues else next(iter(self.queues))

    @property
    def category_names(self) -> tuple[str, ...]:
        """Every category a ticket can have here: those listed, else the shipped ones; those that rules, connectors and
        policies name; and the catch-all. In a stable order, without repetition."""
        named = [rule.set.category for rule in self.classify.rules]
        named += [connector.default.category for connector in self.connectors.values()]
        listed = self.classify.categories or SHIPPED_CATEGORIES
        return tuple(dict.fromkeys([*listed, *(name for name in named if name), CATCH_ALL]))

    def category(self, name: str) -> Category:
        """What a category needs; one that is not listed has what `otherwise` says."""
        return self.classify.categories.get(name, self.classify.otherwise)

    def queue_of(self, category: str) -> str:
        """The queue of a category's tickets."""
        return self.category(category).queue or self.catch_all_queue

    def weight_of(self, category: str, channel: Channel) -> int:
        """Units a ticket charges: its category's, else its channel's (routing rule 2)."""
        weight = self.category(category).weight
        return self.channels[channel].weight if weight is None else weight

    def language_skill(self, language: str) -> str | None:
        """The skill that a language asks for, when the workspace has it."""
        template = self.classify.language_skill
        skill = template.replace("{language}", language) if template else ""
        return skill if skill in self.skills else None

    def places_of(self, agent: str) -> dict[str, Place]:
        """The queues that an agent serves: the agent's own, else the team's at equal rank, else all."""
        one = self.agents[agent]
        if one.queues is not None:
            return one.queues
        team = self.teams.get(one.team) if one.team else None
        return dict.fromkeys(team.queues if team and team.queues else self.queues, Place())

    def hours_of(self, agent: str) -> str | None:
        """The calendar of an agent's hours: the agent's own, else the team's; None is always."""
        one = self.agents[agent]
        team = self.teams.get(one.team) if one.team else None
        return one.hours or (team.hours if team else None)

    def reply_text(self, reply: str, language: str) -> str | None:
        """An automatic reply in the customer's language, else in the first of the workspace's that it has."""
        texts = self.replies.get(reply, {})
        for wanted in (language, *self.languages, *texts):
            if wanted in texts:
                return texts[wanted]
        return None

    def inactive(self) -> list[str]:
        """JSON pointers of the keys that are valid and whose feature this version does not have yet."""
        return inactive_pointers(self._written)

    def plain(self) -> dict[str, Any]:
        """The whole document as JSON, with its defaults; keys that are absent and have none are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
