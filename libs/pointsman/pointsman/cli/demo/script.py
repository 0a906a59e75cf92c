"""Who writes what, where and when: drawn once from the seed, before anything is posted.

Times are seconds since the first post. A conversation begins with a message and may go on with more of them; a
chat's customer may leave. The rate follows a day: it rises, bursts once, and falls.
"""

import random
from dataclasses import asdict, dataclass
from typing import Any

from pointsman.cli.demo import corpus
from pointsman.cli.demo.document import LANGUAGES

BURST_FROM, BURST_TO, BURST_FACTOR = 0.45, 0.55, 2.2
MESSAGES_OF_CONVERSATION = {1: 40, 2: 30, 3: 20, 4: 10}
DUPLICATE_SHARE = 0.02
LEAVE_SHARE = 0.06
RAW_MAIL_SHARE = 0.05
PRIVACY_COUNT = 12
CUSTOMERS = 700

CHANNEL_WEIGHTS = {"email": 40, "chat": 25, "social": 35}
CATEGORY_WEIGHTS = {
    "refund": 18,
    "invoice": 14,
    "return": 14,
    "delivery": 18,
    "login": 12,
    "bug": 10,
    "question": 14,
}
CONNECTOR_OF = {"email": "shop-mail", "chat": "site-chat", "social": "social-page"}
FIRST_NAMES = ("Ada", "Bo", "Carla", "Dora", "Emil", "Fanny", "Gino", "Hilde", "Igor", "Jana", "Kim", "Lin", "Mara")


@dataclass(frozen=True, slots=True)
class Post:
    """One thing that a connector posts. `how` is `single`, `batch`, `mail` (raw RFC 5322), `event` or `poison`.

    `key` is the message's external id, or the event's; `opens` tells the first message of a conversation.
    """

    at: float
    how: str
    connector: str
    channel: str
    key: str
    thread: str
    opens: bool = False
    duplicate: bool = False
    language: str | None = None
    category: str | None = None
    customer: dict[str, Any] | None = None
    subject: str | None = None
    text: str | None = None
    kind: str | None = None

    def document(self) -> dict[str, Any]:
        return asdict(self)


def draw(seconds: float, rate: float, seed: int) -> list[Post]:
    """The posts of a day that lasts `seconds`, at `rate` messages a second on average, in order of time."""
    chance = random.Random(f"script-{seed}")
    customers = [_customer(chance, number) for number in range(CUSTOMERS)]
    posts: list[Post] = []
    total = int(seconds * rate)
    per_conversation = _mean(MESSAGES_OF_CONVERSATION)
    openings = max(1, int(total * (1 - DUPLICATE_SHARE) / per_conversation))
    for number in range(openings):
        at = _moment(chance, seconds)
        posts.extend(_conversation(chance, number, at, seconds, chance.choice(customers)))
    for number in range(PRIVACY_COUNT):
        at = chance.uniform(0.05, 0.35) * seconds
        customer = {**chance.choice(customers), "tier": None}
        posts.append(_opening(chance, f"p{number}", at, "email", "privacy", customer))
    messages = [post for post in posts if post.how != "event"]
    for post in chance.sample(messages, int(total * DUPLICATE_SHARE)):
        again = min(post.at + chance.uniform(0.2, 3.0), seconds)
        posts.append(Post(**{**post.document(), "at": again, "duplicate": True, "opens": False}))
    posts.append(Post(0.3 * seconds, "poison", "support-mail", "email", "poison-1", "poison-1"))
    return sorted(posts, key=lambda post: post.at)


def _mean(weights: dict[int, int]) -> float:
    return sum(value * weight for value, weight in weights.items()) / sum(weights.values())


def _moment(chance: random.Random, seconds: float) -> float:
    """A time of the day, denser within the burst."""
    burst = BURST_TO - BURST_FROM
    if chance.random() < burst * (BURST_FACTOR - 1) / (1 + burst * (BURST_FACTOR - 1)):
        return chance.uniform(BURST_FROM, BURST_TO) * seconds
    return chance.random() * seconds


def _customer(chance: random.Random, number: int) -> dict[str, Any]:
    name = f"{chance.choice(FIRST_NAMES)} {chr(65 + number % 26)}."
    return {
        "id": f"cust-{number}",
        "name": name,
        "email": f"customer{number}@mail.example",
        "tier": "vip" if chance.random() < 0.06 else None,
        "language": chance.choices(LANGUAGES, weights=(30, 20, 16, 12, 10, 7, 5))[0],
    }


def _conversation(
    chance: random.Random, number: int, at: float, seconds: float, customer: dict[str, Any]
) -> list[Post]:
    channel = chance.choices(list(CHANNEL_WEIGHTS), weights=list(CHANNEL_WEIGHTS.values()))[0]
    category = chance.choices(list(CATEGORY_WEIGHTS), weights=list(CATEGORY_WEIGHTS.values()))[0]
    first = _opening(chance, str(number), at, channel, category, customer)
    posts = [first]
    further = chance.choices(list(MESSAGES_OF_CONVERSATION), weights=list(MESSAGES_OF_CONVERSATION.values()))[0] - 1
    for step in range(0 if first.how == "mail" else further):
        text = corpus.follow_up(chance, str(customer["language"]), str(customer["name"]))
        changes = {
            "at": min(posts[-1].at + chance.uniform(0.2, 1.2), seconds),
            "how": "single" if channel == "chat" else "batch",
            "key": f"{first.key}-{step + 1}",
            "opens": False,
            "text": text,
        }
        posts.append(Post(**{**first.document(), **changes}))
    if channel == "chat" and chance.random() < LEAVE_SHARE:
        left = min(at + chance.uniform(0.1, 2.0), seconds)
        posts.append(Post(left, "event", first.connector, channel, f"left-{first.key}", first.thread, kind="left"))
    return posts


def _opening(
    chance: random.Random, number: str, at: float, channel: str, category: str, customer: dict[str, Any]
) -> Post:
    raw = channel == "email" and chance.random() < RAW_MAIL_SHARE
    written = corpus.write(chance, str(customer["language"]), category, str(customer["name"]))
    return Post(
        at=at,
        how="mail" if raw else "single" if channel == "chat" else "batch",
        connector="support-mail" if raw else CONNECTOR_OF[channel],
        channel=channel,
        key=f"{channel}-{number}",
        thread=f"thread-{channel}-{number}",
        opens=True,
        language=written.language,
        category=category,
        customer=customer,
        subject=written.subject if channel == "email" else None,
        text=written.text,
    )
