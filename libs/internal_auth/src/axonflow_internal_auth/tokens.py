"""Tokens by which one service proves to another who calls and for whom, for one request and once.

``v1.<claims>.<mac>``, both base64url. The HMAC-SHA256 covers the claims and, though they are not in the token, the
method, the target and the digest of the body: a token fits one request and no other.
"""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import hmac
import secrets as randomness
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_settings import Secret

from axonflow_internal_auth.nonces import SeenNonces

WINDOW_S = 60
LEAST_SECRET_CHARACTERS = 32
LONGEST_TOKEN = 16_384
LARGE_BODY_BYTES = 1 << 20  # digested in a thread above this, some 2 ms of the loop
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_VERSION = "v1"
_DOMAIN = b"axonflow-internal-token/1"
_NONCE_BYTES = 16


class Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a token says.

    Attributes:
        issuer: the service that made it.
        audience: the one service that may accept it.
        issued_at: whole seconds since 1970, UTC.
        nonce: 32 hex digits, never used again.
        caller: on whose behalf.
    """

    issuer: str
    audience: str
    issued_at: int
    nonce: str
    caller: Caller


class InvalidToken(Exception):
    """A token that is not accepted; the text says why, quotes nothing of it and may be shown to the calling service."""


class LedgerUnavailable(Exception):
    """Whether a nonce was used elsewhere cannot be found out, so a call that writes cannot be let through."""


class NonceLedger(Protocol):
    """Remembers nonces for the whole deployment."""

    async def claim(self, nonce: str, expires_at: datetime) -> bool:
        """Take ``nonce`` until ``expires_at``; false when it is taken already."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Claims).decode


class TokenMinter:
    """Makes tokens for the calls of one service.

    Args:
        secret: the deployment's, at least 32 characters.
        issuer: this service's name.
        clock: seconds since 1970.

    Raises:
        ValueError: the secret is too short.
    """

    def __init__(self, secret: Secret, issuer: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = _key(secret)
        self._issuer = issuer
        self._clock = clock

    def mint(self, *, audience: str, caller: Caller, method: str, target: str, body: bytes = b"") -> str:
        """A token for one request.

        Args:
            audience: the service that is called.
            caller: on whose behalf.
            method: upper case.
            target: path and query exactly as they are sent.
            body: the whole body.
        """
        claims = Claims(
            issuer=self._issuer,
            audience=audience,
            issued_at=int(self._clock()),
            nonce=randomness.token_hex(_NONCE_BYTES),
            caller=caller,
        )
        payload = urlsafe_b64encode(_encode(claims)).decode().rstrip("=")
        mac = _mac(self._key, payload, method, target, body)
        return f"{_VERSION}.{payload}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


class TokenVerifier:
    """Accepts tokens that are addressed to one service, each once.

    Args:
        secrets: the current secret first, then those before the last rotation.
        audience: this service's name.
        nonces: the deployment's ledger, asked for methods that write; without one a nonce is good once per process.
        clock: seconds since 1970.

    Raises:
        ValueError: a secret is too short, or there is none.
    """

    def __init__(
        self,
        secrets: tuple[Secret, ...],
        audience: str,
        nonces: NonceLedger | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not secrets:
            raise ValueError("a verifier needs at least one secret")
        self._keys = tuple(_key(secret) for secret in secrets)
        self._audience = audience
        self._ledger = nonces
        self._clock = clock
        self._seen = SeenNonces(WINDOW_S)

    async def verify(self, token: str, method: str, target: str, body: bytes = b"") -> Caller:
        """The caller that the token speaks for.

        Args:
            token: the header's value.
            method: upper case.
            target: path and query exactly as they came in.
            body: the whole body.

        Raises:
            InvalidToken: with the reason.
            LedgerUnavailable: the deployment's ledger could not be asked about a call that writes.
        """
        if len(body) <= LARGE_BODY_BYTES:
            claims = self._authentic(token, method, target, body)
        else:
            claims = await asyncio.to_thread(self._authentic, token, method, target, body)
        now = self._clock()
        if claims.audience != self._audience:
            raise InvalidToken(f"the internal token is not addressed to {self._audience}")
        if not -WINDOW_S <= now - claims.issued_at <= WINDOW_S:
            raise InvalidToken(f"the internal token is not of the last {WINDOW_S} seconds; do the clocks agree?")
        if not self._seen.claim(claims.nonce, claims.issued_at, now):
            raise InvalidToken("the internal token was used before")
        if self._ledger is not None and method not in READING_METHODS:
            await self._claim(self._ledger, claims)
        return claims.caller

    def _authentic(self, token: str, method: str, target: str, body: bytes) -> Claims:
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise InvalidToken("the internal token cannot be read")
        parts = token.split(".")
        if len(parts) != 3 or parts[0] != _VERSION:
            raise InvalidToken("the internal token cannot be read")
        given = _unbase64(parts[2])
        # Every key is tried, whether or not an earlier one fits: time tells nothing about which secret is in use.
        fits = [hmac.compare_digest(given, _mac(key, parts[1], method, target, body)) for key in self._keys]
        if not any(fits):
            raise InvalidToken(
                "the internal token does not fit this request; is AXONFLOW_INTERNAL_SERVICE_SECRET "
                "the same on all services?"
            )
        try:
            return _decode(_unbase64(parts[1]))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidToken("the internal token's claims cannot be read; do the versions agree?") from error

    async def _claim(self, ledger: NonceLedger, claims: Claims) -> None:
        # Twice the window: the replica that forgets may have a faster clock than the one that still accepts.
        expires_at = datetime.fromtimestamp(claims.issued_at + 2 * WINDOW_S, UTC)
        try:
            fresh = await ledger.claim(claims.nonce, expires_at)
        except Exception as error:
            raise LedgerUnavailable from error
        if not fresh:
            raise InvalidToken("the internal token was used before")


def _key(secret: Secret) -> bytes:
    text = secret.reveal()
    if len(text) < LEAST_SECRET_CHARACTERS:
        raise ValueError(
            f"AXONFLOW_INTERNAL_SERVICE_SECRET must be at least {LEAST_SECRET_CHARACTERS} characters long "
            f"(it has {len(text)})"
        )
    return text.encode()


def _mac(key: bytes, payload: str, method: str, target: str, body: bytes) -> bytes:
    fields = (payload.encode(), method.encode(), target.encode(), hashlib.sha256(body).digest())
    # Lengths before contents: no two requests have the same text to sign.
    signed = b"".join((_DOMAIN, *(b"%d:%b" % (len(field), field) for field in fields)))
    return hmac.digest(key, signed, "sha256")


def _unbase64(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("the internal token cannot be read") from error
