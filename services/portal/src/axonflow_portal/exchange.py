"""One signed exchange with a service behind the portal: an answer, or the trouble that stopped it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
import msgspec
from axonflow_contracts.caller import Caller
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from yarl import URL

from axonflow_portal.service_troubles import ServiceTroubles
from axonflow_portal.troubles import Trouble

LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
LONGEST_CAUSE = 300

_log = logging.getLogger("axonflow.portal")

Query = Sequence[tuple[str, str]]


class Unreadable(Exception):
    """The source's answer cannot be used; carries what the reader is told."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes

    @property
    def cause(self) -> str:
        """What an error body says, in whichever envelope; "" where it says nothing that people can read."""
        try:
            told = msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return ""
        error = told.get("error") if isinstance(told, dict) else None
        text = error.get("message") if isinstance(error, dict) else error
        return text[:LONGEST_CAUSE].rstrip(".") if isinstance(text, str) else ""


@dataclass(frozen=True, slots=True)
class Download:
    """An answer that is passed on while it arrives."""

    headers: dict[str, str]
    pieces: AsyncIterator[bytes]
    stack: AsyncExitStack


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A service as the portal calls it.

    Attributes:
        name: ``agent`` or ``orchestrator``: the audience of each token.
        variable: the environment variable that holds ``base_url``.
        caller: whom the reading is for; the service scopes the rows by it.
        timeout_s: limit for one answer, connect to last byte; for a download, between two pieces.
    """

    session: aiohttp.ClientSession
    name: str
    variable: str
    base_url: str
    minter: TokenMinter
    caller: Caller
    timeout_s: float

    async def ask(self, method: str, path: str, what: str, *, query: Query = (), body: bytes = b"") -> Answer:
        """The whole answer, whatever its status.

        Args:
            method: of the request.
            path: percent-encoded.
            what: what is read, as a subject in the plural, for the sentence that tells a failure.
            query: pairs, encoded here.
            body: JSON.

        Raises:
            Unreadable: no answer, or none in time.
        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self.timeout_s):
                    response = await self._send(stack, method, path, query, body)
                    return Answer(response.status, await bounded(response))
            except TimeoutError as error:
                raise Unreadable(self.trouble(what).slow(self.timeout_s)) from error
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise self._silent(what, error) from error

    async def download(self, path: str, what: str, *, query: Query = ()) -> Download | Answer:
        """A file, once its beginning is there; the whole answer where it is not 200.

        Raises:
            Unreadable: no answer, or none in time.
        """
        stack = AsyncExitStack()
        try:
            async with asyncio.timeout(self.timeout_s):
                response = await self._send(stack, "GET", path, query, b"")
                if response.status != 200:
                    answer = Answer(response.status, await bounded(response))
                    await stack.aclose()
                    return answer
        except TimeoutError as error:
            await stack.aclose()
            raise Unreadable(self.trouble(what).slow(self.timeout_s)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            await stack.aclose()
            raise self._silent(what, error) from error
        headers = {name: value for name in _KEPT if (value := response.headers.get(name))}
        return Download(headers, self._pieces(response), stack)

    async def _pieces(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        while True:
            async with asyncio.timeout(self.timeout_s):
                piece = await response.content.readany()
            if not piece:
                return
            yield piece

    async def _send(
        self, stack: AsyncExitStack, method: str, path: str, query: Query, body: bytes
    ) -> aiohttp.ClientResponse:
        url = URL(self.base_url + path + (f"?{urlencode(query)}" if query else ""), encoded=True)
        token = self.minter.mint(
            audience=self.name, caller=self.caller, method=method, target=url.raw_path_qs, body=body
        )
        headers = {TOKEN_HEADER: token, "Accept-Encoding": "identity"}
        if body:
            headers["Content-Type"] = "application/json"
        timeout = aiohttp.ClientTimeout(total=None)
        asked = self.session.request(
            method, url, headers=headers, data=body or None, allow_redirects=False, timeout=timeout
        )
        return await stack.enter_async_context(asked)

    def _silent(self, what: str, error: Exception) -> Unreadable:
        _log.warning("the %s does not answer at %s: %s", self.name, self.variable, error)
        return Unreadable(self.trouble(what).unreachable())

    def trouble(self, what: str) -> ServiceTroubles:
        """The sentences for a failure to read ``what``."""
        return ServiceTroubles(self.name, self.variable, self.base_url, what)


_KEPT = ("content-type", "content-disposition")


async def bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body, read whole.

    Raises:
        aiohttp.ClientPayloadError: above `LARGEST_ANSWER_BYTES`.
    """
    chunks = bytearray()
    async for chunk in response.content.iter_any():
        chunks += chunk
        if len(chunks) > LARGEST_ANSWER_BYTES:
            raise aiohttp.ClientPayloadError("answer above the limit")
    return bytes(chunks)
