"""The HTTP connector on a real socket: how calls become requests, and what its answers become."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from axonflow_connectors import (
    Call,
    Connector,
    ConnectorFault,
    ConnectorRegistry,
    FaultKind,
    Limits,
    Surroundings,
    standard_specs,
)
from axonflow_outbound import Egress, Outbound
from support.data_stand_ins import listening


async def tell(request: web.Request) -> web.Response:
    """Everything that arrived, or what the path asks for."""
    kind = request.path.removeprefix("/base/")
    if kind.startswith("status/"):
        return web.Response(status=int(kind.removeprefix("status/")), headers={"Location": "http://169.254.169.254/"})
    if kind == "text":
        return web.Response(text="plain words")
    if kind == "broken":
        return web.Response(text="{not json", content_type="application/json")
    if kind == "numbers":
        return web.json_response([1, {"a": 2}])
    if kind == "deep":
        return web.Response(text="[" * 5000 + "]" * 5000, content_type="application/json")
    seen = {"method": request.method, "path": request.raw_path, "body": (await request.read()).decode()}
    return web.json_response({**seen, "headers": dict(request.headers)})


@asynccontextmanager
async def opened(options: dict[str, Any] | None = None, **credentials: str) -> AsyncIterator[Connector]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", tell)
    async with listening(app) as port, Outbound(Egress.parse("127.0.0.1")) as outbound:
        registry = ConnectorRegistry(standard_specs(), Surroundings(outbound=outbound))
        given = {"base_url": f"http://127.0.0.1:{port}/base/", **(options or {})}
        yield await registry.open("http", org_id="acme", options=given, credentials=credentials)


async def seen(connector: Connector, statement: str, parameters: Any = ()) -> dict[str, Any]:
    method = statement.split(maxsplit=1)[0]
    call = Call(statement=statement, parameters=parameters)
    if method in {"POST", "PUT", "PATCH", "DELETE"}:
        return (await connector.execute(call)).answer.rows[0]
    return (await connector.query(call)).rows[0]


async def test_parameters_go_to_their_places_then_to_the_query_or_the_body() -> None:
    async with opened() as connector:
        got = await seen(connector, "GET /users/{id}", {"id": "a/b", "q": "x y", "n": [1, 2]})
        assert (got["method"], got["path"]) == ("GET", "/base/users/a%2Fb?q=x%20y&n=1&n=2")
        got = await seen(connector, "POST /users/{id}", {"id": 1, "name": "Ann", "tags": ["a"]})
        assert (got["path"], json.loads(got["body"])) == ("/base/users/1", {"name": "Ann", "tags": ["a"]})
        got = await seen(connector, "PUT /users/{id}", {"id": 1, "body": [1], "dry": True})
        assert (got["path"], got["body"]) == ("/base/users/1?dry=true", "[1]")
        got = await seen(connector, "DELETE /users/1")
        assert (got["method"], got["body"]) == ("DELETE", "")
        assert "Content-Type" not in got["headers"]


@pytest.mark.parametrize(
    ("options", "credentials", "header", "value"),
    [
        ({"auth": "bearer"}, {"token": "t"}, "Authorization", "Bearer t"),
        ({"auth": "basic", "username": "ü"}, {"password": "p"}, "Authorization", "Basic w7w6cA=="),
        ({"auth": "api_key", "api_key_header": "X-Key"}, {"api_key": "k"}, "X-Key", "k"),
    ],
)
async def test_credentials_go_where_their_kind_says(
    options: dict[str, Any], credentials: dict[str, str], header: str, value: str
) -> None:
    async with opened(options, **credentials) as connector:
        assert (await seen(connector, "GET /x"))["headers"][header] == value


@pytest.mark.parametrize(
    "statement", ["POST /x", "TRACE /x", "CONNECT /x", "GET", "get /x", "GET /x HTTP/1.1", "GET /../x"]
)
async def test_a_read_is_get_or_head_of_a_path_below_the_base(statement: str) -> None:
    async with opened() as connector:
        with pytest.raises(ConnectorFault) as fault:
            await connector.query(Call(statement=statement))
        assert fault.value.kind in {FaultKind.READ_ONLY, FaultKind.REQUEST}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("status/401", FaultKind.CREDENTIALS),
        ("status/404", FaultKind.FAILED),
        ("status/500", FaultKind.FAILED),
        ("status/302", FaultKind.FAILED),
        ("broken", FaultKind.FAILED),
        ("deep", FaultKind.FAILED),
    ],
)
async def test_what_is_no_answer_is_a_fault(path: str, kind: FaultKind) -> None:
    async with opened() as connector:
        with pytest.raises(ConnectorFault) as fault:
            await connector.query(Call(statement=f"/{path}"))
        assert fault.value.kind is kind
        assert "169.254" not in fault.value.message


async def test_other_answers_become_rows_too() -> None:
    async with opened() as connector:
        assert (await connector.query(Call(statement="/text"))).rows == [{"body": "plain words"}]
        assert (await connector.query(Call(statement="/numbers"))).rows == [{"value": 1}, {"a": 2}]
        assert (await connector.query(Call(statement="HEAD /x"))).rows == []
        cut = await connector.query(Call(statement="/numbers", limits=Limits(max_rows=1)))
        assert cut.truncated == "rows"


async def test_an_answer_that_is_read_beside_the_loop_is_cut_as_any_other() -> None:
    long = "x" * 300_000
    async with opened() as connector:
        call = Call(statement="POST /echo", parameters={"body": [long]}, limits=Limits(max_bytes=1_000_000))
        assert long in (await connector.execute(call)).answer.rows[0]["body"]
        call = Call(statement="POST /echo", parameters={"body": [long]}, limits=Limits(max_bytes=300_100))
        with pytest.raises(ConnectorFault) as fault:
            await connector.execute(call)
    assert fault.value.kind is FaultKind.TOO_LARGE
