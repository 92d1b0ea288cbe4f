"""The one way out to addresses that tenants name: resolved, checked, and the checked address is the one dialled."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDictProxy
from yarl import URL

from axonflow_outbound.egress import Egress
from axonflow_outbound.faults import EgressRefused, OutboundFailed, client_failures, refusing_malformed
from axonflow_outbound.hosts import Address, parse_host, parse_url
from axonflow_outbound.lookup import Lookup, system_lookup

CONNECT_TIMEOUT_S = 10.0
_CHUNK_BYTES = 65_536
_HEADER_BYTES = 16_384


@dataclasses.dataclass(frozen=True, slots=True)
class Dialable:
    """An address that passed the check a moment ago; dial ``address`` and keep ``host`` for TLS and Host."""

    host: str
    address: str
    port: int
    family: socket.AddressFamily


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A reply read whole."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class Streamed:
    """A reply whose body has not been read yet."""

    def __init__(self, response: aiohttp.ClientResponse, max_bytes: int) -> None:
        self._response = response
        self._max_bytes = max_bytes
        self.status = response.status
        self.headers = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, never more than the limit.

        Raises:
            OutboundFailed: ``oversize`` when there is more, ``unreachable`` when the connection breaks.
        """
        taken = 0
        async for chunk in self._response.content.iter_chunked(_CHUNK_BYTES):
            taken += len(chunk)
            if self._max_bytes and taken > self._max_bytes:
                raise OutboundFailed("oversize")
            yield chunk

    async def read(self) -> bytes:
        """The body whole.

        Raises:
            OutboundFailed: as ``chunks`` does.
        """
        declared = self._response.content_length
        if self._max_bytes and declared is not None and declared > self._max_bytes:
            raise OutboundFailed("oversize")
        return b"".join([chunk async for chunk in self.chunks()])


class Outbound:
    """An HTTP client, and dialling for drivers, under one set of egress rules. Follows no redirect, keeps no cookie."""

    def __init__(self, egress: Egress, lookup: Lookup = system_lookup, tls: ssl.SSLContext | None = None) -> None:
        """Nothing is opened yet; ``tls`` replaces the system's authorities for HTTPS."""
        self._egress = egress
        self._lookup = lookup
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give up connections; requests under way fail."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def check(self, url: str) -> None:
        """Whether ``url`` could be called now; for the moment somebody saves it. Every call is checked again.

        Raises:
            EgressRefused: with a sentence that names the host as it was given.
        """
        with refusing_malformed():
            _, host, port = parse_url(url)
        await self._admitted(host, port)

    async def dialable(self, host: str, port: int) -> Dialable:
        """An address of ``host`` that a driver may dial, at once and as it is.

        Raises:
            EgressRefused: the host is not well-formed, does not resolve, or has an address in a refused range.
        """
        if not 0 < port < 65_536:
            raise EgressRefused("The address has no port from 1 to 65535")
        with refusing_malformed():
            parsed = parse_host(host)
        return (await self._admitted(parsed, port))[0]

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float,
        max_bytes: int,
    ) -> Answer:
        """One request and its whole reply, of whatever status.

        Raises:
            EgressRefused: the address may not be dialled.
            OutboundFailed: ``reason`` says why there is no reply.
        """
        async with self.stream(
            method, url, headers=headers, body=body, timeout_s=timeout_s, max_bytes=max_bytes
        ) as reply:
            return Answer(reply.status, reply.headers, await reply.read())

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float,
        max_bytes: int,
    ) -> AsyncIterator[Streamed]:
        """One request, its reply to be read in the block; ``timeout_s`` covers the block.

        The path and query of ``url`` are sent as they are written.

        Raises:
            EgressRefused: the address may not be dialled.
            OutboundFailed: ``reason`` says why there is no reply.
        """
        with refusing_malformed():
            _, host, port = parse_url(url)
        target = URL(url, encoded=True)
        if not isinstance(host, str):
            await self._admitted(host, port)  # aiohttp resolves names alone
        sent = {"Accept-Encoding": "identity", "User-Agent": "axonflow", **(headers or {})}
        with client_failures():
            async with (
                asyncio.timeout(timeout_s),
                self._open_session().request(
                    method, target, headers=sent, data=body, allow_redirects=False
                ) as response,
            ):
                _refuse_encoding(response)
                yield Streamed(response, max_bytes)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=_CheckedResolver(self._admitted),
                use_dns_cache=False,
                ssl=self._tls or True,
                limit=100,
                limit_per_host=20,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
                auto_decompress=False,
                trust_env=False,
                max_line_size=_HEADER_BYTES,
                max_field_size=_HEADER_BYTES,
            )
        return self._session

    async def _admitted(self, host: str | Address, port: int) -> list[Dialable]:
        """All addresses of ``host``, or a refusal if a single one is in a refused range."""
        if isinstance(host, str):
            name, found = host, await self._resolve(host)
        else:
            name, found = None, [host]
        for address in found:
            if kind := self._egress.refusal(name, address):
                raise EgressRefused(
                    f"The host {host} is in a range that is refused ({kind}); AXONFLOW_EGRESS_ALLOW can open it"
                )
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [Dialable(str(host), str(address), port, families[address.version]) for address in found]

    async def _resolve(self, host: str) -> list[Address]:
        try:
            found = await asyncio.wait_for(self._lookup(host), CONNECT_TIMEOUT_S)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise EgressRefused(f"The host {host} does not resolve") from error
        if not found:
            raise EgressRefused(f"The host {host} does not resolve")
        return found


class _CheckedResolver(AbstractResolver):
    """Gives aiohttp checked addresses only; it connects to what it is given and asks nobody else."""

    def __init__(self, admitted: Callable[[str | Address, int], Awaitable[list[Dialable]]]) -> None:
        self._admitted = admitted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        with refusing_malformed():
            parsed = parse_host(host)
        return [
            ResolveResult(
                hostname=host,
                host=found.address,
                port=port,
                family=found.family,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for found in await self._admitted(parsed, port)
            if family in {socket.AF_UNSPEC, found.family}
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _refuse_encoding(response: aiohttp.ClientResponse) -> None:
    """We ask for no compression; what is compressed all the same could swell past every limit."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise OutboundFailed("unreadable")
