"""The classifier of one version of a workspace document: a message in, what its ticket is about out.

Order of who decides each key: the connector's hints (where it may give them), the workspace's rules, the shipped
lexicon, the connector's default, `classify.otherwise`. Total: there is always a category and a queue. Pure: the same
message and document give the same answer, unless a meter cuts the rules off, which the evidence then says.
"""

from typing import NamedTuple

from pointsman.contracts.document import CATCH_ALL, Document
from pointsman.contracts.document.connectors import Labelled
from pointsman.contracts.requests import MessageReceived
from pointsman.contracts.shapes import Channel, Evidence, Priority
from pointsman_routing.classify.cleaning import cleaned
from pointsman_routing.classify.labels import Band, LexiconSays, band_of, lexicon_says
from pointsman_routing.classify.language import UNDETERMINED, speaker
from pointsman_routing.classify.phrases import shipped_lexicon
from pointsman_routing.classify.rules import UNMETERED, Asked, LabelsSoFar, Meter, Rules, higher


class Placement(NamedTuple):
    """Where a ticket goes and what it needs and charges, from its labels alone (also after a person changed them)."""

    queue: str
    requires: dict[str, int]
    prefers: dict[str, int]
    weight: int


class Classification(NamedTuple):
    """What a ticket is about, and why. The fields of `ticket.classified`, and what only `predict` shows."""

    language: str
    category: str
    priority: Priority
    tags: tuple[str, ...]
    queue: str
    requires: dict[str, int]
    prefers: dict[str, int]
    weight: int
    confidence: float
    band: Band
    evidence: tuple[Evidence, ...]
    top: tuple[tuple[str, float], ...]
    sentiment: str


def load() -> None:
    """Loads the language model and the lexicon (about a second), so that no message waits for them. A worker calls it
    before it is ready."""
    speaker(("en", "it")).guess("Where is my order?")
    shipped_lexicon()


class Classifier:
    """Compiled for one document; keep one per workspace and version. `meter` bounds the time of its rules."""

    def __init__(self, document: Document, meter: Meter = UNMETERED) -> None:
        self.document, self._meter = document, meter
        self._rules = Rules(document)
        self._speaker = speaker(document.languages)
        self._categories = frozenset(document.category_names)
        self._skills = frozenset(document.skills)

    def classify(self, message: MessageReceived) -> Classification:
        """What the message's ticket is about. Call it for the message that opens a ticket."""
        body = message.reply_text or message.text
        text = cleaned(body)
        language, evidence = self._language(message, f"{message.subject or ''}\n{text}" if len(text) < 40 else text)
        said = LabelsSoFar(evidence=evidence)
        self._take_hints(message, said)
        self._rules.apply(Asked(message, body, language, self._meter), said)
        language = said.language or language
        spoken = lexicon_says(message, text, language, self._categories)
        category, confidence = self._category(message, said, spoken)
        default = self._default(message)
        placement = self.placement(
            category, language, message.channel, requires=said.requires, prefers=said.prefers,
            queue=said.queue or self._queue_unless_listed(category, default),
        )  # fmt: skip
        said.tags.update(dict.fromkeys(default.tags))
        priority = said.priority or default.priority or "normal"
        if spoken.priority is not None:
            priority = higher(priority, spoken.priority)
        return Classification(
            language=language,
            category=category,
            priority=priority,
            tags=tuple(said.tags),
            queue=placement.queue,
            requires=placement.requires,
            prefers=placement.prefers,
            weight=placement.weight,
            confidence=confidence,
            band=band_of(confidence),
            evidence=tuple(said.evidence),
            top=spoken.top,
            sentiment=spoken.sentiment,
        )

    def placement(
        self,
        category: str,
        language: str,
        channel: Channel,
        *,
        queue: str | None = None,
        requires: dict[str, int] | None = None,
        prefers: dict[str, int] | None = None,
    ) -> Placement:
        """Where a ticket with these labels goes. `queue`, `requires` and `prefers` are what rules set beside the
        category; of a skill that both name the rule's level counts. The language's skill is required where the
        workspace has it."""
        listed = self.document.category(category)
        required = {**listed.requires, **(requires or {})}
        language_skill = self.document.language_skill(language)
        if language_skill is not None:
            required.setdefault(language_skill, 1)
        return Placement(
            queue=queue or self.document.queue_of(category),
            requires=required,
            prefers={**listed.prefers, **(prefers or {})},
            weight=self.document.weight_of(category, channel),
        )

    def _language(self, message: MessageReceived, text: str) -> tuple[str, list[Evidence]]:
        """The guess; where it is unsure what the customer is known to speak."""
        spoken = self._speaker.guess(text)
        evidence = [] if spoken.evidence is None else [spoken.evidence]
        known = message.customer.language
        if spoken.language == UNDETERMINED and known in self.document.languages:
            says = "the customer's language; the text alone does not tell"
            return str(known), [*evidence, Evidence(kind="person", id=str(known), says=says)]
        return spoken.language, evidence

    def _take_hints(self, message: MessageReceived, said: LabelsSoFar) -> None:
        """What the connector says, where the document lets it; names that are not of this workspace are passed over."""
        hints, connector = message.hints, self.document.connectors.get(message.connector)
        if hints is None or connector is None or not connector.hints:
            return
        taken = Labelled(
            category=hints.category if hints.category in self._categories else None,
            queue=hints.queue if hints.queue in self.document.queues else None,
            priority=hints.priority,
            requires={skill: level for skill, level in hints.requires.items() if skill in self._skills},
            prefers={skill: level for skill, level in hints.prefers.items() if skill in self._skills},
        )
        said.take(taken)
        given = taken.model_dump(exclude_defaults=True)
        if given:
            says = ", ".join(f"{key} {value}" for key, value in given.items())
            said.evidence.append(Evidence(kind="hint", id=message.connector, says=says[:500]))

    def _category(self, message: MessageReceived, said: LabelsSoFar, spoken: LexiconSays) -> tuple[str, float]:
        if said.category is not None:
            return said.category, 1.0
        if spoken.category is not None:
            said.evidence.extend(spoken.evidence)
            return spoken.category, spoken.confidence
        default = self._default(message)
        says = "nothing recognised"
        if default.category is not None:
            said.evidence.append(
                Evidence(kind="default", id=message.connector, says=f"{says}: the connector's default")
            )
            return default.category, spoken.confidence
        said.evidence.append(Evidence(kind="default", id="otherwise", says=says))
        return CATCH_ALL, spoken.confidence

    def _default(self, message: MessageReceived) -> Labelled:
        connector = self.document.connectors.get(message.connector)
        return Labelled() if connector is None else connector.default

    def _queue_unless_listed(self, category: str, default: Labelled) -> str | None:
        """The connector's default queue, where no category of the document says another."""
        listed = self.document.classify.categories.get(category)
        return default.queue if listed is None or listed.queue is None else None
