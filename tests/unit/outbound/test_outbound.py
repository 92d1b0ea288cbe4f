"""The way out, on real sockets: what was checked is what is dialled, within limits, and no redirect is followed."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import pytest
from aiohttp import web
from axonflow_outbound import Address, Egress, EgressRefused, Outbound, OutboundFailed
from support.certificates import certificate

LIMITS = {"timeout_s": 5.0, "max_bytes": 1000}


class Names:
    """A resolver whose answers are set one by one; the last one stays."""

    def __init__(self, *answers: Iterable[str]) -> None:
        self.answers = [[ipaddress.ip_address(text) for text in answer] for answer in answers]
        self.asked: list[str] = []

    async def __call__(self, name: str) -> list[Address]:
        self.asked.append(name)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise OSError("no such name")
        return answer


@contextlib.asynccontextmanager
async def serving(handler: Callable[[web.Request], object], tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def echo(request: web.Request) -> web.Response:
    return web.json_response({"host": request.host, "path": request.raw_path, "method": request.method})


async def test_a_name_is_dialled_at_the_address_that_was_checked_and_keeps_its_host() -> None:
    names = Names(["127.0.0.1"])
    async with serving(echo) as port, Outbound(Egress.parse("api.corp.example"), names) as outbound:
        answer = await outbound.request("GET", f"http://api.corp.example:{port}/a%2Fb?x=%20", **LIMITS)
    assert answer.status == 200
    assert f'"host": "api.corp.example:{port}"' in answer.body.decode()
    assert '"path": "/a%2Fb?x=%20"' in answer.body.decode()
    assert names.asked == ["api.corp.example"]


async def test_a_name_that_changes_its_answer_after_the_check_is_refused_at_the_call() -> None:
    names = Names(["93.184.216.34"], ["127.0.0.1"])
    called = []

    async def note(request: web.Request) -> web.Response:
        called.append(request.path)
        return web.Response()

    async with serving(note) as port, Outbound(Egress(), names) as outbound:
        await outbound.check(f"http://rebinding.example:{port}/")
        with pytest.raises(EgressRefused, match=r"rebinding\.example"):
            await outbound.request("GET", f"http://rebinding.example:{port}/", **LIMITS)
    assert called == []


async def test_a_name_is_asked_once_a_dial_so_no_second_answer_is_used() -> None:
    names = Names(["127.0.0.1"], ["10.255.255.1"])
    async with serving(echo) as port, Outbound(Egress.parse("127.0.0.1"), names) as outbound:
        answer = await outbound.request("GET", f"http://twice.example:{port}/", **LIMITS)
    assert answer.status == 200
    assert len(names.asked) == 1


async def test_one_refused_address_among_many_refuses_the_name() -> None:
    async with Outbound(Egress(), Names(["93.184.216.34", "10.0.0.1"])) as outbound:
        with pytest.raises(EgressRefused, match="private"):
            await outbound.dialable("mixed.example", 5432)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://user@127.0.0.1:{port}/",
        "http://example.com@127.0.0.1:{port}/",
        "http://[fe80::1%25lo]:{port}/",
        "http://[::1]:{port}/",
        "http://0.0.0.0:{port}/",
        "file:///etc/passwd",
    ],
)
async def test_an_address_of_this_machine_is_refused_however_it_is_written(url: str) -> None:
    called = []

    async def note(request: web.Request) -> web.Response:
        called.append(request.path)
        return web.Response()

    async with serving(note) as port, Outbound(Egress(), Names(["127.0.0.1"])) as outbound:
        with pytest.raises(EgressRefused):
            await outbound.check(url.format(port=port))
        with pytest.raises(EgressRefused):
            await outbound.request("GET", url.format(port=port), **LIMITS)
    assert called == []


async def test_a_refusal_names_the_host_and_never_what_it_resolved_to() -> None:
    async with Outbound(Egress(), Names(["10.11.12.13"])) as outbound:
        with pytest.raises(EgressRefused) as refused:
            await outbound.check("https://inside.example/")
    assert "inside.example" in refused.value.message
    assert "10.11.12.13" not in refused.value.message


async def test_a_redirect_is_an_answer_like_any_other() -> None:
    async def away(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    async with serving(away) as port, Outbound(Egress.parse("127.0.0.1")) as outbound:
        answer = await outbound.request("GET", f"http://127.0.0.1:{port}/", **LIMITS)
    assert answer.status == 302


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_not_read_on(declared: bool) -> None:
    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if declared:
            response.content_length = 10_000_000
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                await response.write(b"x" * 100_000)
        return response

    async with serving(large) as port, Outbound(Egress.parse("127.0.0.1")) as outbound:
        with pytest.raises(OutboundFailed, match="oversize"):
            await outbound.request("GET", f"http://127.0.0.1:{port}/", **LIMITS)


async def test_a_compressed_body_is_not_unpacked() -> None:
    async def bomb(request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"\x00" * 1_000_000), headers={"Content-Encoding": "gzip"})

    async with serving(bomb) as port, Outbound(Egress.parse("127.0.0.1")) as outbound:
        with pytest.raises(OutboundFailed, match="unreadable"):
            await outbound.request("GET", f"http://127.0.0.1:{port}/", timeout_s=5.0, max_bytes=1_000_000)


async def test_an_answer_that_drips_ends_at_the_timeout() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x")
                await asyncio.sleep(0.05)
        return response

    async with serving(drip) as port, Outbound(Egress.parse("127.0.0.1")) as outbound:
        with pytest.raises(OutboundFailed, match="timeout"):
            await outbound.request("GET", f"http://127.0.0.1:{port}/", timeout_s=0.3, max_bytes=1000)


async def test_a_server_that_is_not_there_and_one_that_speaks_no_http_have_their_own_reasons() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Outbound(Egress.parse("127.0.0.1")) as outbound:
        with pytest.raises(OutboundFailed, match="unreadable"):
            await outbound.request("GET", f"http://127.0.0.1:{port}/", **LIMITS)
        server.close()
        await server.wait_closed()
        with pytest.raises(OutboundFailed, match="unreachable"):
            await outbound.request("GET", f"http://127.0.0.1:{port}/", **LIMITS)


async def test_a_name_that_does_not_resolve_is_refused() -> None:
    async with Outbound(Egress(), Names([])) as outbound:
        with pytest.raises(EgressRefused, match="does not resolve"):
            await outbound.check("https://nowhere.example/")


async def test_a_driver_gets_an_address_to_dial_and_the_name_to_verify() -> None:
    async with Outbound(Egress.parse("db.internal"), Names(["127.0.0.1"])) as outbound:
        found = await outbound.dialable("DB.internal.", 5432)
        assert (found.host, found.address, found.port) == ("db.internal", "127.0.0.1", 5432)
        for port in (0, 65_536, -1):
            with pytest.raises(EgressRefused, match="port"):
                await outbound.dialable("db.internal", port)
        for host in ("127.1", "a b", "", "fe80::1%lo", "db.internal/x", "/var/run/socket"):
            with pytest.raises(EgressRefused):
                await outbound.dialable(host, 5432)


async def test_no_cookie_is_kept_and_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    async def cookie(request: web.Request) -> web.Response:
        return web.Response(text=request.headers.get("Cookie", "none"), headers={"Set-Cookie": "a=b"})

    async with serving(cookie) as port, Outbound(Egress.parse("127.0.0.1")) as outbound:
        for _ in range(2):
            answer = await outbound.request("GET", f"http://127.0.0.1:{port}/", **LIMITS)
            assert answer.body == b"none"


async def test_the_certificate_is_verified_for_the_name_although_the_address_is_dialled(tmp_path: Path) -> None:
    trusted = ssl.create_default_context(cadata=certificate(tmp_path, "api.internal"))
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    async with serving(echo, served) as port:
        async with Outbound(Egress.parse("*.internal"), Names(["127.0.0.1"]), trusted) as outbound:
            answer = await outbound.request("GET", f"https://api.internal:{port}/", **LIMITS)
            assert answer.status == 200
            with pytest.raises(OutboundFailed, match="unreachable"):
                await outbound.request("GET", f"https://other.internal:{port}/", **LIMITS)
        async with Outbound(Egress.parse("*.internal"), Names(["127.0.0.1"])) as outbound:
            with pytest.raises(OutboundFailed, match="unreachable"):
                await outbound.request("GET", f"https://api.internal:{port}/", **LIMITS)
