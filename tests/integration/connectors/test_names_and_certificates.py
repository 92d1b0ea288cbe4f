"""A name is resolved once for each dial, the address that was checked is dialled, and the certificate is the name's."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Iterator

import pytest
from axonflow_connectors import Call, ConnectorFault, ConnectorRegistry, FaultKind, Surroundings, standard_specs
from axonflow_outbound import Address, Egress, Outbound
from support.certificates import certificate
from support.data_servers import PASSWORD, running_redis

NAME = "cache.internal"
PING = Call(statement="PING")


class Names:
    """Answers in turn; the last one stays."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def __call__(self, _name: str) -> list[Address]:
        return [ipaddress.ip_address(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])]


@pytest.fixture(scope="module")
def tls_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    folder = tmp_path_factory.mktemp("tls")
    text = certificate(folder, NAME)
    lines = [f"tls-cert-file {folder}/certificate.pem", f"tls-key-file {folder}/key.pem", "tls-auth-clients no"]
    with running_redis(*lines) as port:
        yield port, text


async def ping(names: Names, options: dict[str, object], egress: str = NAME) -> None:
    async with Outbound(Egress.parse(egress), names) as outbound:
        registry = ConnectorRegistry(standard_specs(), Surroundings(outbound=outbound))
        connector = await registry.open("redis", org_id="acme", options=options, credentials={"password": PASSWORD})
        try:
            await connector.query(PING)
        finally:
            await connector.close()


async def test_the_certificate_is_verified_for_the_name_although_the_address_is_dialled(
    tls_redis: tuple[int, str],
) -> None:
    port, authority = tls_redis
    options: dict[str, object] = {"host": NAME, "port": port, "tls": "verify", "ca_certificate": authority}
    await ping(Names("127.0.0.1"), options)
    for changed in ({"host": "other.internal"}, {"host": "127.0.0.1"}, {"ca_certificate": ""}):
        given = {name: value for name, value in {**options, **changed}.items() if value}
        with pytest.raises(ConnectorFault) as fault:
            await ping(Names("127.0.0.1"), given, egress="127.0.0.1")
        assert fault.value.kind is FaultKind.UNREACHABLE


async def test_a_name_that_turns_to_another_address_is_refused_at_the_next_dial(redis_port: int) -> None:
    names = Names("127.0.0.1", "169.254.169.254")
    options: dict[str, object] = {"host": NAME, "port": redis_port}
    await ping(names, options)
    with pytest.raises(ConnectorFault) as fault:
        await ping(names, options)
    assert fault.value.kind is FaultKind.EGRESS
    assert "169.254" not in fault.value.message


@pytest.mark.parametrize("type_", ["postgres", "mysql", "redis"])
@pytest.mark.parametrize(
    "babble", [b"", b"\x00" * 200, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 5000, b"E" * 500]
)
async def test_a_server_of_another_kind_is_a_fault_and_nothing_else(type_: str, babble: bytes) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(babble)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    tls = {"postgres": {"sslmode": "disable"}, "mysql": {"tls": "off"}, "redis": {}}[type_]
    named = {} if type_ == "redis" else {"database": "d", "username": "u"}
    options = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], **tls, **named}
    async with server, Outbound(Egress.parse("127.0.0.1")) as outbound:
        registry = ConnectorRegistry(standard_specs(), Surroundings(outbound=outbound))
        connector = await registry.open(type_, org_id="acme", options=options, credentials={"password": "p"})
        health = await connector.health()
        await connector.close()
    assert not health.healthy
    assert "127.0.0.1" not in (health.error or "")
