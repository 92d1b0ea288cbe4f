"""Where AWS keys come from, who may use those of the process, and how a container's role is renewed."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest
from axonflow_providers.aws_credentials import ContainerRole, credentials_of
from axonflow_providers.bedrock import bedrock_spec
from axonflow_providers.protocol import FaultKind, HttpAnswer, ProviderConfig, ProviderFault
from axonflow_settings import Secret
from hypothesis import given, settings
from support.provider_calls import Wire, asking, json_values, like

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "env-secret\n", "AWS_SESSION_TOKEN": "env-st"}
CONTAINER = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/0f-1"}
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def config(*, trusted: bool = True, **given_settings: Any) -> ProviderConfig:
    return ProviderConfig(name="aws", type="bedrock", region="eu-west-1", trusted=trusted, settings=given_settings)


GIVEN = {"access_key_id": "AKIDGIVEN", "secret_access_key": Secret("given-secret")}


def role(number: int = 1, hours: float = 6) -> dict[str, Any]:
    ends = (START + dt.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "RoleArn": "arn:aws:iam::1:role/axonflow",
        "AccessKeyId": f"ASIA{number}",
        "SecretAccessKey": "role-secret",
        "Token": "role-token",
        "Expiration": ends,
    }


def answer(value: Any, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, json.dumps(value).encode())


async def used(config_: ProviderConfig, environment: dict[str, str]) -> str:
    found = credentials_of(config_, environment, Wire(answer(role(hours=10**5))))
    return (await found.key(3.0)).access_key_id if found else ""


@pytest.mark.parametrize(
    ("config_", "environment", "key"),
    [
        (config(**GIVEN), ENVIRONMENT | CONTAINER, "AKIDGIVEN"),
        (config(), ENVIRONMENT | CONTAINER, "AKIDENV"),
        (config(), CONTAINER, "ASIA1"),
        (config(), {}, ""),
        (config(access_key_id="AKIDHALF"), {}, ""),
        (config(trusted=False, **GIVEN), ENVIRONMENT | CONTAINER, "AKIDGIVEN"),
        (config(trusted=False), ENVIRONMENT | CONTAINER, ""),
        (config(), {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@evil.example/"}, ""),
        (config(), {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": ".evil.example/x"}, ""),
    ],
)
async def test_the_processs_own_keys_serve_the_operators_configs_alone(
    config_: ProviderConfig, environment: dict[str, str], key: str
) -> None:
    assert await used(config_, environment) == key
    faults = bedrock_spec(environment).check(config_)
    assert faults == ([] if key else ["Amazon Bedrock needs AWS credentials, or an API key of its own"])


class Clock:
    def __init__(self) -> None:
        self.now_s = START.timestamp()

    def __call__(self) -> float:
        return self.now_s


async def test_a_role_is_asked_for_once_and_again_shortly_before_it_ends() -> None:
    clock, wire = Clock(), Wire(answer(role(1)))
    credentials = ContainerRole("/v2/credentials/0f-1", "eu-west-1", wire, clock)
    keys = await asyncio.gather(*(credentials.key(3.0) for _ in range(20)))
    assert {key.access_key_id for key in keys} == {"ASIA1"}
    assert [(method, url) for method, url, *_ in wire.sent] == [("GET", "http://169.254.170.2/v2/credentials/0f-1")]
    wire.answer = answer(role(2, hours=12))
    clock.now_s += 6 * 3600 - 200
    assert (await credentials.key(3.0)).access_key_id == "ASIA2"
    credentials.refused(keys[0])
    await credentials.key(3.0)
    assert len(wire.sent) == 2


@pytest.mark.parametrize(
    ("given_answer", "kind"),
    [
        (answer({}, 403), FaultKind.CREDENTIALS),
        (answer({}, 429), FaultKind.RATE_LIMITED),
        (answer({}, 500), FaultKind.SERVER),
        (answer({"AccessKeyId": "a"}), FaultKind.UNREACHABLE),
        (answer(role() | {"Token": "a\r\nb: c"}), FaultKind.UNREACHABLE),
        (HttpAnswer(200, {}, b"{"), FaultKind.UNREACHABLE),
    ],
)
async def test_no_role_is_a_fault_that_never_says_the_model_may_have_run(
    given_answer: HttpAnswer, kind: FaultKind
) -> None:
    with pytest.raises(ProviderFault) as caught:
        await ContainerRole("/x", "eu-west-1", Wire(given_answer)).key(3.0)
    assert caught.value.kind is kind
    assert not caught.value.may_have_run
    assert "role-secret" not in str(caught.value)


@settings(max_examples=80, deadline=None)
@given(body=like(role()) | json_values)
async def test_no_answer_whatever_raises_anything_but_a_provider_fault(body: Any) -> None:
    try:
        assert (await ContainerRole("/x", "eu-west-1", Wire(answer(body)), Clock()).key(3.0)).access_key_id
    except ProviderFault as fault:
        assert not fault.may_have_run  # noqa: PT017 - a key is a good end as well


async def test_a_key_that_expired_early_is_replaced_for_the_next_call() -> None:
    roles = iter([role(1, 10**5), role(2, 10**5)])
    expired = HttpAnswer(403, {"x-amzn-errortype": "ExpiredTokenException"}, b"{}")
    wire = Wire(lambda _method, url: answer(next(roles)) if "169.254" in url else expired)
    provider = bedrock_spec(CONTAINER).open(config(), wire)
    for _ in range(2):
        with pytest.raises(ProviderFault):
            await provider.complete(asking())
    signed = [headers["authorization"] for _, url, headers, _ in wire.sent if "169.254" not in url]
    assert ["ASIA1" in signed[0], "ASIA2" in signed[1]] == [True, True]
