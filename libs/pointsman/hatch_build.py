"""The wheel has the pages of docs/problems, which a running installation serves; a checkout has them where they are."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGES = Path(__file__).parents[2] / "docs" / "problems"


class ProblemPagesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Beside what the package is made of."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        if not PAGES.is_dir():
            raise FileNotFoundError(f"{PAGES} is not there: the wheel is built from a checkout")
        build_data["force_include"][str(PAGES)] = "pointsman/edge/problems"
