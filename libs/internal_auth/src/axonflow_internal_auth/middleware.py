"""The check at a service's internal door: a token that fits the whole request, or no identity at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault

from axonflow_internal_auth.headers import TOKEN_HEADER, is_internal_header
from axonflow_internal_auth.tokens import InvalidToken, LedgerUnavailable, TokenVerifier

CALLER = "axonflow.caller"

Scope = MutableMapping[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
ReadBody = Callable[[Receive], Awaitable[bytes]]

_NAME = TOKEN_HEADER.encode()


class InternalAuth:
    """Pure ASGI middleware; put it inside the boundary that renders `Fault`.

    The body is read whole and its digest checked before the handler runs. The caller is put into
    ``scope["axonflow.caller"]``; identity headers are removed whether or not there is a token, so nothing
    further in can believe them.

    Args:
        app: what is protected.
        verifier: checks the tokens.
        read_body: reads a whole body and raises a `Fault` above its limit.
        is_open: paths that anyone may ask, such as ``/health``.
        is_optional: paths that may be called without a token, then without an identity; a wrong token is refused
            everywhere.
    """

    def __init__(
        self,
        app: App,
        verifier: TokenVerifier,
        *,
        read_body: ReadBody,
        is_open: Callable[[str], bool],
        is_optional: Callable[[str], bool] = lambda _path: False,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._read_body = read_body
        self._is_open = is_open
        self._is_optional = is_optional

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the token and pass the call on.

        Raises:
            Fault: 401 without a valid token, 503 when a nonce cannot be looked up, 413 for a large body.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tokens = [value for name, value in scope["headers"] if name == _NAME]
        scope["headers"] = [pair for pair in scope["headers"] if not is_internal_header(pair[0])]
        if self._is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        if not tokens:
            if not self._is_optional(scope["path"]):
                raise Fault(401, f"Authentication required: this service takes calls with {TOKEN_HEADER} only")
            await self._app(scope, receive, send)
            return
        body = await self._read_body(receive)
        scope[CALLER] = await self._caller(tokens, scope, body)
        await self._app(scope, _replay(body, receive), send)

    async def _caller(self, tokens: list[bytes], scope: Scope, body: bytes) -> Caller:
        if len(tokens) > 1:
            raise Fault(401, "Authentication failed: more than one internal token")
        try:
            return await self._verifier.verify(tokens[0].decode("latin-1"), scope["method"], target_of(scope), body)
        except InvalidToken as error:
            raise Fault(401, f"Authentication failed: {error}") from error
        except LedgerUnavailable as error:
            raise Fault(503, "Service temporarily unavailable: replayed calls cannot be told apart") from error


def target_of(scope: Scope) -> str:
    """Path and query as they came in, which is what a token is bound to."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


def _replay(body: bytes, receive: Receive) -> Receive:
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again
