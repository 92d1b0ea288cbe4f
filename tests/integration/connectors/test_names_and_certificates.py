"""A name is resolved once for each dial, the address that was checked is dialled, and the certificate is the name's."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from axonflow_connectors import Call, ConnectorFault, ConnectorRegistry, FaultKind, Surroundings, standard_specs
from axonflow_outbound import Address, Egress, Outbound
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.data_servers import PASSWORD, running_redis

NAME = "cache.internal"
PING = Call(statement="PING")


class Names:
    """Answers in turn; the last one stays."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def __call__(self, _name: str) -> list[Address]:
        return [ipaddress.ip_address(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])]


def certificate(folder: Path) -> str:
    """A certificate for ``NAME`` that signs itself, and its key, as files; gives the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "axonflow tests")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    text = made.public_bytes(serialization.Encoding.PEM).decode()
    (folder / "certificate.pem").write_text(text)
    return text


@pytest.fixture(scope="module")
def tls_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    folder = tmp_path_factory.mktemp("tls")
    text = certificate(folder)
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
