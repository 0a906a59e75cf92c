"""The demo's workspace: a shop with three channels, seven languages and four dozen agents.

Its promises are short, so that a day fits into half a minute; only two people may answer data protection requests, and
they come late: those clocks breach.
"""

import random
from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "it", "de", "ru", "zh-Hant", "es", "fr")
NAMES = (
    *("anna", "boris", "chiara", "dieter", "elena", "felix", "giulia", "hanna", "ivan", "julia", "karl", "lucia"),
    *("marco", "nadia", "oleg", "paula", "quentin", "rosa", "sergej", "teresa", "ugo", "vera", "wei", "xenia"),
    *("yuki", "zoe", "alma", "bruno", "clara", "daniel", "emma", "franco", "greta", "hugo", "ines", "jonas"),
    *("katja", "leo", "mei", "nico", "olga", "pavel", "rita", "sven", "tina", "umberto", "viola", "walter"),
)
LATE_AGENTS = ("lena", "milo")
PRIVACY_TARGET_SECONDS = 6
OFFER_SECONDS = 10
LEGAL_OFFER_SECONDS = 5
LEASE_SECONDS = 40
LADDER, ON_CALL, ON_CALL_SECRET = "late", "on-call", "on-call-url"

# Words of each language that say what a message is about. RE2; upper and lower case are the same.
RULES: tuple[tuple[str, str, str, str], ...] = (
    (
        "privacy",
        "urgent",
        r"personal data|dati personali|personenbezogene|персональн|個人資料|datos personales|données personnelles",
        "legal",
    ),
    ("refund", "high", r"refund|rimborso|erstattung|возврат денег|退款|reembolso|remboursement", "billing"),
    ("invoice", "normal", r"invoice|fattura|rechnung|счёт|счет|發票|factura|facture", "billing"),
    (
        "return",
        "normal",
        r"send it back|restituire|zurückschicken|вернуть товар|退貨|devolver|renvoyer",
        "returns",
    ),
    (
        "delivery",
        "normal",
        r"parcel|delivery|pacco|consegna|paket|lieferung|посылк|доставк|包裹|送貨|paquete|entrega|colis|livraison",
        "returns",
    ),
    (
        "login",
        "high",
        r"password|log in|accedere|passwort|anmelden|пароль|войти|密碼|登入|contraseña|mot de passe",
        "technical",
    ),
    ("bug", "normal", r"error|crash|errore|fehler|ошибк|錯誤|fallo|erreur", "technical"),
)

CATEGORY_NEEDS: dict[str, dict[str, Any]] = {
    "privacy": {"queue": "legal", "requires": {"privacy": 5}},
    "refund": {"queue": "billing", "requires": {"billing": 3}},
    "invoice": {"queue": "billing", "requires": {"billing": 1}},
    "return": {"queue": "returns", "requires": {"returns": 1}},
    "delivery": {"queue": "returns", "requires": {"returns": 1}},
    "login": {"queue": "technical", "requires": {"technical": 2}},
    "bug": {"queue": "technical", "requires": {"technical": 4}, "prefers": {"technical": 7}, "weight": 2},
}

TRADES = ("billing", "returns", "technical")
QUEUES = ("general", "billing", "returns", "technical", "legal")


@dataclass(frozen=True, slots=True)
class DemoConnector:
    """A connector of the demo's workspace."""

    slug: str
    channel: str
    kind: str


CONNECTORS: tuple[DemoConnector, ...] = (
    DemoConnector("support-mail", "email", "smtp"),
    DemoConnector("shop-mail", "email", "json"),
    DemoConnector("site-chat", "chat", "json"),
    DemoConnector("social-page", "social", "json"),
)


