"""The agent's forwarding routes on a real socket, with a caller that a test chooses; no database behind them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from axonflow_agent.forward import Allowlist, Forwarder, Target, routes
from axonflow_contracts.caller import Caller, CallerKind, User
from axonflow_contracts.errors import Fault, Surface
from axonflow_internal_auth import TokenMinter, is_identity_header
from axonflow_settings import Secret
from axonflow_web import application
from starlette.requests import Request

from support.serving import served

SECRET = Secret("internal-secret-of-32-characters-")
WHO = Caller(
    org_id="acme", tenant_id="tenant-1", client_id="client-1", kind=CallerKind.CLIENT, user=User(id="7", email="a@b.c")
)


async def _admit(request: Request) -> Caller:
    if request.headers.get("authorization") == "Basic wrong":
        raise Fault(401, "Authentication failed: unknown client or wrong secret")
    return WHO


@contextlib.asynccontextmanager
async def door(
    urls: Mapping[Target, str],
    *,
    secret: Secret = SECRET,
    allowlist: Allowlist | None = None,
    server: str = "hypercorn",
    max_body_bytes: int = 1 << 20,
    **times: Any,
) -> AsyncIterator[int]:
    """The port of an agent that forwards to ``urls`` on behalf of `WHO`."""
    async with aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session:
        forwarder = Forwarder(session, TokenMinter(secret, "agent"), urls, "acme", max_body_bytes, **times)
        app = application(
            routes(forwarder, _admit, allowlist), surface_of=lambda _path: Surface.FLAT, drop=is_identity_header
        )
        async with served(app, server=server) as port:
            yield port
