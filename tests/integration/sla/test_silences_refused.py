"""Silences that are refused over HTTP: none of them is kept."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from pointsman.testing.installation import Installation
from tests.integration.sla.conftest import a_service
from tests.integration.sla.notify.telling import a_receiver
from tests.integration.sla.test_alerting import an_app, client_of

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_app(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    folder = tmp_path_factory.mktemp("sla")
    async with (
        a_service(shared_installation) as service,
        a_receiver() as receiver,
        an_app(service, receiver, folder) as app,
    ):
        yield app


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"until": "2099-01-01T00:00:00Z", "reason": "for ever"}, "/until"),
        ({"until": "2001-01-01T00:00:00Z", "reason": "over"}, "/until"),
        ({"reason": "no end"}, "/until"),
        ({"until": "2026-01-01T00:00:00", "reason": "where?"}, "/until"),
        ({"until": "2030-01-01T00:00:00Z"}, "/reason"),
        ({"until": "2030-01-01T00:00:00Z", "reason": "x", "match": {"colour": ["red"]}}, "/match/colour"),
        ({"until": "2030-01-01T00:00:00Z", "reason": "x", "match": {"severity": ["loud"]}}, "/match/severity/0"),
    ],
)
async def test_a_silence_that_says_too_little_is_refused(shared_app: Any, said: dict[str, Any], pointer: str) -> None:
    async with client_of(shared_app) as client:
        refused = await client.post("/v1/silences", json=said)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == pointer
        assert (await client.get("/v1/silences")).json()["items"] == []
