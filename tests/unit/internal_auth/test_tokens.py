"""A token fits one request to one service, for a minute, once."""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from axonflow_contracts.caller import Caller, CallerKind, User
from axonflow_internal_auth import InvalidToken, LedgerUnavailable, TokenMinter, TokenVerifier
from axonflow_internal_auth import tokens as module
from axonflow_settings import Secret
from hypothesis import given
from hypothesis import strategies as st

SECRET = Secret("s" * 32)
OTHER = Secret("o" * 32)
CALLER = Caller(
    org_id="acme",
    tenant_id="t1",
    client_id="c1",
    kind=CallerKind.CLIENT,
    user=User(id="7", email="a@b.c", role="admin"),
)
REQUEST = {"method": "POST", "target": "/api/v1/plan?x=1", "body": b'{"query":"hi"}'}


class Clock:
    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Ledger:
    """The deployment's ledger, in memory."""

    def __init__(self) -> None:
        self.claimed: dict[str, datetime] = {}

    async def claim(self, nonce: str, expires_at: datetime) -> bool:
        if nonce in self.claimed:
            return False
        self.claimed[nonce] = expires_at
        return True


class BrokenLedger:
    async def claim(self, _nonce: str, _expires_at: datetime) -> bool:
        raise ConnectionError("no database")


def mint(clock: Clock, **changes: Any) -> str:
    arguments = {"audience": "orchestrator", "caller": CALLER, **REQUEST, **changes}
    return TokenMinter(SECRET, "agent", clock=clock).mint(**arguments)


def verifier(clock: Clock, *secrets: Secret, ledger: Any = None, audience: str = "orchestrator") -> TokenVerifier:
    return TokenVerifier(secrets or (SECRET,), audience, ledger, clock=clock)


async def refused(token: str, check: TokenVerifier, **changes: Any) -> str:
    with pytest.raises(InvalidToken) as caught:
        await check.verify(token, **{**REQUEST, **changes})
    return str(caught.value)


async def test_a_token_that_fits_gives_back_the_whole_caller():
    clock = Clock()
    assert await verifier(clock).verify(mint(clock), **REQUEST) == CALLER


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"target": "/api/v1/plan?x=2"},
        {"target": "/api/v1/plan"},
        {"target": "/api/v1/plans?x=1"},
        {"body": b'{"query":"ho"}'},
        {"body": b""},
    ],
    ids=str,
)
async def test_a_token_does_not_fit_another_request(changed: dict[str, Any]):
    clock = Clock()
    assert "does not fit this request" in await refused(mint(clock), verifier(clock), **changed)


async def test_a_token_for_another_audience_is_refused():
    clock = Clock()
    reason = await refused(mint(clock, audience="portal"), verifier(clock))
    assert reason == "the internal token is not addressed to orchestrator"


async def test_an_altered_caller_is_refused():
    clock = Clock()
    version, payload, mac = mint(clock).split(".")
    claims = urlsafe_b64decode(payload + "==").replace(b'"acme"', b'"evil"')
    forged = f"{version}.{urlsafe_b64encode(claims).decode().rstrip('=')}.{mac}"
    assert "does not fit" in await refused(forged, verifier(clock))


async def test_a_token_signed_with_another_secret_names_the_variable():
    clock = Clock()
    assert "AXONFLOW_INTERNAL_SERVICE_SECRET" in await refused(mint(clock), verifier(clock, OTHER))


async def test_the_previous_secret_still_verifies_after_a_rotation():
    clock = Clock()
    assert await verifier(clock, OTHER, SECRET).verify(mint(clock), **REQUEST) == CALLER


@pytest.mark.parametrize("drift_s", [-60, -30, 0, 59, 60])
async def test_a_token_within_the_window_is_accepted(drift_s: int):
    clock = Clock()
    token = mint(clock)
    clock.now += drift_s
    assert await verifier(clock).verify(token, **REQUEST) == CALLER


@pytest.mark.parametrize("drift_s", [61, -61, 3600, -3600])
async def test_a_token_outside_the_window_is_refused(drift_s: int):
    clock = Clock()
    token = mint(clock)
    clock.now += drift_s
    assert "60 seconds" in await refused(token, verifier(clock))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_replayed_nonce_is_refused(method: str):
    clock = Clock()
    check = verifier(clock)
    token = mint(clock, method=method)
    await check.verify(token, **{**REQUEST, "method": method})
    assert "used before" in await refused(token, check, method=method)


