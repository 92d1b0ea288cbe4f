"""Access tokens of a Google service account, for Vertex AI: a signed statement is changed for a token (RFC 7523).

Neither a metadata server nor a gcloud installation is ever asked. Source: "Using OAuth 2.0 for server to server
applications", Google Identity documentation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlencode

import jwt
import msgspec
from axonflow_settings import Secret
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from axonflow_providers.addresses import endpoint_fault, header_safe
from axonflow_providers.json_answers import (
    cleaned_code,
    decoded,
    error_object,
    kind_of,
    message_of,
    retry_after_s,
    succeeded,
)
from axonflow_providers.protocol import FaultKind, HttpAnswer, ProviderFault, Transport
from axonflow_providers.renewal import Expiring, Renewed

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_STATEMENT_S = 3_600
_LARGEST_FILE = 65_536


class ServiceAccountInvalid(ValueError):
    """The text is no service account's key file; the message completes "The service account …"."""


class _KeyFile(msgspec.Struct, frozen=True):
    client_email: str
    private_key: str
    private_key_id: str = ""
    project_id: str = ""
    token_uri: str = _TOKEN_URL


class ServiceAccount:
    """A service account's key file, read and found usable."""

    def __init__(self, text: Secret) -> None:
        """Read the JSON text.

        Raises:
            ServiceAccountInvalid: it is none, or its key is no RSA key.
        """
        if len(text.reveal()) > _LARGEST_FILE:
            raise ServiceAccountInvalid("is too large")
        try:
            file = msgspec.json.decode(text.reveal(), type=_KeyFile)
            key = load_pem_private_key(file.private_key.encode(), password=None)
        except (msgspec.MsgspecError, RecursionError):
            raise ServiceAccountInvalid("is no JSON key file with client_email and private_key") from None
        except Exception:  # noqa: BLE001 - the key's reader raises its own, ValueError and TypeError by what it meets
            raise ServiceAccountInvalid("has a private_key that cannot be read") from None
        if not isinstance(key, RSAPrivateKey):
            raise ServiceAccountInvalid("has a private_key that is no RSA key")
        if wrong := endpoint_fault(file.token_uri):
            raise ServiceAccountInvalid(f"has a token_uri that cannot be called: {wrong}")
        self.project = file.project_id
        self.token_url = file.token_uri
        self._email = file.client_email
        self._key_id = file.private_key_id
        self._key = key

    def __repr__(self) -> str:
        return "ServiceAccount(********)"

    def statement(self, now_s: float) -> str:
        """The signed statement that is changed for a token; good for an hour from ``now_s``."""
        claims = {
            "iss": self._email,
            "scope": _SCOPE,
            "aud": self.token_url,
            "iat": int(now_s),
            "exp": int(now_s) + _STATEMENT_S,
        }
        headers = {"kid": self._key_id} if self._key_id else None
        return jwt.encode(claims, self._key, algorithm="RS256", headers=headers)


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float


class GoogleTokens:
    """The current access token of one service account."""

    def __init__(self, account: ServiceAccount, transport: Transport, clock: Callable[[], float] = time.time) -> None:
        """Nothing is asked yet; ``clock`` gives seconds since the epoch."""
        self._account = account
        self._transport = transport
        self._clock = clock
        self._current = Renewed(self._fetch, clock)

    async def token(self, timeout_s: float) -> str:
        """The token, a new one if need be; many callers at once make one request.

        Raises:
            ProviderFault: there is none to be had. None has a kind that says the model may have run.
        """
        return await self._current.get(timeout_s)

    def refused(self, token: str) -> None:
        """The API did not accept ``token``: the next call asks for another."""
        self._current.forget(token)

    async def _fetch(self, timeout_s: float) -> Expiring[str]:
        asked_s = self._clock()
        form = urlencode({"grant_type": _GRANT, "assertion": self._account.statement(asked_s)})
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        try:
            answer = await self._transport.send(
                "POST", self._account.token_url, headers=headers, body=form.encode(), timeout_s=timeout_s
            )
            return _token(answer, asked_s)
        except ProviderFault as error:
            if not error.may_have_run:
                raise
            raise ProviderFault(FaultKind.UNREACHABLE, "Google gave no access token", status=error.status) from None


def _token(answer: HttpAnswer, asked_s: float) -> Expiring[str]:
    if not succeeded(answer):
        raise _failure(answer)
    given = decoded(answer, _Token)
    if not given.access_token or not header_safe(given.access_token) or not 0 < given.expires_in <= 86_400:
        raise ProviderFault(FaultKind.UNREACHABLE, "Google gave no access token", status=answer.status)
    return Expiring(given.access_token, asked_s + given.expires_in)


def _failure(answer: HttpAnswer) -> ProviderFault:
    """A statement that is refused (RFC 6749 section 5.2) is a matter of credentials."""
    code = error_object(answer).get("error")
    kind = FaultKind.CREDENTIALS if 400 <= answer.status < 404 else kind_of(answer.status)
    if kind in {FaultKind.UNKNOWN_MODEL, FaultKind.INVALID_REQUEST, FaultKind.TOO_LONG}:
        kind = FaultKind.CREDENTIALS
    return ProviderFault(
        kind,
        f"{message_of(kind)} (access token, status {answer.status})",
        status=answer.status,
        code=cleaned_code(code),
        retry_after_s=retry_after_s(answer.headers),
    )
