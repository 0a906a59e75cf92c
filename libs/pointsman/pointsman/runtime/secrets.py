"""Secrets by name, of one workspace: never in a document, and never another workspace's.

A name resolves to the environment variable `POINTSMAN_SECRET__<WORKSPACE>__<NAME>` (upper case, `-` written `_`), else
to the file `<secrets_folder>/<workspace>/<name>`, else to what an admin put into the service's own encrypted store.
Slugs have no `--`, so no two pairs share a variable.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pointsman.runtime.sealing import NotOpened, SealingKeys
from pointsman.runtime.secret_store import NoSealingKey, SecretStore
from pointsman.runtime.settings import RuntimeSettings

_SLUG = re.compile(r"(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)
SECRET_BYTES_MAX = 65_536


class SecretMissing(LookupError):
    """The workspace has no secret of this name, or it cannot be read here. The message names both, never a value.
    `name` None: nothing names one."""

    def __init__(self, message: str, name: str | None) -> None:
        super().__init__(message)
        self.name = name


class Secrets:
    """Where a service's process looks secrets up: the one door. Each look reads anew, so that a change counts at once.

    `pool` is of the service's role, and its schema has the table `secret`; without a pool there is no store. Raises
    `OSError` or `ValueError` when the settings name a key file that is none.
    """

    def __init__(
        self,
        settings: RuntimeSettings,
        service: str,
        pool: Any | None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = settings.secrets_folder
        self._environment = os.environ if environment is None else environment
        keys = None if settings.secrets_key_file is None else SealingKeys.read(settings.secrets_key_file)
        self.store = None if pool is None else SecretStore(pool, service, keys)

    async def values(self, workspace: str, name: str | None) -> tuple[str, ...]:
        """What the name stands for, the newest first: during a rotation two, and then both verify and both sign.
        Raises `SecretMissing` when there is none."""
        found = () if name is None else await self._find(workspace, name)
        if not found:
            raise SecretMissing(f"the workspace {workspace} has no secret {name!r}", name)
        return found

    async def get(self, workspace: str, name: str | None) -> str:
        """The newest of `values`. Raises `SecretMissing`."""
        return (await self.values(workspace, name))[0]

    async def _find(self, workspace: str, name: str) -> tuple[str, ...]:
        if not _SLUG.fullmatch(workspace) or not _SLUG.fullmatch(name):
            return ()
        given = self._given(workspace, name)
        if given is not None:
            return (given,)
        if self.store is None:
            return ()
        try:
            return await self.store.values(workspace, name)
        except (NotOpened, NoSealingKey) as error:
            raise SecretMissing(f"the secret {name!r} of {workspace} cannot be read: {error}", name) from error

    async def has(self, workspace: str, name: str) -> bool:
        """Whether the name stands for something that can be read."""
        try:
            return bool(await self._find(workspace, name))
        except SecretMissing:
            return False

    async def unset(self, workspace: str, names: Iterable[str]) -> list[str]:
        """Those of the names that stand for nothing here, in their order."""
        wanted = [*dict.fromkeys(names)]
        stored: frozenset[str] = frozenset()
        if self.store is not None:
            stored = await self.store.those_of(workspace, wanted)
        return [name for name in wanted if name not in stored and not self._given(workspace, name)]

    def _given(self, workspace: str, name: str) -> str | None:
        """What stands in the environment or in a file."""
        if not _SLUG.fullmatch(workspace) or not _SLUG.fullmatch(name):
            return None
        found = self._environment.get(variable_of(workspace, name))
        if found is None and self._folder is not None:
            found = _read(self._folder / workspace / name)
        return found or None


def variable_of(workspace: str, name: str) -> str:
    """The environment variable of a workspace's secret."""
    return f"POINTSMAN_SECRET__{_upper(workspace)}__{_upper(name)}"


def _upper(slug: str) -> str:
    return slug.upper().replace("-", "_")


def _read(path: Path) -> str | None:
    """The file's text without the newline that ends it; None when it is no such file."""
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_BYTES_MAX + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    if len(content) > SECRET_BYTES_MAX:
        return None
    return content.decode("utf-8", "strict").removesuffix("\n").removesuffix("\r")