async def test_a_nonce_is_refused_until_the_last_second_of_its_window():
    clock = Clock()
    check = verifier(clock)
    token = mint(clock)
    clock.now -= 60
    await check.verify(token, **REQUEST)
    for _ in range(24):
        clock.now += 5
        assert "used before" in await refused(token, check)
    clock.now += 1
    assert "60 seconds" in await refused(token, check)


async def test_a_writing_call_is_refused_on_a_second_receiver_that_shares_the_ledger():
    clock, ledger = Clock(), Ledger()
    token = mint(clock)
    await verifier(clock, ledger=ledger).verify(token, **REQUEST)
    assert "used before" in await refused(token, verifier(clock, ledger=ledger))
    (expires_at,) = ledger.claimed.values()
    assert expires_at >= datetime.fromtimestamp(clock.now + 60, UTC)


async def test_a_reading_call_does_not_ask_the_ledger():
    clock = Clock()
    token = mint(clock, method="GET", body=b"")
    assert await verifier(clock, ledger=BrokenLedger()).verify(token, "GET", REQUEST["target"], b"") == CALLER


async def test_a_writing_call_is_not_let_through_when_the_ledger_is_away():
    clock = Clock()
    with pytest.raises(LedgerUnavailable):
        await verifier(clock, ledger=BrokenLedger()).verify(mint(clock), **REQUEST)


async def test_a_forged_token_does_not_take_a_nonce():
    clock, ledger = Clock(), Ledger()
    await refused(mint(clock), verifier(clock, OTHER, ledger=ledger))
    assert ledger.claimed == {}


GARBAGE = [
    "",
    ".",
    "..",
    "v1..",
    "v1.a.b",
    "v2.e30.e30",
    "v1.e30.!!!!",
    "\0",
    "v1.\0.\0",
    "x" * 65_536,
    "v1." + "A" * 65_536,
]


@pytest.mark.parametrize("token", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_is_refused(token: str):
    assert await refused(token, verifier(Clock()))


async def test_every_truncation_of_a_token_is_refused():
    clock = Clock()
    token, check = mint(clock), verifier(clock)
    for length in range(len(token)):
        await refused(token[:length], check)
    await check.verify(token, **REQUEST)


@given(st.text(max_size=200))
async def test_no_text_is_ever_a_token(text: str):
    assert await refused(text, verifier(Clock()))


@given(position=st.integers(min_value=0), character=st.sampled_from("Az09-_.="))
async def test_no_single_changed_character_is_accepted(position: int, character: str):
    clock = Clock()
    token = mint(clock)
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]
    check = verifier(clock)
    # The last character of base64 has spare bits: two spellings can mean the same bytes.
    if changed != token and _bytes(changed) != _bytes(token):
        await refused(changed, check)


def _bytes(token: str) -> list[bytes | str]:
    try:
        version, payload, mac = token.split(".")
        return [version, payload, urlsafe_b64decode(mac + "=" * (-len(mac) % 4))]
    except ValueError:
        return [token]


async def test_a_signed_payload_that_is_no_claim_is_refused():
    payload = urlsafe_b64encode(b'{"issuer":1}').decode().rstrip("=")
    mac = module._mac(SECRET.reveal().encode(), payload, "GET", "/", b"")
    token = f"v1.{payload}.{urlsafe_b64encode(mac).decode().rstrip('=')}"
    assert "claims cannot be read" in await refused(token, verifier(Clock()), method="GET", target="/", body=b"")


@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_short_secret_is_refused_at_construction(length: int):
    short = Secret("s" * length)
    with pytest.raises(ValueError, match="at least 32"):
        TokenMinter(short, "agent")
    with pytest.raises(ValueError, match="at least 32"):
        TokenVerifier((SECRET, short), "orchestrator")
    with pytest.raises(ValueError, match="at least one secret"):
        TokenVerifier((), "orchestrator")


async def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch):
    true_compare = hmac.compare_digest
    compared: list[tuple[bytes, bytes]] = []

    def compare(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return true_compare(left, right)

    monkeypatch.setattr(module.hmac, "compare_digest", compare)
    clock = Clock()
    await verifier(clock, SECRET, OTHER).verify(mint(clock), **REQUEST)
    assert len(compared) == 2, "each secret is tried, so that time does not tell which one is in use"
    assert all(len(left) == len(right) == 32 for left, right in compared)


async def test_a_large_body_is_digested_too():
    clock = Clock(time.time())
    body = b"x" * (2 << 20)
    token = mint(clock, body=body)
    assert "does not fit" in await refused(token, verifier(clock), body=body[:-1] + b"y")
    assert await verifier(clock).verify(token, **{**REQUEST, "body": body}) == CALLER
