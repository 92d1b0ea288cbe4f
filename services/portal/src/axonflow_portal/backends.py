"""The agent as the portal sees it: every page of its static policies, or what stopped them from being read.

Each call carries a freshly signed internal token. A failure is a value with its cause, never an empty list.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.policies import StaticPolicy, StaticPolicyList
from axonflow_internal_auth import TOKEN_HEADER, TokenMinter
from yarl import URL

from axonflow_portal import troubles
from axonflow_portal.exchange import Unreadable, bounded
from axonflow_portal.reading import PolicyRead
from axonflow_portal.troubles import Trouble

PAGE_SIZE = 100
# A stop for a backend that never ends its list; ten thousand policies are far beyond any tier's table.
MOST_PAGES = 100

_log = logging.getLogger("axonflow.portal")


@dataclass(slots=True)
class Link:
    """How the last call over a link went; `/health` tells it without calling again."""

    state: str = "unknown"
    trouble: Trouble | None = None

    def note(self, trouble: Trouble | None) -> None:
        """Keep the outcome of a call."""
        self.state = "broken" if trouble else "ok"
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class AgentPolicies:
    """Reads system policies from the agent (orchestrator contract §4.3).

    Attributes:
        minter: signs each call; its audience here is always the agent.
        caller: whom the reading is for; the agent scopes the rows by it.
        timeout_s: limit for one answer, connect to last byte.
    """

    session: aiohttp.ClientSession
    base_url: str
    minter: TokenMinter
    caller: Caller
    timeout_s: float
    link: Link = field(default_factory=Link)

    async def read(self) -> PolicyRead:
        """Every page, in order; the first failure ends the reading and is told beside the rows read so far."""
        rows: dict[str, StaticPolicy] = {}  # by id: a row that moves between two pages is shown once
        trouble = None
        try:
            for page in range(1, MOST_PAGES + 1):
                answer = await self._page(page)
                rows.update((policy.id, policy) for policy in answer.policies)
                if page >= answer.pagination.total_pages:
                    break
                if not answer.policies:
                    raise Unreadable(troubles.short_list(self.base_url, len(rows), answer.pagination.total))  # noqa: TRY301 - one place turns causes into values
            else:
                trouble = troubles.endless_list(self.base_url, len(rows))
        except Unreadable as unreadable:
            trouble = unreadable.trouble
        self.link.note(trouble)
        return PolicyRead(tuple(rows.values()), trouble, datetime.now(UTC))

    async def check(self) -> Trouble | None:
        """Whether the agent answers a signed read at all; None when it does."""
        trouble = None
        try:
            await self._page(1, size=1)
        except Unreadable as unreadable:
            trouble = unreadable.trouble
        self.link.note(trouble)
        return trouble

    async def _page(self, page: int, size: int = PAGE_SIZE) -> StaticPolicyList:
        url = URL(f"{self.base_url}/api/v1/static-policies?page={page}&page_size={size}", encoded=True)
        status, body = await self._get(url)
        if status != 200:
            raise Unreadable(troubles.refused(self.base_url, status))
        try:
            return msgspec.json.decode(body, type=StaticPolicyList)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unreadable(troubles.unreadable(self.base_url, status)) from error

    async def _get(self, url: URL) -> tuple[int, bytes]:
        token = self.minter.mint(audience="agent", caller=self.caller, method="GET", target=url.raw_path_qs, body=b"")
        headers = {TOKEN_HEADER: token, "Accept": "application/json", "Accept-Encoding": "identity"}
        try:
            async with asyncio.timeout(self.timeout_s):
                async with self.session.get(url, headers=headers, allow_redirects=False) as response:
                    return response.status, await bounded(response)
        except TimeoutError as error:
            raise Unreadable(troubles.slow(self.base_url, self.timeout_s)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            _log.warning("the agent does not answer at AGENT_URL: %s", error)
            raise Unreadable(troubles.unreachable(self.base_url)) from error


async def answers(session: aiohttp.ClientSession, base_url: str, timeout_s: float) -> bool:
    """Whether anything at ``base_url`` answers ``/health`` with 200 in time."""
    try:
        async with asyncio.timeout(timeout_s), session.get(f"{base_url}/health", allow_redirects=False) as response:
            return response.status == 200
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        return False


def client_session() -> aiohttp.ClientSession:
    """A session that keeps no cookies, follows no proxy variables and unpacks nothing."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False, raise_for_status=False
    )
