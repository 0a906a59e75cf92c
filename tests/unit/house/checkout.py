"""The checkout's files, for the tests that look at the code itself."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]

_SKIPPED = {".venv", ".pointsman", ".git", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def files(*folders: str, suffix: str) -> Iterator[Path]:
    """The files below the folders, or of the whole checkout, whose name ends so."""
    for folder in folders or (".",):
        for path in _below(ROOT / folder):
            if path.name.endswith(suffix):
                yield path


@cache
def _below(folder: Path) -> tuple[Path, ...]:
    """Every file, in order; what was installed, generated or kept by tools is not walked through."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        found += [Path(place, name) for name in names]
    return tuple(sorted(path for path in found if path.is_file()))


def shown(path: Path) -> str:
    """The path as a message names it."""
    return str(path.relative_to(ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Every node of the file's tree: many tests look through them, and walking takes ten times as long."""
    return tuple(ast.walk(tree_of(path)))


def module_of(path: Path) -> str:
    """The dotted name of a module of a distribution, or of the tests."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    parts = parts[2:] if parts[0] in ("libs", "services") else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(path: Path) -> tuple[tuple[int, str], ...]:
    """(line, module) of every import that runs. Those under `if TYPE_CHECKING:` do not."""
    return tuple(_imports(tree_of(path), _package_of(path), for_types=False))


@cache
def every_import_of(path: Path) -> tuple[tuple[int, str], ...]:
    """(line, module) of every import, those for types too."""
    return tuple(_imports(tree_of(path), _package_of(path), for_types=True))


def _package_of(path: Path) -> str:
    module = module_of(path)
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def _imports(node: ast.AST, package: str, *, for_types: bool) -> Iterator[tuple[int, str]]:
    for child in ast.iter_child_nodes(node):
        if not for_types and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                above = package.split(".")[: len(package.split(".")) - child.level + 1]
                base = ".".join([*above, base] if base else above)
            # `from package import module` is an import of the module too.
            yield from ((child.lineno, f"{base}.{alias.name}") for alias in child.names)
        else:
            yield from _imports(child, package, for_types=for_types)
