"""The agent's door: credentials, then the client's rate limit; behind it there is always a `Caller`."""

from __future__ import annotations

from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault
from axonflow_guards import Admission, RateLimiter
from axonflow_internal_auth import TOKEN_HEADER, InvalidToken, LedgerUnavailable, TokenVerifier, target_of
from axonflow_web import read_body
from starlette.requests import Request

from axonflow_agent.auth.authenticator import COMMUNITY_CLIENT, Authenticated, Authenticator


class Door:
    """Who may come in, and how often."""

    def __init__(
        self,
        authenticator: Authenticator,
        limiter: RateLimiter,
        *,
        default_limit: int,
        internal: TokenVerifier,
        max_body_bytes: int,
    ) -> None:
        self._authenticator = authenticator
        self._limiter = limiter
        self._default_limit = default_limit
        self._internal = internal
        self._max_body_bytes = max_body_bytes

    def authenticate(self, request: Request) -> Authenticated:
        """Who calls.

        Raises:
            Fault: 401, 403 or 503 from the credentials.
        """
        return self._authenticator.authenticate(request.headers)

    async def admit(self, authenticated: Authenticated) -> Admission | None:
        """Count the call against its client's limit, and say what is left of it; None for a client without one.

        Raises:
            Fault: 429 over the limit.
        """
        caller = authenticated.caller
        limit = authenticated.rate_limit or self._default_limit
        # A name that anyone may give is no one's own account, or another name would be a fresh limit.
        proven = caller.kind is not CallerKind.COMMUNITY or authenticated.rate_limit
        counted = caller.client_id if proven else COMMUNITY_CLIENT
        admission = await self._limiter.admit(caller.org_id, counted, limit)
        if admission is not None and not admission.allowed:
            raise Fault(429, "Rate limit exceeded", headers=_limit_headers(admission))
        return admission

    def claimed(self, caller: Caller, *, client_id: str, user_token: str) -> Caller:
        """The caller, with what a body says of it.

        Raises:
            Fault: as `Authenticator.claimed`.
        """
        return self._authenticator.claimed(caller, client_id=client_id, user_token=user_token)

    def permissions_of(self, client_id: str) -> tuple[str, ...]:
        """What the client's row lists; empty for a client without one."""
        return self._authenticator.permissions_of(client_id)

    async def enter(self, request: Request) -> Caller:
        """The client that calls, within its limit.

        Raises:
            Fault: as `authenticate` and `admit`.
        """
        authenticated = self.authenticate(request)
        await self.admit(authenticated)
        return authenticated.caller

    async def enter_or_service(self, request: Request) -> Caller:
        """The client that calls, or the caller that another service vouches for with an internal token.

        Raises:
            Fault: as `enter`; 401 for a token that does not hold, even in community.
        """
        token = request.headers.get(TOKEN_HEADER)
        if token is None:
            return await self.enter(request)
        body = await read_body(request, self._max_body_bytes)
        try:
            return await self._internal.verify(token, request.method, target_of(request.scope), body)
        except InvalidToken as error:
            raise Fault(401, f"Internal service token refused: {error}") from error
        except LedgerUnavailable as error:
            raise Fault(503, "The internal token cannot be checked: try again", headers={"Retry-After": "1"}) from error


def _limit_headers(admission: Admission) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(admission.limit),
        "X-RateLimit-Remaining": str(admission.remaining),
        "X-RateLimit-Reset": str(int(admission.reset_at.timestamp())),
        "Retry-After": str(admission.retry_after_s),
    }
