"""Whatever turns a call away early leaves its decision row: every governed route of the agent is asked."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from axonflow_agent import app as agent_app
from axonflow_agent.app import create_app, routes_of
from axonflow_agent.governed import GovernedRoute
from axonflow_contracts.verdicts import Plane
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from support.gateway import CLIENT, Answer, basic
from support.planes import Planes

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRONG_SECRET = {"authorization": basic(CLIENT, "no-secret-of-this-client-0123456789abcdef")}
# What is sent, and the statuses that may answer it.
DENIALS: dict[str, tuple[str, bytes, Mapping[str, str], set[int]]] = {
    "no credentials": ("POST", b"{}", {}, {401}),
    "wrong secret": ("POST", b"{}", WRONG_SECRET, {401}),
    "no json": ("POST", b"{", {"x-own": "1"}, {400}),
    "no object": ("POST", b"[]", {"x-own": "1"}, {400}),
    "one key twice": ("POST", b'{"query":"a","query":"b"}', {"x-own": "1"}, {400}),
    "nothing asked": ("POST", b"{}", {"x-own": "1"}, {400}),
    "oversize": ("POST", b'{"query":"' + b"a" * 70_000 + b'"}', {"x-own": "1"}, {413}),
    "wrong method": ("PUT", b"", {"x-own": "1"}, {405}),
    "smuggled header": ("POST", b"{}", {"x-own": "1", "a_b": "1"}, {400}),
}


async def ask(planes: Planes, path: str, denial: str) -> tuple[Answer, set[int]]:
    method, body, headers, statuses = DENIALS[denial]
    sent = {**planes.headers, **headers} if "x-own" in headers else headers
    return await planes.ask(method, path, body, sent), statuses


def governed_routes(planes: Planes) -> list[GovernedRoute]:
    return [route for route in routes_of(planes.agent) if isinstance(route, GovernedRoute)]


async def silent_denials(planes: Planes, governed: list[GovernedRoute]) -> list[tuple[str, str]]:
    """Path and denial of each answer that is not what it should be, or not in the record once."""
    found = []
    for route in governed:
        for denial in DENIALS:
            answer, statuses = await ask(planes, route.path, denial)
            rows = await planes.rows("audit_logs", answer.headers["x-axonflow-decision-id"])
            recorded = [row["metadata"].get("status") for row in rows]
            if answer.status not in statuses or recorded != [answer.status]:
                found.append((route.path, denial))
    return found


async def test_every_early_denial_of_every_governed_route_has_its_row(enterprise: Planes) -> None:
    assert await silent_denials(enterprise, governed_routes(enterprise)) == []


async def test_a_governed_route_that_leaves_no_row_is_found(
    enterprise: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_request: Request) -> Response:
        return JSONResponse({}, 401)

    route = GovernedRoute("/api/v1/silent", silent, Plane.MCP)
    whole = routes_of(enterprise.agent)
    monkeypatch.setattr(agent_app, "routes_of", lambda _agent: [route, *whole])
    planes = Planes(enterprise.agent, create_app(enterprise.agent), enterprise.headers)
    found = {denial for _, denial in await silent_denials(planes, [route])}
    assert {"no credentials", "wrong secret", "no json", "oversize"} <= found


async def test_the_planes_of_this_service_are_among_the_governed_routes(enterprise: Planes) -> None:
    planes = {route.plane for route in governed_routes(enterprise)}
    assert {Plane.OPENAI, Plane.GATEWAY, Plane.DECISION, Plane.MCP} <= planes


async def test_a_client_over_its_limit_is_refused_and_recorded(postgres_server, tmp_path) -> None:
    from support.planes import planes

    with postgres_server.database() as url:
        async with planes(url, tmp_path, AXONFLOW_RATE_LIMIT_PER_MINUTE="2") as limited:
            answers = [await limited.post("/api/policy/pre-check", {"query": "hello"}) for _ in range(5)]
            allowed = [answer for answer in answers if answer.status == 200]
            refused = answers[-1]
            row = await limited.row_of(refused)
    assert len(allowed) >= 2  # a new minute may begin between two of them
    assert allowed[0].json["rate_limit"]["limit"] == 2
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert (row["reason"], row["client_id"], row["verdict"]) == ("rate_limited", CLIENT, "blocked")
