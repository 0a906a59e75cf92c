"""Who connects to which database: address, user and password, each apart, so that no character of one can be taken
for a part of another."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]/?#@:,]*)(?::\d*)?"
_REST = rf"(?P<where>{_HOST}(?:,{_HOST})*(?:/[^/?#@]*)?(?:\?[^#]*)?)"
_SCHEME = r"(?:postgresql|postgres)://"
_BY_THE_BOOK = re.compile(rf"{_SCHEME}(?:(?P<user>[^:/?#@]*)(?::(?P<password>[^/?#@]*))?@)?{_REST}")
"""As the manual says: what is special in a user or password is written %XX."""
_AS_TYPED = re.compile(rf"{_SCHEME}(?P<user>[^:/?#@]*):(?P<password>.*)@{_REST}", re.DOTALL)
"""As people paste it: the password is what stands before the last @."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where a database is, and who connects with what; None: as libpq's variables (`PGUSER`, `PGPASSWORD`) say."""

    address: str
    """A DSN without user and password; parameters such as `sslmode` are in it."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def arguments(self) -> dict[str, Any]:
        """What asyncpg connects with."""
        return {"dsn": self.address, "user": self.user, "password": self.password}


def login(address: str, *, user: str | None = None, password: str | None = None) -> Login:
    """What an address says, with the user and password given in place of its own.

    A password that stands in the address is read by the book (`%2F` is `/`), or as it was typed when that is not
    possible, as with a `/`, `#` or `@` in it. Raises `ValueError`, without the address: a password may be in it.
    """
    found = _BY_THE_BOOK.fullmatch(address)
    if found is not None:
        own = [unquote(part) if part else None for part in found.group("user", "password")]
    elif (found := _AS_TYPED.fullmatch(address)) is not None:
        own = [*found.group("user", "password")]
    else:
        raise ValueError("the database's address is none: postgresql://HOST:PORT/NAME, user and password beside it")
    return Login(f"postgresql://{found['where']}", user or own[0], password or own[1])


def read_password(path: Path) -> str:
    """What a password's file holds but the newline at its end; every other character counts. Raises `OSError`."""
    return path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
