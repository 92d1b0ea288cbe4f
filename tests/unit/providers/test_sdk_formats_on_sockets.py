"""Anthropic, Gemini and Bedrock on real sockets: what arrives is what was signed and quoted, what breaks is a fault."""

from __future__ import annotations

import dataclasses
import json

import pytest
from axonflow_providers import FaultKind, HttpTransport, ProviderConfig, ProviderFault, ProviderRegistry, standard_specs
from axonflow_settings import Secret
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support.provider_calls import PROMPT, asking
from support.provider_upstream import Answering, ProviderUpstream, answering, provider_upstream

REPLIES = {
    "anthropic": {"content": [{"type": "text", "text": "hi"}]},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "hi"}]}}]},
    "vertex": {"candidates": [{"content": {"parts": [{"text": "hi"}]}}]},
    "bedrock": {"output": {"message": {"content": [{"text": "hi"}]}}},
}
AWS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": Secret("very/secret")}
MORE = {
    "vertex": {"region": "europe-west4", "settings": {"project": "acme-prod-1"}},
    "bedrock": {"region": "eu-west-1", "settings": AWS, "api_key": None},
}
KINDS = pytest.mark.parametrize("kind", sorted(REPLIES))


def config(kind: str, upstream: ProviderUpstream) -> ProviderConfig:
    made = ProviderConfig(name=kind, type=kind, endpoint=upstream.url, api_key=Secret("sk-very-secret"), trusted=True)
    return dataclasses.replace(made, **MORE.get(kind, {}))  # type: ignore[arg-type]


async def ask(kind: str, upstream: ProviderUpstream, *, model: str = "", timeout_s: float = 5.0) -> str:
    async with HttpTransport(max_bytes=20_000) as transport:
        registry = ProviderRegistry(standard_specs(), trusted=transport, guarded=transport)
        provider = registry.open(config(kind, upstream))
        return (await provider.complete(asking(model=model, timeout_s=timeout_s))).text


@KINDS
@pytest.mark.parametrize("model", ["", "../../admin?x=1#y/z", "a%2fb", "arn:aws:bedrock:x/y"])
async def test_a_call_arrives_where_it_was_meant_to(kind: str, model: str) -> None:
    async with provider_upstream(answering(REPLIES[kind])) as upstream:
        assert await ask(kind, upstream, model=model) == "hi"
        (asked,) = upstream.asked
    assert PROMPT in json.dumps(asked.json)
    assert "sk-very-secret" not in asked.target
    assert ".." not in asked.target.split("/")
    assert "?" not in asked.target
    assert asked.target.startswith(
        {
            "anthropic": "/v1/messages",
            "gemini": "/v1beta/models/",
            "vertex": "/v1/projects/acme-prod-1/locations/europe-west4/publishers/google/models/",
            "bedrock": "/model/",
        }[kind]
    )


async def test_the_signature_covers_what_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    async with provider_upstream(answering(REPLIES["bedrock"])) as upstream:
        await ask("bedrock", upstream, model="arn:aws:bedrock:eu-west-1:1:inference-profile/eu.x-v1:0")
        (asked,) = upstream.asked
    signed = asked.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    received = AWSRequest(
        asked.method,
        f"http://{asked.headers['Host']}{asked.target}",
        {name: asked.headers[name] for name in signed},
        asked.body,
    )
    received.context["timestamp"] = asked.headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", "very/secret"), "bedrock", "eu-west-1")
    canonical = signer.canonical_request(received)
    expected = signer.signature(signer.string_to_sign(received, canonical), received)
    assert asked.headers["Authorization"].endswith(f"Signature={expected}")


@KINDS
@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (Answering(delay_s=5.0), FaultKind.TIMEOUT),
        (Answering(body=b'{"content": [', cut=True), FaultKind.MALFORMED),
        (Answering(body=b'{"content": ['), FaultKind.MALFORMED),
        (Answering(body=b" " * 10_000, endless=True), FaultKind.MALFORMED),
        (Answering(status=429, headers={"Retry-After": "11"}), FaultKind.RATE_LIMITED),
        (Answering(status=307, headers={"Location": "http://127.0.0.1:1/"}), FaultKind.MALFORMED),
    ],
    ids=["late", "cut", "truncated", "endless", "limited", "moved"],
)
async def test_what_breaks_is_a_fault_of_its_kind(kind: str, script: Answering, fault: FaultKind) -> None:
    async with provider_upstream(script) as upstream:
        with pytest.raises(ProviderFault) as caught:
            await ask(kind, upstream, timeout_s=0.3 if script.delay_s else 5.0)
    assert caught.value.kind is fault
    assert caught.value.retry_after_s == (11.0 if fault is FaultKind.RATE_LIMITED else None)
    assert not {"sk-very-secret", "very/secret", PROMPT} & set(str(caught.value).split())
    assert upstream.url not in str(caught.value)
