"""Both ways out, on real sockets: every failure is a fault of the right kind, in our words, within limits."""

from __future__ import annotations

import gzip
import logging
import socket
import traceback
from collections.abc import AsyncIterator

import pytest
from axonflow_outbound import Egress, Outbound
from axonflow_providers import FaultKind, HttpTransport, OutboundTransport, ProviderFault, Transport
from support.provider_upstream import Answering, ProviderUpstream, provider_upstream

LIMIT = 10_000
SECRETS = ("sk-very-secret", "tell-nobody")


@pytest.fixture
async def upstream() -> AsyncIterator[ProviderUpstream]:
    async with provider_upstream() as running:
        yield running


@pytest.fixture(params=["trusted", "guarded"])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    if request.param == "trusted":
        async with HttpTransport(max_bytes=LIMIT) as trusted:
            yield trusted
        return
    async with Outbound(Egress.parse("127.0.0.0/8")) as outbound:
        yield OutboundTransport(outbound, max_bytes=LIMIT)


async def fault_of(transport: Transport, url: str, timeout_s: float = 5.0) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        await transport.send(
            "POST",
            f"{url}/v1/chat?key=sk-very-secret",
            headers={"authorization": "Bearer sk-very-secret"},
            body=b'"tell-nobody"',
            timeout_s=timeout_s,
        )
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    shown += repr(caught.value.__cause__) + repr(caught.value.args)
    assert not [secret for secret in SECRETS if secret in shown]
    return caught.value


async def test_a_request_arrives_as_it_was_written(transport: Transport, upstream: ProviderUpstream) -> None:
    upstream.script = Answering(status=201, body=b"[1]", headers={"X-Request-Id": "r1"})
    answer = await transport.send(
        "POST", f"{upstream.url}/a%2Fb/c?d=e%20f", headers={"x-api-key": "k"}, body=b"{}", timeout_s=5
    )
    assert (answer.status, answer.body, answer.headers["x-request-id"]) == (201, b"[1]", "r1")
    (asked,) = upstream.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/a%2Fb/c?d=e%20f", b"{}")
    assert asked.headers["x-api-key"] == "k"
    assert asked.headers["accept-encoding"] == "identity"


async def test_a_redirect_is_an_answer_and_is_not_followed(transport: Transport, upstream: ProviderUpstream) -> None:
    upstream.script = Answering(status=307, headers={"Location": f"{upstream.url}/elsewhere"})
    answer = await transport.send("POST", upstream.url, headers={}, body=b"{}", timeout_s=5)
    assert answer.status == 307
    assert len(upstream.asked) == 1


async def test_no_cookie_is_kept(transport: Transport, upstream: ProviderUpstream) -> None:
    upstream.script = Answering(headers={"Set-Cookie": "session=1"})
    for _ in range(2):
        await transport.send("GET", upstream.url, headers={}, timeout_s=5)
    assert "cookie" not in upstream.asked[1].headers


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Answering(body=b"x" * (LIMIT + 1)), FaultKind.MALFORMED),
        (Answering(body=b"x" * LIMIT, endless=True), FaultKind.MALFORMED),
        (Answering(body=b'{"choices":[', cut=True), FaultKind.MALFORMED),
        (Answering(body=gzip.compress(bytes(50 << 20)), headers={"Content-Encoding": "gzip"}), FaultKind.MALFORMED),
        (Answering(headers={"X-Long": "x" * 20_000}), FaultKind.MALFORMED),
    ],
    ids=["too large", "endless", "cut off", "gzip bomb", "huge header"],
)
async def test_an_answer_that_cannot_be_taken_is_malformed(
    transport: Transport, upstream: ProviderUpstream, script: Answering, kind: FaultKind
) -> None:
    upstream.script = script
    fault = await fault_of(transport, upstream.url)
    assert fault.kind is kind
    assert fault.may_have_run


async def test_the_time_is_up_while_the_model_works(transport: Transport, upstream: ProviderUpstream) -> None:
    upstream.script = Answering(delay_s=2.0)
    fault = await fault_of(transport, upstream.url, timeout_s=0.1)
    assert fault.kind is FaultKind.TIMEOUT
    assert fault.may_have_run


async def test_a_port_where_nobody_listens_is_unreachable(transport: Transport) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        fault = await fault_of(transport, f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert fault.kind is FaultKind.UNREACHABLE
    assert fault.retryable
    assert not fault.may_have_run


async def test_a_connection_that_ends_without_an_answer_may_have_run(
    transport: Transport, upstream: ProviderUpstream
) -> None:
    upstream.script = Answering(hang_up=True)
    fault = await fault_of(transport, upstream.url)
    assert fault.kind is FaultKind.MALFORMED
    assert fault.may_have_run


@pytest.mark.parametrize(
    "headers",
    [{"traceparent": "a\r\nx-admin: 1"}, {"x\n": "1"}, {"x": "\x00"}, {"x": "schlüssel"}, {"": "1"}, {"a b": "1"}],
)
async def test_a_header_that_is_no_plain_text_is_not_sent(
    transport: Transport, upstream: ProviderUpstream, headers: dict[str, str]
) -> None:
    with pytest.raises(ProviderFault) as caught:
        await transport.send("GET", upstream.url, headers=headers, timeout_s=5)
    assert caught.value.kind is FaultKind.INVALID_REQUEST
    assert upstream.asked == []


async def test_an_address_given_through_an_api_is_refused_on_the_private_side(upstream: ProviderUpstream) -> None:
    async with Outbound(Egress()) as outbound:
        fault = await fault_of(OutboundTransport(outbound), upstream.url)
    assert fault.kind is FaultKind.REFUSED_ADDRESS
    assert "AXONFLOW_EGRESS_ALLOW" in str(fault)
    assert not fault.retryable
    assert upstream.asked == []


async def test_a_name_that_does_not_resolve_may_do_so_later() -> None:
    async def no_name(_name: str) -> list[object]:
        raise OSError("no such name")

    async with Outbound(Egress(), no_name) as outbound:  # type: ignore[arg-type]
        fault = await fault_of(OutboundTransport(outbound), "http://gone.example")
    assert fault.kind is FaultKind.UNREACHABLE


async def test_a_closed_transport_begins_nothing(upstream: ProviderUpstream) -> None:
    transport = HttpTransport()
    await transport.close()
    assert (await fault_of(transport, upstream.url)).kind is FaultKind.UNREACHABLE
    assert upstream.asked == []


async def test_neither_key_nor_prompt_is_logged(
    transport: Transport, upstream: ProviderUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.script = Answering(body=b"tell-nobody", cut=True)
    with caplog.at_level(logging.DEBUG):
        await fault_of(transport, upstream.url)
    assert not [secret for secret in SECRETS if secret in caplog.text]
