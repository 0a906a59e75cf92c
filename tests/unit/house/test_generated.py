"""What is generated is fresh: `make docs` writes it."""

from pathlib import Path

import pytest
from tests.unit.house.checkout import ROOT, shown

from pointsman.contracts import generate
from pointsman.contracts.registry import REGISTRY
from pointsman.edge import reference


def _stale(files: dict[Path, bytes]) -> list[str]:
    return [shown(path) for path, content in files.items() if not path.exists() or path.read_bytes() != content]


def test_schemas_examples_and_asyncapi_are_fresh() -> None:
    assert _stale(generate.generated(ROOT)) == [], "run `make docs`"


def test_openapi_documents_and_the_settings_page_are_fresh() -> None:
    assert _stale(reference.generated(ROOT)) == [], "run `make docs`"


@pytest.mark.parametrize("folder", [generate.SCHEMAS, generate.EXAMPLES], ids=["schemas", "examples"])
def test_no_version_was_ever_deleted(folder: Path) -> None:
    missing = [
        f"{model.topic}/{model.type}.v{version}.json"
        for models in REGISTRY.values()
        for model in models.values()
        for version in range(1, model.version + 1)
        if not (folder / model.topic / f"{model.type}.v{version}.json").exists()
    ]
    assert missing == []


def test_every_setting_is_explained() -> None:
    rows = [line for line in reference.settings_page().splitlines() if line.startswith("| `")]
    assert [row for row in rows if row.endswith("|  |")] == []