def make_document(workspace: str, agent_count: int, seed: int) -> dict[str, Any]:
    """The workspace document; the same seed gives the same people."""
    return {
        "workspace": workspace,
        "timezone": "Europe/Rome",
        "languages": list(LANGUAGES),
        "tickets": {"reopen_seconds": 86_400, "close_after_seconds": 86_400},
        "connectors": {
            connector.slug: {
                "channel": connector.channel,
                "kind": connector.kind,
                **({"addresses": [f"help@{workspace}.example"]} if connector.kind == "smtp" else {}),
            }
            for connector in CONNECTORS
        },
        "channels": {
            "email": {"weight": 1},
            "chat": {"weight": 2, "pending_holds": True, "abandons_after_seconds": 3},
            "social": {"weight": 1},
        },
        "skills": [*TRADES, "privacy", *(f"lang-{language}" for language in LANGUAGES)],
        "classify": {
            "rules": [
                {"id": "vip", "when": {"customer_tier": ["vip"]}, "set": {"priority": "urgent", "tags": ["vip"]}},
                *(
                    {"id": category, "when": {"text": text}, "set": {"category": category, "priority": priority}}
                    for category, priority, text, _ in RULES
                ),
            ],
            "categories": CATEGORY_NEEDS,
            "otherwise": {"queue": "general"},
            "language_skill": "lang-{language}",
        },
        "queues": {
            queue: {
                "order": "priority" if queue == "technical" else "fifo",
                "offer": {
                    "timeout_seconds": LEGAL_OFFER_SECONDS if queue == "legal" else OFFER_SECONDS,
                    "offers_max": 4,
                    "retry_seconds": 5,
                },
            }
            for queue in QUEUES
        },
        "agents": make_agents(agent_count, seed),
        "teams": {team: {} for team in ("rome", "vienna", "taipei")},
        "presence": {
            "lease_seconds": LEASE_SECONDS,
            "grace_seconds": 3,
            "gone": {channel: {"requeue": "after_grace"} for channel in ("email", "chat", "social")},
        },
        "calendars": {"always": {"tz": "UTC", "always": True}},
        "sla": {
            "policies": [
                {
                    "name": "privacy",
                    "ladder": LADDER,
                    "match": {"category": ["privacy"]},
                    "calendar": "always",
                    "targets": {"first_response": {"default": PRIVACY_TARGET_SECONDS}},
                    "warn": {"shares": [0.5]},
                },
                {
                    "name": "vip",
                    "ladder": LADDER,
                    "match": {"customer_tier": ["vip"]},
                    "calendar": "always",
                    "targets": {"first_response": {"default": 20}, "resolution": {"default": 45}},
                    "warn": {"shares": [0.5, 0.8]},
                },
                {
                    "name": "standard",
                    "ladder": LADDER,
                    "match": {},
                    "calendar": "always",
                    "targets": {
                        "first_response": {"urgent": 20, "high": 25, "default": 30},
                        "next_response": {"default": 30},
                        "resolution": {"default": 60},
                    },
                    "warn": {"shares": [0.8]},
                    "pause_on": {"resolution": ["customer", "third_party"]},
                },
            ],
            "ladders": {
                LADDER: [
                    {"on": "warning", "do": [{"boost": 1}]},
                    {"on": "breach", "do": [{"notify": ON_CALL}]},
                    {"after_seconds": 15, "unless": "acknowledged", "do": [{"notify": ON_CALL}]},
                ]
            },
            "notify": {ON_CALL: {"url_from": ON_CALL_SECRET, "group_by": ["policy"], "within_seconds": 5}},
        },
        "wrap_up_seconds": {"chat": 1},
    }


def make_agents(count: int, seed: int) -> dict[str, dict[str, Any]]:
    """Each agent speaks two or three languages and knows one or two trades; every pair of both is covered."""
    chance = random.Random(f"agents-{seed}")
    agents: dict[str, dict[str, Any]] = {}
    pairs = [(language, trade) for language in LANGUAGES for trade in TRADES]
    for number in range(count):
        language, trade = pairs[number % len(pairs)]
        further = chance.sample([name for name in LANGUAGES if name != language], chance.choice((1, 2, 2)))
        skills = {f"lang-{language}": 10, trade: chance.randint(5, 10)}
        skills |= {f"lang-{name}": chance.randint(3, 8) for name in ("en", *further)}
        if chance.random() < 0.6:
            skills.setdefault(chance.choice(TRADES), chance.randint(2, 6))
        name = NAMES[number % len(NAMES)] + ("" if number < len(NAMES) else f"-{number // len(NAMES) + 1}")
        agents[name] = {
            "name": name.capitalize(),
            "team": ("rome", "vienna", "taipei")[number % 3],
            "capacity": chance.choice((4, 6, 6, 8)),
            "caps": {"chat": 3},
            "skills": skills,
        }
    for late in LATE_AGENTS:
        agents[late] = {
            "name": late.capitalize(),
            "team": "rome",
            "capacity": 10,
            "skills": {"privacy": 10, **{f"lang-{language}": 6 for language in LANGUAGES}},
            "queues": ["legal"],
        }
    return agents
