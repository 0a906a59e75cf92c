"""Writes what is generated from the services: `python -m pointsman.edge.reference CHECKOUT`.

- `docs/openapi/<service>.json`: the OpenAPI document that the service answers under `/<service>/openapi.json`.
- `docs/settings.md`: every setting of every process, from the settings classes.
"""

import ast
import asyncio
import importlib
import inspect
import sys
import tempfile
import textwrap
import types
from collections.abc import Coroutine, Iterator, Mapping
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import orjson
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from pointsman.contracts import wire
from pointsman.contracts.generate import write
from pointsman.edge.settings import EdgeSettings
from pointsman.runtime.issuer_keys import generate_key_file
from pointsman.runtime.process import ApiProcess, Hub
from pointsman.runtime.revisions import installed_services
from pointsman.runtime.settings import AdministratorSettings, RuntimeSettings

_SETTINGS_HEAD = """\
# Settings

<!-- Generated from the settings classes by `make docs`. -->

Every process reads its settings from environment variables. Those of *every process* hold for each worker and for the
edge; the others only for the process that they are listed under. `pointsman up` sets what the local stack needs.
"""


class _Unopened(ApiProcess):
    """A process for making an app only: nothing is connected, and work beside the calls is not begun."""

    def __init__(self, settings: RuntimeSettings, service: str) -> None:
        self.hub = Hub(settings, wire)
        super().__init__(settings, service, wire=wire, hub=self.hub)
        self.pool: Any = None
        self.commander: Any = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        work.close()


def generated(checkout: Path) -> dict[Path, bytes]:
    """Every generated file and what it should hold."""
    files = {
        checkout / "docs" / "openapi" / f"{service}.json": document for service, document in openapi_documents().items()
    }
    files[checkout / "docs" / "settings.md"] = settings_page().encode()
    return files


def openapi_documents() -> dict[str, bytes]:
    """Service → its OpenAPI document. The apps are made but not opened: nothing is connected."""
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key"
        generate_key_file(key_file)
        return asyncio.run(_documents(RuntimeSettings(key_file=key_file)))


async def _documents(settings: RuntimeSettings) -> dict[str, bytes]:
    documents = {}
    for entry in entry_points(group="pointsman.apps"):
        document = entry.load()(_Unopened(settings, entry.name)).openapi()
        documents[entry.name] = orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"
    return documents


def settings_page() -> str:
    """The page: one table for every process, one for each class that adds to it."""
    parts = [_SETTINGS_HEAD, _section("Every process", RuntimeSettings, ())]
    for title, settings in _more_settings():
        if set(settings.model_fields) - set(RuntimeSettings.model_fields):
            parts.append(_section(title, settings, RuntimeSettings.model_fields))
    return "\n".join(parts)


def _more_settings() -> Iterator[tuple[str, type[BaseSettings]]]:
    yield "The edge", EdgeSettings
    for service, package in sorted(installed_services().items()):
        for _, found in inspect.getmembers(importlib.import_module(f"{package}.settings"), inspect.isclass):
            if issubclass(found, RuntimeSettings) and found.__module__.startswith(package):
                yield service, found
    yield "Setting up", AdministratorSettings


def _section(title: str, settings: type[BaseSettings], known: Any) -> str:
    prefix = settings.model_config.get("env_prefix", "")
    meanings = _meanings(settings)
    lines = [f"## {title}", "", _text(settings.__doc__), "", "| variable | value | default | |", "|---|---|---|---|"]
    for name, field in settings.model_fields.items():
        if name in known:
            continue
        default = field.get_default(call_default_factory=True)
        default = str(default).lower() if isinstance(default, bool) else default
        shown = "" if default in (None, PydanticUndefined, "") else f"`{default}`"
        lines.append(
            f"| `{(prefix + name).upper()}` | {_kind(field.annotation)} | {shown} | {_text(meanings.get(name))} |"
        )
    return "\n".join(lines) + "\n"


def _meanings(settings: type[BaseSettings]) -> Mapping[str, str]:
    """Field → the text that stands below it, of the class itself. pydantic would read it as well, but at each start of
    each process."""
    (written,) = ast.parse(textwrap.dedent(inspect.getsource(settings))).body
    assert isinstance(written, ast.ClassDef)
    found = {}
    for statement, below in pairwise(written.body):
        match statement, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = text
    return found


def _kind(annotation: Any) -> str:
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(_kind(one) for one in get_args(annotation) if one is not type(None))
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    named = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", Path: "path"}
    return named.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _text(said: str | None) -> str:
    return " ".join((said or "").split())


if __name__ == "__main__":
    write(generated(Path(sys.argv[1]).resolve()))
