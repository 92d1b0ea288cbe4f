"""Verifies the end user's JWT (RFC 7519, HS256 alone); anything odd is an `InvalidUserToken`, never a crash."""

from __future__ import annotations

import jwt
import msgspec
from axonflow_contracts.caller import User
from axonflow_settings import Secret

# A token of this size holds every claim we read with room to spare; more only costs time to verify.
MAX_TOKEN_LENGTH = 8192


class InvalidUserToken(Exception):
    """The token cannot be trusted; the text says nothing about why that an attacker could use."""


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    exp: int | float
    user_id: int
    email: str = ""
    name: str = ""
    department: str = ""
    role: str = "user"
    region: str = ""
    permissions: tuple[str, ...] = ()
    tenant_id: str = ""


class UserTokenVerifier:
    """Checks tokens against ``JWT_SECRET``; without a secret, none is valid."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def verify(self, token: str) -> tuple[User, str]:
        """The user of ``token`` and the tenant it was made for (empty when it names none).

        Raises:
            InvalidUserToken: signature, algorithm, expiry or a claim is not as it must be.
        """
        if not self._secret or len(token) > MAX_TOKEN_LENGTH:
            raise InvalidUserToken
        try:
            payload = jwt.decode(token, self._secret.reveal(), algorithms=["HS256"], options={"require": ["exp"]})
            claims = msgspec.convert(payload, _Claims)
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError) as error:
            raise InvalidUserToken from error
        user = User(
            id=str(claims.user_id),
            email=claims.email,
            name=claims.name,
            role=claims.role,
            department=claims.department,
            region=claims.region,
            permissions=claims.permissions,
        )
        return user, claims.tenant_id
