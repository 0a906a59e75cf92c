"""Readers of downloads who take nothing leave metrics to others.

Eight of them once held every connection of metrics in open transactions, and the edge became unready.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import orjson
import pytest
from tests.integration.http.serving import a_token, bearer
from tests.integration.stack.serving import an_edge_here

from pointsman.edge.settings import EdgeSettings
from pointsman.testing.installation import Installation

pytestmark = pytest.mark.stack

READERS = 8
TICKETS = 6_000
"""As NDJSON more than the buffers of both sides take."""
NDJSON = {"Accept": "application/x-ndjson"}
SEED = """
INSERT INTO ticket (workspace, ticket_id, channel, connector, customer_id, started_by, opened_at, config_version, state,
    tags, skills, answered, inbound_count, reply_count, bot_reply_count, note_count, offer_count, accept_count,
    decline_count, expiry_count, rescind_count, assignment_count, transfer_count, reopen_count, queued_seconds,
    offered_seconds, assigned_seconds, pending_customer_seconds, pending_third_party_seconds, snoozed_seconds,
    resolved_seconds, wrap_up_seconds, handling_number, unresolved_number)
SELECT 'acme', 'tkt_' || n, 'chat', 'site-chat', 'cus_' || n, 'customer', '2026-01-01Z'::timestamptz
    + (n / 7) * '1 s'::interval,
    1, 'queued', '{}', '{}', '{}', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM generate_series(1, $1::int) AS n
"""


def _viewer(settings: EdgeSettings) -> str:
    return a_token(settings, "viewer", sub="wall")


@asynccontextmanager
async def a_reader(client: httpx.AsyncClient, token: str) -> AsyncIterator[socket.socket]:
    """A download that was asked for and of which nothing is taken but the first bytes."""
    address = (client.base_url.host, client.base_url.port)
    loop = asyncio.get_running_loop()
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.setblocking(False)
        await loop.sock_connect(reader, address)
        head = f"GET /metrics/v1/exports/tickets HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {token}\r\n"
        await loop.sock_sendall(reader, head.encode() + b"Accept: application/x-ndjson\r\n\r\n")
        assert (await loop.sock_recv(reader, 12)).startswith(b"HTTP/1.1 200")
        yield reader


async def test_eight_slow_readers_leave_metrics_and_readiness_to_others(
    installation: Installation, tmp_path: Path
) -> None:
    admin = await installation.connect("metrics")
    await admin.execute(SEED, TICKETS)
    async with an_edge_here(installation, tmp_path) as (client, settings):
        slow = _viewer(settings)
        readers = [a_reader(client, slow) for _ in range(READERS)]
        for reader in readers:
            await reader.__aenter__()
        held = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        assert await admin.fetchval(held) == 0
        for _ in range(5):
            live = await client.get("/metrics/v1/live", headers=bearer(_viewer(settings)), timeout=60)
            assert live.status_code == 200, live.text
        assert (await client.get("/readyz", timeout=60)).status_code == 200
        for reader in readers:
            await reader.__aexit__(None, None, None)
    await admin.close()


async def test_a_tokens_downloads_are_bounded_and_whole(installation: Installation, tmp_path: Path) -> None:
    admin = await installation.connect("metrics")
    await admin.execute(SEED, TICKETS)
    await admin.close()
    async with an_edge_here(installation, tmp_path, streams_per_token_max=1) as (client, settings):
        token = _viewer(settings)
        async with a_reader(client, token):
            refused = await client.get("/metrics/v1/exports/tickets", headers=bearer(token))
            assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-at-once")
            assert refused.headers["Retry-After"] == "1"
            whole = await client.get(
                "/metrics/v1/exports/tickets", headers=bearer(_viewer(settings)) | NDJSON, timeout=120
            )
        assert len({orjson.loads(line)["ticket_id"] for line in whole.text.splitlines()}) == TICKETS

        async def free_again() -> bool:
            answer = await client.get("/metrics/v1/exports/tickets?to=2020-01-01T00:00:00Z", headers=bearer(token))
            return answer.is_success

        async with asyncio.timeout(30):
            while not await free_again():
                pass
