"""Reading the record over real sockets: every way in which a service can fail, and files that are passed on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from axonflow_contracts.caller import Caller, CallerKind
from axonflow_contracts.errors import Fault
from axonflow_internal_auth import TokenMinter
from axonflow_portal.backends import client_session
from axonflow_portal.exchange import Backend, Download, Unreadable
from axonflow_portal.record.filters import DecisionFilter
from axonflow_portal.record.reading import NotThere, RecordReader, attempted
from axonflow_portal.record.relay import Relay
from axonflow_settings import Secret
from starlette.types import Receive, Scope, Send
from support.portal_record import NOW
from support.serving import http_scope, plain_app, served

CALLER = Caller(org_id="acme", tenant_id="", client_id="portal", kind=CallerKind.SERVICE)
MINTER = TokenMinter(Secret("reading-secret-0123456789abcdef0123456789"), "portal")


class Service:
    """Answers every request as it was told to."""

    def __init__(self, status: int, *pieces: bytes, delay_s: float = 0.0, breaks: bool = False) -> None:
        self.status, self.pieces, self.delay_s, self.breaks = status, pieces, delay_s, breaks
        self.targets: list[str] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.targets.append(f"{scope['path']}?{scope['query_string'].decode()}")
        await asyncio.sleep(self.delay_s)
        headers = [(b"content-type", b"text/csv"), (b"content-disposition", b"attachment"), (b"x-internal", b"1")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self.breaks:
            raise ConnectionError("told to")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@asynccontextmanager
async def reading(port: int, timeout_s: float = 5.0) -> AsyncIterator[RecordReader]:
    async with client_session() as session:

        def backend(name: str, variable: str) -> Backend:
            return Backend(
                session=session, name=name, variable=variable, base_url=f"http://127.0.0.1:{port}", minter=MINTER,
                caller=CALLER, timeout_s=timeout_s,
            )  # fmt: skip

        yield RecordReader(
            orchestrator=backend("orchestrator", "ORCHESTRATOR_URL"), agent=backend("agent", "AGENT_URL")
        )


@pytest.mark.parametrize(
    ("status", "body", "variable", "said"),
    [
        (401, b'{"error":"no"}', "AXONFLOW_INTERNAL_SERVICE_SECRET", "internal token"),
        (501, b'{"error":"Not implemented"}', "ORCHESTRATOR_URL", "Not implemented"),
        (503, b'{"success":false,"error":"PostgreSQL does not answer"}', "ORCHESTRATOR_URL", "PostgreSQL does not"),
        (500, b'{"error":{"message":"a bug"}}', "ORCHESTRATOR_URL", "a bug"),
        (429, b"", "ORCHESTRATOR_URL", "429"),
        (302, b"", "ORCHESTRATOR_URL", "302"),
        (404, b"<html>", "ORCHESTRATOR_URL", "404"),
        (200, b"<html>", "ORCHESTRATOR_URL", "nothing that this portal can read"),
        (200, b'{"entries":[]}', "ORCHESTRATOR_URL", "nothing that this portal can read"),
    ],
)
async def test_every_failure_is_a_trouble_with_its_cause(status: int, body: bytes, variable: str, said: str) -> None:
    async with served(plain_app(Service(status, body))) as port, reading(port) as reader:
        page, trouble = await attempted(reader.decisions(DecisionFilter(), NOW))
    assert page is None
    assert trouble is not None
    assert (trouble.source, trouble.variable) == ("orchestrator", variable)
    assert said in trouble.message
    assert trouble.title == "Decisions could not be read"
    assert trouble.remedies


async def test_a_filter_that_the_service_refuses_is_the_readers_mistake() -> None:
    async with served(plain_app(Service(400, b'{"error":"cursor must be ours"}'))) as port, reading(port) as reader:
        with pytest.raises(Fault, match="cursor must be ours"):
            await reader.decisions(DecisionFilter(cursor="x"), NOW)


async def test_a_decision_that_is_not_there_is_no_trouble() -> None:
    service = Service(404, b'{"error":"Decision not found"}')
    async with served(plain_app(service)) as port, reading(port) as reader:
        with pytest.raises(NotThere):
            await reader.explanation("a/../b?c")
    assert service.targets == ["/api/v1/decisions/a/../b?c/explain?"]  # one segment, decoded by the server alone


async def test_a_service_that_is_away_or_slow_is_told_by_its_variable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nothing else can open this port meanwhile
        async with reading(taken.getsockname()[1]) as reader:
            assert (await attempted(reader.gaps(NOW, NOW)))[1].variable == "AGENT_URL"  # type: ignore[union-attr]
    async with served(plain_app(Service(200, delay_s=5))) as port, reading(port, timeout_s=0.05) as reader:
        _, trouble = await attempted(reader.circuits())
    assert trouble is not None
    assert "within 0.05 s" in trouble.message


async def test_circuits_of_another_edition_are_none_and_not_nought() -> None:
    body = b'{"error":{"message":"The circuit breaker belongs to the enterprise edition"}}'
    async with served(plain_app(Service(404, body))) as port, reading(port) as reader:
        assert await reader.circuits() is None


async def test_a_file_is_passed_on_with_its_own_headers_and_nothing_else() -> None:
    service = Service(200, b"a,b\r\n", b"1,2\r\n")
    async with served(plain_app(service)) as port, reading(port) as reader:
        sent = await relayed(await reader.export(DecisionFilter(client="a&b"), "csv", NOW))
    headers = {name for name, _ in sent[0]["headers"]}
    assert headers == {b"content-type", b"content-disposition"}
    assert b"".join(part.get("body", b"") for part in sent[1:]) == b"a,b\r\n1,2\r\n"
    assert service.targets[0].endswith("client_id=a%26b&governed=true&format=csv")


async def test_a_file_that_breaks_off_does_not_look_whole() -> None:
    service = Service(200, b"a,b\r\n", breaks=True)
    async with served(plain_app(service)) as port, reading(port) as reader:
        download = await reader.export(DecisionFilter(), "csv", NOW)
        sent: list[dict[str, object]] = []
        with pytest.raises(Exception):  # noqa: B017, PT011 - whichever error: what matters is that none is swallowed
            await relayed(download, sent)
    assert sent[-1].get("more_body", True)


async def test_an_export_that_is_refused_is_a_trouble_and_no_file() -> None:
    async with served(plain_app(Service(503, b'{"error":"away"}'))) as port, reading(port) as reader:
        with pytest.raises(Unreadable):
            await reader.export(DecisionFilter(), "csv", NOW)


async def relayed(download: Download, sent: list[dict[str, object]] | None = None) -> list[dict[str, object]]:
    messages = [] if sent is None else sent

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    async def send(message: dict[str, object]) -> None:
        messages.append(message)

    await Relay(download)(http_scope(), receive, send)  # type: ignore[arg-type]
    return messages
