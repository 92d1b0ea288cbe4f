"""Access tokens of service accounts: the statement verifies, tokens are kept, renewed once, and never shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from axonflow_providers.gemini import VERTEX
from axonflow_providers.google_tokens import GoogleTokens, ServiceAccount, ServiceAccountInvalid
from axonflow_providers.protocol import FaultKind, HttpAnswer, ProviderConfig, ProviderFault
from axonflow_settings import Secret
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from support.provider_calls import Wire, asking, json_values, like

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TOKEN_URL = "https://oauth2.googleapis.com/token"


def pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()  # type: ignore[no-any-return]


FILE: dict[str, Any] = {
    "type": "service_account",
    "project_id": "acme-prod-1",
    "private_key_id": "kid-1",
    "private_key": pem(PRIVATE),
    "client_email": "axonflow@acme-prod-1.iam.gserviceaccount.com",
    "token_uri": TOKEN_URL,
}
NOT_RSA = pem(ec.generate_private_key(ec.SECP256R1()))


def account(**changed: Any) -> ServiceAccount:
    return ServiceAccount(Secret(json.dumps({**FILE, **changed})))


def answer(value: Any, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, json.dumps(value).encode())


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def counting(clock: Clock) -> Wire:
    """Gives token-1, token-2 and so on, each for an hour."""
    given_so_far: list[int] = []

    def give(_method: str, _url: str) -> HttpAnswer:
        given_so_far.append(1)
        return answer({"access_token": f"token-{len(given_so_far)}", "expires_in": 3600, "token_type": "Bearer"})

    return Wire(give)


async def test_the_statement_is_one_that_google_can_verify() -> None:
    clock = Clock()
    wire = counting(clock)
    assert await GoogleTokens(account(), wire, clock).token(5.0) == "token-1"
    method, url, headers, body = wire.sent[0]
    form = parse_qs(body.decode())
    assert (method, url, headers["content-type"]) == ("POST", TOKEN_URL, "application/x-www-form-urlencoded")
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    statement = form["assertion"][0]
    claims = jwt.decode(
        statement, PRIVATE.public_key(), algorithms=["RS256"], audience=TOKEN_URL, options={"verify_iat": False}
    )
    assert jwt.get_unverified_header(statement)["kid"] == "kid-1"
    assert claims["iss"] == FILE["client_email"]
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert claims["exp"] - claims["iat"] == 3600


async def test_many_callers_make_one_request_and_it_serves_until_shortly_before_its_end() -> None:
    clock = Clock()
    wire = counting(clock)
    tokens = GoogleTokens(account(), wire, clock)
    assert set(await asyncio.gather(*(tokens.token(5.0) for _ in range(20)))) == {"token-1"}
    clock.now_s += 3_200
    assert await tokens.token(5.0) == "token-1"
    clock.now_s += 200
    assert set(await asyncio.gather(*(tokens.token(5.0) for _ in range(20)))) <= {"token-1", "token-2"}
    assert await tokens.token(5.0) == "token-2"
    assert len(wire.sent) == 2


async def test_what_lasts_a_while_outlives_a_failure_to_renew_and_no_longer() -> None:
    clock = Clock()
    wire = counting(clock)
    tokens = GoogleTokens(account(), wire, clock)
    await tokens.token(5.0)
    wire.answer = answer({}, 503)
    clock.now_s += 3_400
    assert [await tokens.token(5.0) for _ in range(5)] == ["token-1"] * 5
    assert len(wire.sent) == 2, "a failure is not repeated by every call"
    clock.now_s += 199
    with pytest.raises(ProviderFault) as caught:
        await tokens.token(5.0)
    assert caught.value.kind is FaultKind.OVERLOADED


async def test_a_token_that_was_refused_is_replaced_once() -> None:
    clock = Clock()
    wire = counting(clock)
    tokens = GoogleTokens(account(), wire, clock)
    first = await tokens.token(5.0)
    tokens.refused(first)
    tokens.refused(first)
    assert await tokens.token(5.0) == "token-2"
    tokens.refused(first)
    assert await tokens.token(5.0) == "token-2"


class Hanging:
    async def send(self, *_: Any, **__: Any) -> HttpAnswer:
        await asyncio.Event().wait()
        raise AssertionError


async def test_waiting_for_a_token_ends_and_says_that_nothing_was_asked_of_a_model() -> None:
    tokens = GoogleTokens(account(), Hanging())
    outcomes = await asyncio.gather(*(tokens.token(0.05) for _ in range(3)), return_exceptions=True)
    assert [getattr(outcome, "kind", None) for outcome in outcomes] == [FaultKind.UNREACHABLE] * 3


@pytest.mark.parametrize(
    ("given_answer", "kind"),
    [
        (answer({"error": "invalid_grant", "error_description": "no such account"}, 400), FaultKind.CREDENTIALS),
        (answer({}, 401), FaultKind.CREDENTIALS),
        (answer({}, 404), FaultKind.CREDENTIALS),
        (answer({}, 429), FaultKind.RATE_LIMITED),
        (answer({}, 500), FaultKind.SERVER),
        (answer({"access_token": "a\nb", "expires_in": 3600}), FaultKind.UNREACHABLE),
        (answer({"access_token": "a", "expires_in": -1}), FaultKind.UNREACHABLE),
        (HttpAnswer(200, {}, b'{"access_tok'), FaultKind.UNREACHABLE),
        (HttpAnswer(504, {}, b""), FaultKind.UNREACHABLE),
    ],
)
async def test_no_token_is_a_fault_that_never_says_the_model_may_have_run(
    given_answer: HttpAnswer, kind: FaultKind
) -> None:
    with pytest.raises(ProviderFault) as caught:
        await GoogleTokens(account(), Wire(given_answer)).token(5.0)
    assert caught.value.kind is kind
    assert not caught.value.may_have_run
    assert "no such account" not in str(caught.value)


TOKEN_SAMPLE = {"access_token": "t", "expires_in": 3600, "token_type": "Bearer", "error": "invalid_grant"}


@settings(max_examples=80, deadline=None)
@given(body=like(TOKEN_SAMPLE) | json_values)
async def test_no_answer_whatever_raises_anything_but_a_provider_fault(body: Any) -> None:
    for status in (200, 400):
        try:
            assert await GoogleTokens(_ACCOUNT, Wire(answer(body, status))).token(5.0)
        except ProviderFault as fault:
            assert not fault.may_have_run  # noqa: PT017 - a token is a good end as well


_ACCOUNT = account()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no JSON key file"),
        ("{}", "is no JSON key file"),
        ("[" * 50_000, "is no JSON key file"),
        (json.dumps({**FILE, "private_key": "x"}), "has a private_key that cannot be read"),
        (json.dumps({**FILE, "private_key": NOT_RSA}), "has a private_key that is no RSA key"),
        (json.dumps({**FILE, "token_uri": "file:///etc/passwd"}), "has a token_uri that cannot be called"),
        (" " * 70_000, "is too large"),
    ],
)
def test_a_key_file_is_read_when_it_is_saved(text: str, says: str) -> None:
    with pytest.raises(ServiceAccountInvalid, match=says):
        ServiceAccount(Secret(text))
    config = ProviderConfig(
        name="v", type="vertex", region="us", settings={"project": "acme-prod-1", "service_account": Secret(text)}
    )
    faults = VERTEX.check(config)
    assert faults
    assert FILE["client_email"] not in str(faults)


def test_a_service_account_shows_itself_to_nobody() -> None:
    assert FILE["client_email"] not in repr(account())


async def test_vertex_sends_the_token_and_asks_for_another_when_it_is_refused() -> None:
    tokens = counting(Clock())
    refused: Callable[[str, str], HttpAnswer] = tokens.answer  # type: ignore[assignment]
    wire = Wire(lambda method, url: refused(method, url) if url == TOKEN_URL else answer({}, 401))
    config = ProviderConfig(
        name="v", type="vertex", region="eu", settings={"service_account": Secret(json.dumps(FILE))}
    )
    assert VERTEX.check(config) == []
    provider = VERTEX.open(config, wire)
    for _ in range(2):
        with pytest.raises(ProviderFault) as caught:
            await provider.complete(asking())
        assert caught.value.kind is FaultKind.CREDENTIALS
    sent = [headers["authorization"] for _, url, headers, _ in wire.sent if url != TOKEN_URL]
    assert sent == ["Bearer token-1", "Bearer token-2"]
    assert "/projects/acme-prod-1/" in wire.sent[1][1]
