"""End users' tokens: one algorithm, every claim checked."""

import time

import jwt
import pytest
from axonflow_agent.auth.user_token import InvalidUserToken, UserTokenVerifier
from axonflow_settings import Secret

KEY = "k" * 32
CLAIMS = {
    "user_id": 7,
    "email": "ann@bank.example",
    "role": "analyst",
    "permissions": ["query"],
    "tenant_id": "t1",
    "exp": int(time.time()) + 86_400,  # a whole run may lie between import and use
}


def verify(token, key=KEY):
    return UserTokenVerifier(Secret(key)).verify(token)


def test_a_valid_token_names_its_user_and_tenant():
    user, tenant = verify(jwt.encode(CLAIMS, KEY, "HS256"))
    assert (user.id, user.email, user.role, user.permissions, tenant) == (
        "7",
        "ann@bank.example",
        "analyst",
        ("query",),
        "t1",
    )


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "x" * 100_000,
        jwt.encode(CLAIMS, "another-secret-of-32-characters!", "HS256"),
        jwt.encode(CLAIMS, KEY * 2, "HS512"),
        jwt.encode(CLAIMS, None, "none"),
        jwt.encode({**CLAIMS, "exp": int(time.time()) - 1}, KEY, "HS256"),
        jwt.encode({key: value for key, value in CLAIMS.items() if key != "exp"}, KEY, "HS256"),
        jwt.encode({key: value for key, value in CLAIMS.items() if key != "user_id"}, KEY, "HS256"),
        jwt.encode({**CLAIMS, "user_id": "admin"}, KEY, "HS256"),
        jwt.encode({**CLAIMS, "permissions": "query"}, KEY, "HS256"),
        jwt.encode(CLAIMS, KEY, "HS256", headers={"kid": "../../dev/null"})[:-4] + "AAAA",
    ],
    ids=[
        "empty",
        "garbage",
        "huge",
        "other key",
        "other algorithm",
        "alg none",
        "expired",
        "no expiry",
        "no user",
        "user of the wrong type",
        "permissions of the wrong type",
        "broken signature with a key id",
    ],
)
def test_a_token_that_cannot_be_trusted_is_refused(token):
    with pytest.raises(InvalidUserToken):
        verify(token)


def test_without_a_secret_no_token_is_valid():
    with pytest.raises(InvalidUserToken):
        UserTokenVerifier(Secret("")).verify(jwt.encode(CLAIMS, KEY, "HS256"))
