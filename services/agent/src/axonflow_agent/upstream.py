"""The model provider behind the gateway: bytes out, bytes back, within limits of time and size."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import time
from collections.abc import Mapping

import aiohttp
from yarl import URL

# What the OpenAI SDKs act on or show; nothing else of the provider's headers concerns the caller.
RELAYED_HEADERS = frozenset({"content-type", "retry-after", "retry-after-ms", "x-should-retry", "x-request-id"})
RELAYED_PREFIXES = ("x-ratelimit-", "openai-")
_NOT_SENT = ("User-Agent", "Accept", "Accept-Encoding")
_CHUNK = 65_536
_LARGE_BODY_BYTES = 1 << 20
_LEAST_FINAL_STATUS = 200  # below it no answer is one (RFC 9110 section 15.2)


class UpstreamFailed(Exception):
    """No usable reply: ``reason`` is unreachable, timeout, oversize or unreadable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """A provider's answer as received.

    Attributes:
        status: HTTP status, relayed as it is.
        body: the bytes, relayed as they are.
        headers: the few that the caller may see.
        latency_ms: from the first byte out to the last byte in.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    latency_ms: float = 0.0

    @property
    def succeeded(self) -> bool:
        """Whether the provider did what it was asked."""
        return 200 <= self.status < 300


class Upstream:
    """One provider address; calls share the session's connections and hold nothing else while they wait."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, *, timeout_s: float, max_bytes: int) -> None:
        self._session = session
        self._url = URL(f"{base_url}/chat/completions")  # parsed once, not for every call
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes

    async def complete(self, body: bytes, provider_key: str) -> Reply:
        """Post ``body`` byte for byte with two headers, and read the reply whole.

        Raises:
            UpstreamFailed: no connection, no complete reply in time, or more than the limit.
        """
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {provider_key}"}
        started = time.perf_counter()
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._session.post(
                    self._url, data=_payload(body), headers=headers, allow_redirects=False, skip_auto_headers=_NOT_SENT
                ) as response,
            ):
                text = await self._read(response)
                kept = {name.lower(): value for name, value in response.headers.items() if _is_relayed(name, value)}
                return Reply(response.status, text, kept, (time.perf_counter() - started) * 1000)
        except TimeoutError as error:
            raise UpstreamFailed("timeout") from error
        except aiohttp.ClientConnectionError as error:
            raise UpstreamFailed("unreachable") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise UpstreamFailed("unreadable") from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status < _LEAST_FINAL_STATUS:
            raise UpstreamFailed("unreadable")
        # No encoding was asked for; an encoded reply cannot be measured, and unpacking it is how a bomb goes off.
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UpstreamFailed("unreadable")
        announced = response.content_length
        if announced is not None:
            if announced > self._max_bytes:
                raise UpstreamFailed("oversize")
            return await response.read()
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > self._max_bytes:
                raise UpstreamFailed("oversize")
            chunks.append(chunk)
        return b"".join(chunks)


def _payload(body: bytes) -> bytes | io.BytesIO:
    # A large body is written in pieces, so that it does not hold the loop up.
    return io.BytesIO(body) if len(body) > _LARGE_BODY_BYTES else body


def _is_relayed(name: str, value: str) -> bool:
    name = name.lower()
    # A value outside printable ASCII could not be sent as it came.
    return (name in RELAYED_HEADERS or name.startswith(RELAYED_PREFIXES)) and value.isascii() and value.isprintable()
