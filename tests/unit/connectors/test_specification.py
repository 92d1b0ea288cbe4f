"""What an administrator gives is checked field by field; secrets stay out of options, messages and representations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axonflow_connectors import (
    Capability,
    ConnectorFault,
    ConnectorRegistry,
    ConnectorSpec,
    FaultKind,
    Surroundings,
    standard_specs,
)
from axonflow_outbound import Egress, Outbound

SPECS = {spec.type: spec for spec in standard_specs()}
POSTGRES = {"host": "db.example", "database": "d", "username": "u"}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_specification_says_everything_a_catalogue_shows(spec: ConnectorSpec) -> None:
    schema = spec.config_schema()
    assert spec.title
    assert spec.description
    assert spec.category
    assert {Capability.QUERY, Capability.EXECUTE} == spec.capabilities - {Capability.TOOLS}
    assert set(schema["properties"]) == {field.name for field in spec.fields}
    for field in spec.fields:
        assert schema["properties"][field.name].get("writeOnly", False) is field.secret
        assert field.help
        assert not (field.required and field.default is not None)


def test_the_words_of_the_contract_are_the_types() -> None:
    assert set(SPECS) == {"postgres", "mysql", "sqlite", "http", "redis", "s3", "slack", "mcp"}


@pytest.mark.parametrize(
    ("options", "credentials", "names"),
    [
        ({}, {"password": "p"}, "options.host"),
        (POSTGRES, {}, "credentials.password"),
        ({**POSTGRES, "password": "hunter2"}, {}, "password is a credential"),
        ({**POSTGRES, "hots": "x"}, {"password": "p"}, "options.hots is not known"),
        (POSTGRES, {"password": "p", "host": "hunter2"}, "credentials.host is not known"),
        ({**POSTGRES, "port": 0}, {"password": "p"}, "options.port"),
        ({**POSTGRES, "port": 70000}, {"password": "p"}, "options.port"),
        ({**POSTGRES, "port": True}, {"password": "p"}, "options.port"),
        ({**POSTGRES, "port": "5432x"}, {"password": "p"}, "options.port"),
        ({**POSTGRES, "host": ["x"]}, {"password": "p"}, "options.host"),
        ({**POSTGRES, "host": "a\nb"}, {"password": "p"}, "options.host"),
        ({**POSTGRES, "host": "x" * 20_000}, {"password": "p"}, "options.host"),
        ({**POSTGRES, "sslmode": "never"}, {"password": "p"}, "options.sslmode"),
        (POSTGRES, {"password": "hunter2\x00"}, "credentials.password"),
    ],
)
def test_a_fault_names_its_field_and_no_value(options: dict[str, Any], credentials: dict[str, str], names: str) -> None:
    with pytest.raises(ConnectorFault) as fault:
        SPECS["postgres"].configuration("acme", options, credentials)
    assert fault.value.kind is FaultKind.CONFIGURATION
    assert names in fault.value.message
    assert "hunter2" not in fault.value.message


def test_defaults_fill_in_and_secrets_mask_themselves() -> None:
    made = SPECS["postgres"].configuration("acme", {**POSTGRES, "port": "5433"}, {"password": "hunter2"})
    assert made.number("port") == 5433
    assert made.text("sslmode") == "prefer"
    assert made.text("ca_certificate") == ""
    assert made.secret("password") == "hunter2"
    assert "hunter2" not in repr(made)


async def check(type_: str, options: dict[str, Any], credentials: dict[str, str], root: Path | None = None) -> None:
    async with Outbound(Egress.parse("127.0.0.1")) as outbound:
        registry = ConnectorRegistry(standard_specs(), Surroundings(outbound=outbound, sqlite_root=root))
        await registry.check(type_, org_id="acme", options=options, credentials=credentials)


@pytest.mark.parametrize(
    ("type_", "options", "credentials"),
    [
        ("http", {"base_url": "http://127.0.0.1/?x=1"}, {}),
        ("http", {"base_url": "http://127.0.0.1/#x"}, {}),
        ("http", {"base_url": "ftp://127.0.0.1/"}, {}),
        ("http", {"base_url": "http://user@127.0.0.1/"}, {}),
        ("http", {"base_url": "http://127.0.0.1/", "auth": "bearer"}, {}),
        ("http", {"base_url": "http://127.0.0.1/", "auth": "basic"}, {"password": "p"}),
        ("http", {"base_url": "http://127.0.0.1/", "auth": "bearer"}, {"token": "ü"}),
        ("http", {"base_url": "http://127.0.0.1/", "auth": "api_key", "api_key_header": "Host"}, {"api_key": "k"}),
        ("http", {"base_url": "http://127.0.0.1/", "auth": "api_key", "api_key_header": "a:b"}, {"api_key": "k"}),
        ("postgres", {**POSTGRES, "host": "127.0.0.1", "ca_certificate": "no pem"}, {"password": "p"}),
        ("postgres", {**POSTGRES, "host": "127.0.0.1", "sslmode": "verify-ca"}, {"password": "p"}),
        ("s3", {"bucket": "a/b"}, {"access_key_id": "a", "secret_access_key": "s"}),
        ("s3", {"bucket": "abc", "region": "x.evil.example/"}, {"access_key_id": "a", "secret_access_key": "s"}),
        ("s3", {"bucket": "abc", "endpoint": "http://127.0.0.1/x"}, {"access_key_id": "a", "secret_access_key": "s"}),
        ("sqlite", {"path": "x.db"}, {}),
    ],
)
async def test_a_configuration_that_cannot_work_is_refused_at_install(
    type_: str, options: dict[str, Any], credentials: dict[str, str]
) -> None:
    with pytest.raises(ConnectorFault) as fault:
        await check(type_, options, credentials)
    assert fault.value.kind in {FaultKind.CONFIGURATION, FaultKind.REQUEST}


async def test_a_host_that_no_two_readers_agree_on_is_refused_at_install() -> None:
    for host in ("2130706433", "0x7f.1", "127.1", "/var/run/postgresql", "a b", "169.254.169.254", "db,127.0.0.1"):
        with pytest.raises(ConnectorFault) as fault:
            await check("postgres", {**POSTGRES, "host": host}, {"password": "p"})
        assert fault.value.kind is FaultKind.EGRESS


@pytest.mark.parametrize("path", ["../other/x.db", "/etc/passwd", "..", ".", "a/../../other/x.db", "link/x.db"])
async def test_a_file_outside_of_the_organisations_folder_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "acme" / "link").symlink_to(tmp_path / "other")
    with pytest.raises(ConnectorFault, match="leads out"):
        await check("sqlite", {"path": path}, {}, tmp_path)


async def test_two_connectors_of_one_type_are_a_mistake_of_ours() -> None:
    async with Outbound(Egress()) as outbound:
        with pytest.raises(ValueError, match="postgres"):
            ConnectorRegistry([SPECS["postgres"], SPECS["postgres"]], Surroundings(outbound=outbound))
