"""Which secrets a document names, and which service uses each: they are set there, or nothing comes of the key."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pointsman.contracts.document.errors import pointer_of

SECRET_KEYS = ("secret", "challenge_secret", "url_from")
"""The keys whose value is the name of a secret, wherever they stand."""

SERVICES = {"connectors": "intake", "webhooks": "routing", "sla": "sla"}
"""A section of the document → the service that uses the secrets named in it."""

Path = tuple[str | int, ...]


class Needed(NamedTuple):
    """A secret that a key names, and the service in which it is looked up."""

    path: Path
    name: str
    service: str

    def plain(self) -> dict[str, Any]:
        """As `PUT /config`, `POST /config:check` and the commands tell it."""
        return {"pointer": pointer_of(self.path), "secret": self.name, "service": self.service}


def secrets_needed(document: Mapping[str, Any]) -> list[Needed]:
    """The secrets that a plain, valid document names, in its order."""
    return [
        Needed((section, *path), name, service)
        for section, service in SERVICES.items()
        for path, name in _named(document.get(section), ())
    ]


def _named(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key in SECRET_KEYS and isinstance(part, str):
                yield (*path, key), part
            else:
                yield from _named(part, (*path, key))
