"""HTTP calls to addresses that workspaces configure: never into our own network.

The check is made where it cannot be gone around: on the address that is connected to, after the name was resolved (a
name may resolve differently the second time). Redirects are not followed here; who follows one calls anew, and is
looked at anew. Loopback is allowed only by setting, for the local stack.
"""

import asyncio
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore
import idna

from pointsman.runtime.public_addresses import AddressRefused, may_call

ANSWER_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class OutboundAnswer:
    """What the receiver answered. `body` is cut at what the caller takes (of a POST 64 KiB); `whole`: that is all."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True

    @property
    def retry_after_seconds(self) -> float | None:
        """When to come again, as `Retry-After` says in seconds (at most some eleven days); None: it does not say."""
        asked = self.headers.get("retry-after", "")
        return float(asked[:6]) if asked.isascii() and asked.isdigit() else None


CALL_ERRORS = (OSError, TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)
"""Errors of a call that may succeed later (`AddressRefused` among them)."""


class Outbound:
    """A pool of connections for such calls; an async context manager. `connections_max` at once."""

    def __init__(self, *, loopback: bool = False, timeout_seconds: float = 15.0, connections_max: int = 50) -> None:
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout_seconds)
        self._timeout_seconds = timeout_seconds
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=_Guarded(loopback), max_connections=connections_max, keepalive_expiry=30.0
        )

    async def __aenter__(self) -> "Outbound":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.aclose()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> OutboundAnswer:
        """The answer, whatever its status. Raises one of `CALL_ERRORS`, or `ValueError` for an URL that is none."""
        async with asyncio.timeout(self._timeout_seconds * 2):
            return await self._call("POST", url, headers, body, ANSWER_BYTES_MAX)

    async def get(self, url: str, headers: Mapping[str, str], *, bytes_max: int, seconds_max: float) -> OutboundAnswer:
        """The same of a GET: of its body at most so many bytes, and no longer than so long in all."""
        async with asyncio.timeout(seconds_max):
            return await self._call("GET", url, headers, None, bytes_max)

    async def _call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, bytes_max: int
    ) -> OutboundAnswer:
        asked = url_of(url)
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        host = b"[%b]" % asked.host if b":" in asked.host else asked.host
        named = host + (b":%d" % asked.port if asked.port else b"")
        async with self._pool.stream(
            method, asked, headers=[(b"Host", named), *sent], content=body, extensions={"timeout": self._timeouts}
        ) as response:
            parts, length = [], 0
            async for part in response.aiter_stream():
                parts.append(part)
                length += len(part)
                if length > bytes_max:
                    break
            answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return OutboundAnswer(response.status, answered, b"".join(parts)[:bytes_max], length <= bytes_max)


def url_of(url: str) -> httpcore.URL:
    """What is called for an address as people write it: a name in any script by its ASCII form (IDNA 2008 with UTS 46),
    a path and query in UTF-8, percent-encoded. Raises `ValueError` for an address that is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError(f"the address is no URL: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise ValueError("only http and https addresses are called")
    target = quote(parts.path or "/", safe=_AS_IS) + (f"?{quote(parts.query, safe=_AS_IS)}" if parts.query else "")
    return httpcore.URL(scheme=parts.scheme, host=_ascii(parts.hostname or ""), port=port, target=target)


NAME_LENGTH_MAX = 253
_AS_IS = "/?%:@!$&'()*+,;=~"
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,252})|[0-9a-f:.]{2,45}(%[a-z0-9]{1,15})?")


def _ascii(host: str) -> str:
    try:
        name = host if host.isascii() or len(host) > NAME_LENGTH_MAX else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        name = host
    if not _NAME.fullmatch(name):
        raise ValueError(f"{host[:NAME_LENGTH_MAX]!r} is no name of a host")
    return name


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that it has looked at."""

    def __init__(self, loopback: bool) -> None:
        self._loopback = loopback
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host}: {error}") from error
        addresses = [str(entry[4][0]) for entry in found]
        refused = [address for address in addresses if not may_call(address, loopback=self._loopback)]
        if refused or not addresses:
            raise AddressRefused(f"{host} leads to {', '.join(refused) or 'nowhere'}, which is not a public address")
        return await self._backend.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused("sockets of this host are not called")

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)
