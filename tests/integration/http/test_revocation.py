"""A revoked token is refused by every process, also by one that starts later, also when the broker lost its log."""

from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointsman.local import Tansu, create_topics
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.issuer_keys import generate_key_file
from pointsman.runtime.process import ApiProcess
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.http.serving import a_client, a_process, a_token, bearer
from tests.integration.routing.service import a_routing_service

pytestmark = pytest.mark.stack


def refuses(process: ApiProcess, token: dict[str, Any]) -> bool:
    headers = {"authorization": f"Bearer {token['token']}"}
    try:
        process.auth.admit(headers, ("connector",), reads=False)
    except Problem as problem:
        return problem.status == 401
    return False


async def test_every_process_learns_of_a_revocation(installation: Installation, tmp_path: Path) -> None:
    address = tmp_path / "broker"

    async def start(folder: str) -> Tansu:
        server = Tansu(tmp_path / folder)
        await server.start()
        await create_topics(server.address, installation.settings.partitions, installation.settings.topic_prefix)
        address.write_text(server.address)
        return server

    broker = await start("first")
    try:
        changes = {"broker": f"file:{address}", **Tansu.settings}
        async with (
            a_routing_service(installation, tmp_path, **changes) as floor,
            a_process(floor.settings, "intake") as running,
        ):
            await floor.open_workspace()
            admin = await floor.as_("admin", "root")
            body = {"role": "connector", "sub": "site-chat", "ttl_seconds": 600}
            token = (await admin.post("/v1/tokens", json=body)).json()
            assert not refuses(running, token)
            assert (await admin.delete(f"/v1/tokens/{token['token_id']}")).status_code == 204
            await until(lambda: refuses(running, token))
            async with a_process(floor.settings, "sla") as started_later:
                assert refuses(started_later, token)
            await until(lambda: running.pool.fetchval("SELECT count(*) FROM revoked_token"))
        await broker.stop()
        broker = await start("second")
        async with a_process(floor.settings, "intake") as after_the_loss:
            assert refuses(after_the_loss, token)
    finally:
        await broker.stop()


async def test_a_token_that_was_signed_offline_is_revoked_by_its_id(installation: Installation, tmp_path: Path) -> None:
    """An operator's, which is in no list, without naming a workspace; and a workspace's, which no list has."""
    async with a_routing_service(installation, tmp_path) as floor, a_process(floor.settings, "intake") as elsewhere:
        await floor.open_workspace()
        stolen = {"token": a_token(floor.settings, "connector", token_id="tok_stolen")}
        gone = bearer(a_token(floor.settings, "operator", "*", token_id="tok_gone"))
        admin = await floor.as_("admin", "root")
        for unknown in ("tok_gone", "tok_stolen", "tok_never"):
            assert (await admin.delete(f"/v1/tokens/{unknown}")).status_code == 404
        operator = bearer(a_token(floor.settings, "operator", "*"))
        async with a_client(floor.app, operator) as client:
            for _ in range(2):
                assert (await client.delete("/v1/tokens/tok_gone")).status_code == 204
            named = {"Pointsman-Workspace": "acme"}
            assert (await client.delete("/v1/tokens/tok_stolen", headers=named)).status_code == 204

            async def refused() -> bool:
                return (await client.get("/v1/tokens", headers=gone | named)).status_code == 401

            await until(refused)
            assert (await client.get("/v1/tokens", headers=named)).status_code == 200
        await until(lambda: refuses(elsewhere, stolen))
        await until(lambda: elsewhere.pool.fetchval("SELECT count(*) = 2 FROM revoked_token"))
        assert await floor.process.pool.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_a_rotation_of_the_key_ends_nothing_at_once(installation: Installation, tmp_path: Path) -> None:
    """The processes that run see the changed file: both keys verify, the first signs, and a removed one is refused."""
    async with a_routing_service(installation, tmp_path) as floor:
        await floor.open_workspace()
        path = floor.settings.key_file
        assert path is not None
        old_key = path.read_bytes()
        old = bearer(a_token(floor.settings, "admin"))
        path.unlink()
        generate_key_file(path)
        new_key = path.read_bytes()
        new = bearer(a_token(floor.settings, "admin"))

        async with a_client(floor.app) as client:

            async def answers(headers: dict[str, str]) -> int:
                return (await client.get("/v1/tokens", headers=headers)).status_code

            async def hold(*keys: bytes) -> None:
                beside = path.with_name("beside")
                beside.write_bytes(b'{"keys": [' + b", ".join(keys) + b"]}")
                beside.replace(path)

            async def wait(of_old: int, of_new: int) -> None:
                async def seen() -> bool:
                    return (await answers(old), await answers(new)) == (of_old, of_new)

                await until(seen)

            await hold(old_key, new_key)
            await wait(200, 200)
            await hold(new_key, old_key)
            body = {"role": "viewer", "sub": "tv", "ttl_seconds": 60}

            async def signed_by_the_new_key() -> bool:
                issued = (await client.post("/v1/tokens", json=body, headers=old)).json()["token"]
                return bool(key_named_in(issued) == key_named_in(new["Authorization"].partition(" ")[2]))

            await until(signed_by_the_new_key)
            assert await answers(old) == 200
            path.write_bytes(b"not a key")
            await hold(new_key)
            await wait(401, 200)


def key_named_in(token: str) -> Any:
    header = token.partition(".")[0]
    return orjson.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
