"""Sessions of anybody with the local stack of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pointsman.cli.server import local_token
from pointsman.client import Connector, Session
from pointsman.local.folder import StackFolder


def token_of(stack: StackFolder, role: str, sub: str) -> str:
    status = stack.status()
    assert status.key_file is not None
    return local_token(Path(status.key_file), role, "acme", sub, 3600)


@asynccontextmanager
async def a_session(stack: StackFolder, role: str, sub: str) -> AsyncIterator[Session]:
    url = stack.status().url
    assert url is not None
    async with Session(url, token_of(stack, role, sub), retry_seconds=120) as session:
        yield session


async def has_reply(connector: Connector, ticket: str, text: str) -> bool:
    replies, _ = await connector.poll_replies(wait_seconds=0)
    return (ticket, text) in [(reply.ticket_id, reply.text) for reply in replies]


async def agent_state(stack: StackFolder, name: str) -> str:
    async with a_session(stack, "supervisor", "sue") as session:
        return str((await session.get(f"/routing/v1/agents/{name}"))["state"])
