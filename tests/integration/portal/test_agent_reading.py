"""Reading the agent over real sockets: every page, signed; and every way in which it can fail."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_internal_auth import TokenMinter
from axonflow_portal.backends import AgentPolicies, client_session
from axonflow_portal.reading import PolicyRead
from axonflow_portal.troubles import Trouble
from axonflow_settings import Secret
from support.agent_stand_in import SECRET, AgentStandIn, agent_stand_in
from support.policies import static_policy

READER = Caller(org_id="acme", tenant_id="acme", client_id="portal", kind=CallerKind.SERVICE)
POLICIES = [static_policy(f"sys_{n:03}") for n in range(250)]


@pytest.fixture
def agent() -> Iterator[AgentStandIn]:
    with agent_stand_in(POLICIES) as running:
        yield running


@asynccontextmanager
async def reader(url: str, *, secret: str = SECRET, timeout_s: float = 5.0) -> AsyncIterator[AgentPolicies]:
    async with client_session() as session:
        yield AgentPolicies(session, url, TokenMinter(Secret(secret), "portal"), READER, timeout_s)


async def read(url: str, *, secret: str = SECRET, timeout_s: float = 5.0) -> PolicyRead:
    async with reader(url, secret=secret, timeout_s=timeout_s) as agent:
        return await agent.read()


async def trouble_with(url: str, **options: float) -> Trouble:
    outcome = await read(url, **options)
    assert outcome.trouble is not None
    return outcome.trouble


async def test_every_page_is_read_in_order(agent: AgentStandIn) -> None:
    outcome = await read(agent.url)
    assert outcome.trouble is None
    assert [policy.policy_id for policy in outcome.policies] == [policy.policy_id for policy in POLICIES]


async def test_every_call_speaks_for_the_deployments_organisation(agent: AgentStandIn) -> None:
    await read(agent.url)
    assert agent.callers == [READER] * 3


async def test_a_row_that_moves_between_two_pages_is_listed_once(agent: AgentStandIn) -> None:
    agent.policies = [*POLICIES[:100], *POLICIES[99:]]
    assert len((await read(agent.url)).policies) == 250


async def test_an_empty_list_is_no_trouble(agent: AgentStandIn) -> None:
    agent.policies = ()
    outcome = await read(agent.url)
    assert (outcome.policies, outcome.trouble) == ((), None)


async def test_another_secret_is_told_by_the_variables_name(agent: AgentStandIn) -> None:
    outcome = await read(agent.url, secret="another-secret-0123456789abcdef0123456789")
    assert outcome.policies == ()
    assert outcome.trouble is not None
    assert (outcome.trouble.status, outcome.trouble.variable) == (401, "AXONFLOW_INTERNAL_SERVICE_SECRET")


async def test_an_agent_that_is_away_is_told_by_its_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nothing else can open this port meanwhile
        trouble = await trouble_with(f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (trouble.status, trouble.variable) == (None, "AGENT_URL")


async def test_an_agent_that_hangs_is_given_up(agent: AgentStandIn) -> None:
    agent.delay_s = 30.0
    trouble = await trouble_with(agent.url, timeout_s=0.2)
    assert "did not answer within 0.2 s" in trouble.message


@pytest.mark.parametrize("status", [204, 302, 400, 404, 429, 500, 503])
async def test_any_status_but_200_is_trouble_and_no_list(agent: AgentStandIn, status: int) -> None:
    agent.status = status
    assert (await trouble_with(agent.url)).status == status


async def test_a_redirect_is_not_followed_with_the_token(agent: AgentStandIn) -> None:
    agent.status = 302
    await read(agent.url)
    assert len(agent.callers) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html>a proxy's page</html>",
        b'{"policies": null, "pagination": {"page":1,"page_size":1,"total":0,"total_pages":0}}',
        b'{"policies": [{"id": "x"}], "pagination": {"page":1,"page_size":1,"total":1,"total_pages":1}}',
        b'{"policies": [], "pagination": "\xff"}',
    ],
)
async def test_an_answer_that_is_no_list_is_trouble(agent: AgentStandIn, body: bytes) -> None:
    agent.body = body
    outcome = await read(agent.url)
    assert outcome.policies == ()
    assert outcome.trouble is not None


async def test_an_unknown_severity_is_trouble_and_not_a_shorter_list(agent: AgentStandIn) -> None:
    rows = [msgspec.to_builtins(policy) for policy in POLICIES[:2]]
    rows[0]["severity"] = "apocalyptic"
    pages = {"page": 1, "page_size": 100, "total": 2, "total_pages": 1}
    agent.body = msgspec.json.encode({"policies": rows, "pagination": pages})
    assert "same version" in (await trouble_with(agent.url)).remedies[0]


async def test_an_endless_answer_is_cut(agent: AgentStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axonflow_portal.exchange.LARGEST_ANSWER_BYTES", 1000)
    assert (await trouble_with(agent.url)).status is None


async def test_an_endless_list_is_cut_and_told(agent: AgentStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axonflow_portal.backends.MOST_PAGES", 2)
    outcome = await read(agent.url)
    assert len(outcome.policies) == 200
    assert outcome.trouble is not None
    assert "stopped at 200" in outcome.trouble.message


async def test_a_list_shorter_than_its_total_is_partial(agent: AgentStandIn) -> None:
    agent.stop_after_page = 1
    outcome = await read(agent.url)
    assert len(outcome.policies) == 100
    assert outcome.trouble is not None
    assert "promised 250 policies and sent 100" in outcome.trouble.message


async def test_pages_read_before_a_failure_are_kept(agent: AgentStandIn) -> None:
    agent.fail_after_page = 2
    outcome = await read(agent.url)
    assert len(outcome.policies) == 200
    assert outcome.trouble is not None
    assert outcome.trouble.status == 500


async def test_a_link_that_is_mended_is_remembered_as_mended(agent: AgentStandIn) -> None:
    async with reader(agent.url) as policies:
        assert policies.link.state == "unknown"
        agent.status = 503
        assert await policies.check() is not None
        assert policies.link.state == "broken"
        agent.status = 200
        assert await policies.check() is None
        assert (policies.link.state, policies.link.trouble) == ("ok", None)
