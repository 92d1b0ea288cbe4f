"""HTTP to providers: one client for endpoints that the operator gave, one under egress rules for all others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Self

import aiohttp
from axonflow_outbound import EgressRefused, Outbound, OutboundFailed
from yarl import URL

from axonflow_providers.addresses import checked_headers
from axonflow_providers.json_answers import message_of
from axonflow_providers.protocol import FaultKind, HttpAnswer, ProviderFault

LARGEST_ANSWER_BYTES = 32 * 1024 * 1024
CONNECT_TIMEOUT_S = 10.0
_CHUNK_BYTES = 65_536
_HEADER_BYTES = 16_384
_CONNECTIONS = 1_000


class HttpTransport:
    """For endpoints from the environment or a file, which may be private; follows no redirect, keeps no cookie."""

    def __init__(self, *, max_bytes: int = LARGEST_ANSWER_BYTES) -> None:
        """Nothing is opened yet; ``max_bytes`` bounds one answer's body."""
        self._max_bytes = max_bytes
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give up connections; requests under way fail, later ones are not begun."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float
    ) -> HttpAnswer:
        """One request; path and query of ``url`` are sent as they are written.

        Raises:
            ProviderFault: as ``Transport.send`` says.
        """
        # Compression is not asked for: what is packed could swell past every limit.
        sent = {"accept-encoding": "identity", "user-agent": "axonflow", **checked_headers(headers)}
        with _client_faults():
            async with (
                asyncio.timeout(timeout_s),
                self._open_session().request(
                    method, URL(url, encoded=True), headers=sent, data=body or None, allow_redirects=False
                ) as response,
            ):
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise _plain(FaultKind.MALFORMED)
                content = b"".join([chunk async for chunk in self._chunks(response)])
                return HttpAnswer(response.status, _lowered(response.headers), content)

    async def _chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        taken = response.content_length or 0
        if taken > self._max_bytes:
            raise _plain(FaultKind.MALFORMED)
        taken = 0
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            taken += len(chunk)
            if taken > self._max_bytes:
                raise _plain(FaultKind.MALFORMED)
            yield chunk

    def _open_session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise _plain(FaultKind.UNREACHABLE)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
                auto_decompress=False,
                trust_env=False,
                max_line_size=_HEADER_BYTES,
                max_field_size=_HEADER_BYTES,
            )
        return self._session


class OutboundTransport:
    """For endpoints that came in through an API: every dial is checked against the egress rules (rulings section 8)."""

    def __init__(self, outbound: Outbound, *, max_bytes: int = LARGEST_ANSWER_BYTES) -> None:
        """``outbound`` stays its opener's to close; ``max_bytes`` bounds one answer's body."""
        self._outbound = outbound
        self._max_bytes = max_bytes

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float
    ) -> HttpAnswer:
        """One request; path and query of ``url`` are sent as they are written.

        Raises:
            ProviderFault: as ``Transport.send`` says.
        """
        sent = checked_headers(headers)
        with _client_faults():
            answer = await self._outbound.request(
                method, url, headers=sent, body=body or None, timeout_s=timeout_s, max_bytes=self._max_bytes
            )
        return HttpAnswer(answer.status, _lowered(answer.headers), answer.body)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """Names in lower case; of a header that came twice, the first."""
    lowered: dict[str, str] = {}
    for name, value in headers.items():
        lowered.setdefault(name.lower(), value)
    return lowered


@contextlib.contextmanager
def _client_faults() -> Iterator[None]:
    """Turn a client's ways of failing into faults in our words.

    Their causes are cut off: aiohttp's own errors repeat the URL with its query.
    """
    try:
        yield
    except EgressRefused as refused:
        if isinstance(refused.__cause__, OSError | TimeoutError):  # the name does not resolve at present
            raise _plain(FaultKind.UNREACHABLE) from None
        raise ProviderFault(FaultKind.REFUSED_ADDRESS, refused.message) from None
    except OutboundFailed as failed:
        raise _plain(_kind(failed.__cause__)) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _plain(_kind(error)) from None


def _kind(error: BaseException | None) -> FaultKind:
    """What failed; once a connection stood, the request may have arrived whatever came back."""
    # A `ValueError` is an address or a header that could not even be written.
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | ValueError):
        return FaultKind.UNREACHABLE
    return FaultKind.TIMEOUT if isinstance(error, TimeoutError) else FaultKind.MALFORMED


def _plain(kind: FaultKind) -> ProviderFault:
    return ProviderFault(kind, message_of(kind))
