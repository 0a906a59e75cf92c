"""Secrets that are refused over HTTP: nothing of them is kept."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from pointsman.testing.installation import Installation
from tests.integration.http.serving import with_key
from tests.integration.http.test_secrets import Keeper, a_keeper

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_keeper(
    shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Keeper]:
    async with a_keeper(with_key(shared_installation.settings, tmp_path_factory.mktemp("keys"))) as keeper:
        yield keeper


@pytest.mark.parametrize("role", ["viewer", "agent", "supervisor", "connector"])
async def test_only_an_admin_keeps_secrets(shared_keeper: Keeper, role: str) -> None:
    calls: list[tuple[str, str, Any]] = [("PUT", "/x", {"value": "v"}), ("GET", "", None), ("DELETE", "/x", None)]
    for method, path, body in calls:
        assert (await shared_keeper.call(method, path, role, json=body)).status_code == 403


@pytest.mark.parametrize(
    ("name", "body", "pointer"),
    [
        ("crm-hook", {"value": ""}, "/value"),
        ("crm-hook", {}, "/value"),
        ("crm-hook", {"value": "é" * 40_000}, "/value"),
        ("crm-hook", {"value": "v", "previous_valid_seconds": -1}, "/previous_valid_seconds"),
        ("crm-hook", {"value": "v", "previous_valid_seconds": 10**9}, "/previous_valid_seconds"),
        ("crm-hook", {"value": "v", "valid": 1}, "/valid"),
        ("CRM", {"value": "v"}, "path:name"),
        ("crm--hook", {"value": "v"}, "path:name"),
    ],
)
async def test_bad_input_is_refused_with_its_place_and_without_its_value(
    shared_keeper: Keeper, name: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await shared_keeper.call("PUT", f"/{name}", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert "éé" not in answer.text
    assert (await shared_keeper.call("GET", "")).json()["items"] == []


async def test_half_a_character_is_refused(shared_keeper: Keeper) -> None:
    answer = await shared_keeper.call("PUT", "/x", content=b'{"value": "\\ud800"}')
    assert answer.status_code in (400, 422)
