"""HTTP/REST: reads are GET and HEAD, all else is a write; a call can leave neither the host nor the base path."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from axonflow_outbound import Outbound

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.gathering import Gathering
from axonflow_connectors.http_answers import body_rows, endpoint_of, send
from axonflow_connectors.protocol import Call, Capability, Connector, Limits, Rows, Written
from axonflow_connectors.specification import Configuration, ConnectorSpec, Field, Surroundings
from axonflow_connectors.templates import fill, with_query

READS = ("GET", "HEAD")
WRITES = ("POST", "PUT", "PATCH", "DELETE")

_STATEMENT = re.compile(r"(?:([A-Z]+) +)?(/\S*)")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
# Headers that frame a message or speak for somebody else; an API key goes by none of them.
_NOT_A_KEY = {"host", "content-length", "transfer-encoding", "connection", "content-type", "cookie", "te", "upgrade"}
_BASE = re.compile(r"https?://[^/?#]+(?:/[^?#]*)?")
# A larger answer of many small values would hold the loop, and other callers, for seconds.
_INLINE_BYTES = 64 * 1024
_TEST_LIMITS = Limits(max_bytes=1_000_000, timeout_s=10)


class Http(Connector):
    """One API below one base address."""

    capabilities = frozenset({Capability.QUERY, Capability.EXECUTE})

    def __init__(self, configuration: Configuration, outbound: Outbound) -> None:
        self._base = configuration.text("base_url").rstrip("/")
        self._rows_at = configuration.text("rows_at")
        self._test_path = configuration.text("test_path")
        self._headers = {"Accept": "application/json", **_authorization(configuration)}
        self._outbound = outbound

    async def test(self) -> Mapping[str, str]:
        """GET of the test path."""
        url = self._base + fill(self._test_path, {})[0]
        await send(self._outbound, "GET", url, headers=self._headers, limits=_TEST_LIMITS)
        return {}

    async def query(self, call: Call) -> Rows:
        """``GET /path/{id}`` (or a path alone); parameters without a place go to the query."""
        return (await self._call(call, READS, FaultKind.READ_ONLY)).answer

    async def execute(self, call: Call) -> Written:
        """``POST /path/{id}``; ``body`` is sent as JSON, and without one all parameters that have no place are."""
        return await self._call(call, WRITES, FaultKind.REQUEST)

    async def close(self) -> None:
        """Connections belong to the deployment's outbound client."""

    async def _call(self, call: Call, methods: tuple[str, ...], otherwise: FaultKind) -> Written:
        method, template = _parts(call.statement, methods, otherwise)
        path, body = _placed(method, template, call.parameters)
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        gathering = Gathering(call.limits)
        url = self._base + path
        answer = await send(self._outbound, method, url, headers=headers, limits=call.limits, body=body)
        rows_at = self._rows_at if method in READS else ""

        def gather() -> None:
            gathering.add_all(body_rows(answer, rows_at))

        if len(answer.body) <= _INLINE_BYTES:
            gather()
        else:
            await asyncio.to_thread(gather)
        return Written(rows_affected=-1, answer=gathering.finish())


def _parts(statement: str, methods: tuple[str, ...], otherwise: FaultKind) -> tuple[str, str]:
    match = _STATEMENT.fullmatch(statement.strip())
    if match is None:
        raise ConnectorFault(FaultKind.REQUEST, "The statement must be a method and a path, such as GET /users/{id}")
    method = match.group(1) or methods[0]
    if method not in methods:
        raise ConnectorFault(otherwise, f"Here the method must be one of {', '.join(methods)}")
    return method, match.group(2)


def _placed(method: str, template: str, parameters: Any) -> tuple[str, bytes | None]:
    """The path with its query, and the body of a write."""
    if not isinstance(parameters, Mapping):
        if parameters:
            raise ConnectorFault(FaultKind.REQUEST, "Parameters must be an object of names and values")
        parameters = {}
    path, used = fill(template, parameters)
    left = {name: value for name, value in parameters.items() if name not in used}
    if method in READS:
        return with_query(path, left.items()), None
    if "body" in left:
        body = left.pop("body")
        return with_query(path, left.items()), _json(body)
    return path, _json(left) if left else None


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConnectorFault(FaultKind.REQUEST, "The body cannot be written as JSON") from error


def _authorization(given: Configuration) -> dict[str, str]:
    kind = given.text("auth")
    if kind == "bearer":
        return {"Authorization": f"Bearer {given.secret('token')}"}
    if kind == "basic":
        pair = f"{given.text('username')}:{given.secret('password')}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if kind == "api_key":
        return {given.text("api_key_header"): given.secret("api_key")}
    return {}


_NEEDED = {"bearer": ("token",), "basic": ("username", "password"), "api_key": ("api_key",), "none": ()}


def _verify(given: Configuration, _surroundings: Surroundings) -> None:
    for name in _NEEDED[given.text("auth")]:
        if not given.values[name]:
            raise ConnectorFault(FaultKind.CONFIGURATION, f"{name} is required with auth {given.text('auth')}")
    for name in ("token", "api_key"):
        if not given.secret(name).isascii():
            raise ConnectorFault(FaultKind.CONFIGURATION, f"credentials.{name} must be ASCII, as a header is")
    header = given.text("api_key_header")
    if not _HEADER_NAME.fullmatch(header) or header.lower() in _NOT_A_KEY:
        raise ConnectorFault(FaultKind.CONFIGURATION, "options.api_key_header is no header for a key")
    if not _BASE.fullmatch(given.text("base_url")):
        raise ConnectorFault(FaultKind.CONFIGURATION, "options.base_url must be an address without query or fragment")
    fill(given.text("test_path"), {})


async def _open(configuration: Configuration, surroundings: Surroundings) -> Connector:
    return Http(configuration, surroundings.outbound)


SPEC = ConnectorSpec(
    type="http",
    title="HTTP / REST",
    description="A JSON API below one base address; values go into {places} of the path, the query or the body.",
    category="api",
    tags=("rest",),
    fields=(
        Field(name="base_url", help="Address that every path is below.", kind="url", required=True),
        Field(
            name="auth",
            help="How requests prove who they are.",
            kind="choice",
            choices=("none", "bearer", "basic", "api_key"),
            default="none",
        ),
        Field(name="token", help="For auth bearer.", kind="secret"),
        Field(name="username", help="For auth basic."),
        Field(name="password", help="For auth basic.", kind="secret"),
        Field(name="api_key", help="For auth api_key.", kind="secret"),
        Field(name="api_key_header", help="The header that carries the key.", default="X-API-Key"),
        Field(name="rows_at", help="Names that lead to the list in an answer, such as data.items.", default=""),
        Field(name="test_path", help="A path that a test may GET.", default="/"),
    ),
    capabilities=Http.capabilities,
    open=_open,
    endpoints=lambda given: (endpoint_of(given.text("base_url")),),
    verify=_verify,
)
