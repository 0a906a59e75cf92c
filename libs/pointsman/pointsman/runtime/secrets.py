"""Secrets by name, of one workspace: never in a document, and never another workspace's.

A name resolves to the environment variable `POINTSMAN_SECRET__<WORKSPACE>__<NAME>` (upper case, `-` written `_`), else
to the file `<secrets_folder>/<workspace>/<name>`. Slugs have no `--`, so no two pairs share a variable.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

_SLUG = re.compile(r"(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)
SECRET_BYTES_MAX = 65_536


class SecretMissing(LookupError):
    """The workspace has no secret of this name. The message names both, never a value."""


class Secrets:
    """Where a process looks secrets up. Files are read each time, so that a changed one counts at once."""

    def __init__(self, folder: Path | None, environment: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._environment = os.environ if environment is None else environment

    def find(self, workspace: str, name: str) -> str | None:
        """The secret, without the newline that ends a file; None when there is none."""
        if not _SLUG.fullmatch(workspace) or not _SLUG.fullmatch(name):
            return None
        found = self._environment.get(variable_of(workspace, name))
        if found is None and self._folder is not None:
            found = _read(self._folder / workspace / name)
        return found or None

    def get(self, workspace: str, name: str | None) -> str:
        """The secret. Raises `SecretMissing`."""
        found = None if name is None else self.find(workspace, name)
        if found is None:
            raise SecretMissing(f"the workspace {workspace} has no secret {name!r}")
        return found


def variable_of(workspace: str, name: str) -> str:
    """The environment variable of a workspace's secret."""
    return f"POINTSMAN_SECRET__{_upper(workspace)}__{_upper(name)}"


def _upper(slug: str) -> str:
    return slug.upper().replace("-", "_")


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_BYTES_MAX + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    if len(content) > SECRET_BYTES_MAX:
        return None
    return content.decode("utf-8", "strict").removesuffix("\n").removesuffix("\r")
