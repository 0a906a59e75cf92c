"""Secrets over HTTP: put by an admin, never read back, two valid during a rotation, each service with its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from pointsman.runtime.http.app import service_app
from pointsman.runtime.process import ApiProcess
from pointsman.runtime.secret_store import SECRETS_OF_WORKSPACE_MAX
from pointsman.runtime.secrets import SecretMissing, Secrets
from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.installation import Installation
from tests.integration.http.serving import a_client, a_process, a_token, bearer, with_key

pytestmark = pytest.mark.stack


@pytest.fixture
def installation(tables: Installation) -> Installation:
    """Nothing here meets a broker."""
    return tables


class Keeper:
    """An API process that keeps secrets, and a resolver as another process of the service has one."""

    def __init__(self, process: ApiProcess, client: httpx.AsyncClient) -> None:
        self.process, self.client = process, client
        self.settings = process.settings

    async def call(
        self, method: str, path: str, role: str = "admin", workspace: str = "acme", **more: Any
    ) -> httpx.Response:
        headers = bearer(a_token(self.settings, role, workspace))
        return await self.client.request(method, f"/v1/secrets{path}", headers=headers, **more)

    async def put(self, name: str, value: str, previous: int = 0, workspace: str = "acme") -> dict[str, Any]:
        body = {"value": value, "previous_valid_seconds": previous}
        answer = await self.call("PUT", f"/{name}", workspace=workspace, json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def resolver(self, service: str = "routing", environment: dict[str, str] | None = None) -> Secrets:
        return Secrets(self.settings, service, self.process.pool, environment or {})

    async def lapse(self) -> None:
        """As if the time of every rotation was over."""
        await self.process.pool.execute("UPDATE secret SET previous_until = clock_timestamp() - interval '1 second'")


@pytest.fixture
def settings(installation: Installation, tmp_path: Path) -> RuntimeSettings:
    return with_key(installation.settings, tmp_path).model_copy(update={"secrets_folder": tmp_path / "secrets"})


@pytest.fixture
async def keeper(settings: RuntimeSettings) -> AsyncIterator[Keeper]:
    async with a_keeper(settings) as keeper:
        yield keeper


@asynccontextmanager
async def a_keeper(settings: RuntimeSettings) -> AsyncIterator[Keeper]:
    async with a_process(settings) as process, a_client(_app(process)) as client:
        yield Keeper(process, client)


def _app(process: ApiProcess) -> FastAPI:
    return service_app(process, "routing", "Routing", keeps_secrets=True)


async def test_a_secret_is_found_by_its_name_and_never_told_again(keeper: Keeper) -> None:
    told = await keeper.put("crm-hook", "s3cret")
    assert (told["name"], told["set_by"], told["previous_until"]) == ("crm-hook", "admin anna", None)
    assert await keeper.resolver().values("acme", "crm-hook") == ("s3cret",)
    listed = (await keeper.call("GET", "")).json()
    assert listed == {"items": [told], "next_cursor": None}
    assert (await keeper.call("GET", "/crm-hook")).status_code == 405
    row = await keeper.process.pool.fetchrow("SELECT * FROM secret")
    assert b"s3cret" not in row["value"]


async def test_during_a_rotation_both_values_are_valid_and_the_new_one_comes_first(keeper: Keeper) -> None:
    await keeper.put("crm-hook", "old")
    told = await keeper.put("crm-hook", "new", previous=3600)
    assert told["previous_until"] is not None
    assert await keeper.resolver().values("acme", "crm-hook") == ("new", "old")
    await keeper.put("crm-hook", "new", previous=3600)
    assert await keeper.resolver().values("acme", "crm-hook") == ("new", "old"), "a repeated call rotates nothing"
    await keeper.lapse()
    assert await keeper.resolver().values("acme", "crm-hook") == ("new",)
    assert (await keeper.put("other", "x"))["previous_until"] is None
    assert await keeper.process.pool.fetchval("SELECT count(previous) FROM secret") == 0


async def test_without_a_time_for_the_previous_value_it_ends_at_once(keeper: Keeper) -> None:
    await keeper.put("crm-hook", "old")
    await keeper.put("crm-hook", "newer", previous=3600)
    await keeper.put("crm-hook", "newer")
    assert await keeper.resolver().values("acme", "crm-hook") == ("newer",)


async def test_a_removed_secret_is_gone(keeper: Keeper) -> None:
    await keeper.put("crm-hook", "s3cret")
    assert (await keeper.call("DELETE", "/crm-hook")).status_code == 204
    assert (await keeper.call("DELETE", "/crm-hook")).status_code == 404
    with pytest.raises(SecretMissing, match="acme has no secret 'crm-hook'"):
        await keeper.resolver().get("acme", "crm-hook")


async def test_another_workspaces_secret_is_never_seen(keeper: Keeper) -> None:
    await keeper.put("crm-hook", "s3cret")
    assert (await keeper.call("GET", "", workspace="other")).json()["items"] == []
    assert (await keeper.call("DELETE", "/crm-hook", workspace="other")).status_code == 404
    with pytest.raises(SecretMissing):
        await keeper.resolver().get("other", "crm-hook")


async def test_a_row_copied_to_another_workspace_opens_nothing(keeper: Keeper) -> None:
    await keeper.put("crm-hook", "s3cret")
    await keeper.process.pool.execute(
        "INSERT INTO secret SELECT 'other', name, value, NULL, NULL, set_at, set_by FROM secret"
    )
    with pytest.raises(SecretMissing, match="moved from another place"):
        await keeper.resolver().get("other", "crm-hook")
    with pytest.raises(SecretMissing, match="moved from another place"):
        await keeper.resolver(service="intake").get("acme", "crm-hook")


async def test_a_variable_goes_before_a_file_and_a_file_before_the_store(keeper: Keeper) -> None:
    await keeper.put("crm-hook", "stored")
    folder = keeper.settings.secrets_folder
    assert folder is not None
    (folder / "acme").mkdir(parents=True)
    (folder / "acme" / "crm-hook").write_text("from the file\n")
    assert await keeper.resolver().values("acme", "crm-hook") == ("from the file",)
    environment = {"POINTSMAN_SECRET__ACME__CRM_HOOK": "from the environment"}
    assert await keeper.resolver(environment=environment).values("acme", "crm-hook") == ("from the environment",)


async def test_a_workspace_has_so_many_secrets_at_most(keeper: Keeper) -> None:
    await keeper.put("first", "v")
    await keeper.process.pool.execute(
        """
        INSERT INTO secret SELECT 'acme', 'n' || number, value, NULL, NULL, set_at, set_by
        FROM secret, generate_series(2, $1) AS number
        """,
        SECRETS_OF_WORKSPACE_MAX,
    )
    refused = await keeper.call("PUT", "/one-more", json={"value": "v"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/too-many-secrets")
    await keeper.put("first", "changed")


async def test_names_come_in_pages(keeper: Keeper) -> None:
    for name in ("c", "a", "b"):
        await keeper.put(name, "v")
    first = (await keeper.call("GET", "?limit=2")).json()
    second = (await keeper.call("GET", f"?limit=2&cursor={first['next_cursor']}")).json()
    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next_cursor"] is None


async def test_without_a_key_nothing_is_stored_and_the_problem_says_why(
    keeper: Keeper, settings: RuntimeSettings
) -> None:
    await keeper.put("crm-hook", "s3cret")
    bare = settings.model_copy(update={"secrets_key_file": None})
    async with a_process(bare) as process, a_client(_app(process)) as client:
        headers = bearer(a_token(bare, "admin"))
        refused = await client.put("/v1/secrets/x", json={"value": "v"}, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/no-sealing-key")
        assert len((await client.get("/v1/secrets", headers=headers)).json()["items"]) == 1
        with pytest.raises(SecretMissing, match="POINTSMAN_SECRETS_KEY_FILE"):
            await process.secrets.get("acme", "crm-hook")


async def test_those_that_are_not_set_are_told_wherever_a_value_may_stand(keeper: Keeper) -> None:
    """Of names that a document uses; a value may be in the store, a file or a variable."""
    await keeper.put("stored", "s3cret")
    folder = keeper.settings.secrets_folder
    assert folder is not None
    (folder / "acme").mkdir(parents=True)
    (folder / "acme" / "filed").write_text("s3cret")
    asked = {"name": ["stored", "gone", "filed", "lost", "gone"]}
    assert (await keeper.call("GET", "/unset", params=asked)).json() == {"unset": ["gone", "lost"]}
    elsewhere = await keeper.call("GET", "/unset", workspace="other", params=asked)
    assert elsewhere.json() == {"unset": ["stored", "gone", "filed", "lost"]}
    assert (await keeper.call("GET", "/unset", role="supervisor", params=asked)).status_code == 403
    named = {"POINTSMAN_SECRET__ACME__LOST": "s3cret"}
    assert await keeper.resolver(environment=named).unset("acme", ["lost", "gone"]) == ["gone"]
