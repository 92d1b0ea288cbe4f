"""Which addresses may be dialled: the special ranges are refused in every disguise, and opened by name or by range."""

from __future__ import annotations

import ipaddress

import pytest
from axonflow_outbound import Egress
from axonflow_settings import SettingsError
from support.postgres import service_settings

CLOSED = Egress()


def refused(egress: Egress, address: str, host: str | None = None) -> bool:
    return egress.refusal(host, ipaddress.ip_address(address)) is not None


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address to refuse, bound by nobody
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "fc00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_a_special_range_is_refused(address: str) -> None:
    assert refused(CLOSED, address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_the_public_internet_is_open(address: str) -> None:
    assert not refused(CLOSED, address)


def test_a_range_opens_itself_and_what_is_mapped_to_it_alone() -> None:
    egress = Egress.parse("10.1.0.0/16, 192.168.7.4")
    assert not refused(egress, "10.1.200.3")
    assert not refused(egress, "::ffff:10.1.200.3")
    assert not refused(egress, "192.168.7.4")
    assert refused(egress, "10.2.0.1")
    assert refused(egress, "192.168.7.5")


def test_a_host_opens_private_ranges_for_itself_but_never_metadata() -> None:
    egress = Egress.parse("DB.internal, *.corp.example")
    assert not refused(egress, "10.0.0.1", "db.internal")
    assert not refused(egress, "127.0.0.1", "db.internal")
    assert not refused(egress, "192.168.0.1", "a.b.corp.example")
    assert refused(egress, "10.0.0.1", "corp.example")
    assert refused(egress, "10.0.0.1", "evilcorp.example")
    assert refused(egress, "10.0.0.1", "xdb.internal")
    assert refused(egress, "10.0.0.1")
    for guarded in ("169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "224.0.0.1", "::", "fd00:ec2::254"):
        assert refused(egress, guarded, "db.internal")


def test_a_range_opens_even_metadata_when_the_operator_says_so() -> None:
    assert not refused(Egress.parse("169.254.169.254/32"), "169.254.169.254")


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "300.1.1.1", "a b", "http://x", "10.0.0.0/33", "x/8", "*", "127.1", "ü.de"]
)
def test_an_entry_that_is_nothing_is_refused_at_start_and_by_the_rules(text: str) -> None:
    with pytest.raises(ValueError, match="a comma-separated list"):
        Egress.parse(text)
    with pytest.raises(SettingsError, match="AXONFLOW_EGRESS_ALLOW must be a comma-separated list"):
        service_settings("postgresql://nowhere", AXONFLOW_EGRESS_ALLOW=text)


@pytest.mark.parametrize("text", ["", "10.0.0.0/8", " db , *.corp.example,::1, fd00::/8 ", "a_b.internal", "10.0.0.7"])
def test_what_the_settings_take_the_rules_take(text: str) -> None:
    assert service_settings("postgresql://nowhere", AXONFLOW_EGRESS_ALLOW=text).egress_allow == text.strip()
    Egress.parse(text)
