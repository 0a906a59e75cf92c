"""A process that starts before its database waits for it, and tells when it does not come."""

import asyncio
from urllib.parse import urlsplit

import pytest

from pointsman.local.process import free_port
from pointsman.runtime.database import open_pool
from pointsman.testing.waiting import until
from tests.integration.runtime.conftest import Sums


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


async def test_a_database_that_comes_up_later_is_waited_for(sums: Sums) -> None:
    address = urlsplit(sums.settings.database)
    port = free_port()
    settings = sums.settings.model_copy(update={"database": f"postgresql://127.0.0.1:{port}{address.path}"})
    opening = asyncio.create_task(open_pool(settings, "sums", size=1))
    await until(lambda: _refused(port))
    assert not opening.done()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection(address.hostname, address.port)
        await asyncio.gather(_forward(reader, to_server[1]), _forward(to_server[0], writer))

    async with await asyncio.start_server(connected, "127.0.0.1", port):
        pool = await opening
        assert await pool.fetchval("SELECT 1") == 1
        await pool.close()


async def test_one_that_does_not_come_is_an_error(sums: Sums) -> None:
    settings = sums.settings.model_copy(update={"database": f"postgresql://127.0.0.1:{free_port()}/nothing"})
    with pytest.raises(OSError):
        await open_pool(settings, "sums", patience_seconds=0.0)


async def _refused(port: int) -> bool:
    try:
        await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    return False
