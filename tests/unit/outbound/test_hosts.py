"""How hosts may be written: one form each, so that what is checked is what is dialled."""

from __future__ import annotations

import ipaddress

import pytest
from axonflow_outbound import HostInvalid, parse_host, parse_url
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.com.", "example.com"),
        ("db_1.internal", "db_1.internal"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("10.0.0.1", ipaddress.ip_address("10.0.0.1")),
        ("127.0.0.1.", ipaddress.ip_address("127.0.0.1")),
        ("[::1]", ipaddress.ip_address("::1")),
        ("::ffff:127.0.0.1", ipaddress.ip_address("::ffff:127.0.0.1")),
    ],
)
def test_a_host_has_one_form(text: str, host: object) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "256.0.0.1",
        "foo.0x7f",
        "foo.1",
        "fe80::1%eth0",
        "[fe80::1%25eth0]",
        "[10.0.0.1]",
        "[::1",
        "::1]",
        "1:2",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "bücher.example",
        "a..b",
        "-a.example",
        "a-.example",
        "a" * 64,
        ".".join(["abcdefgh"] * 30),
        "",
        ".",
        "a b",
        "a/b",
        "a%2eb",
        "a@b",
        "a\x00b",
        "a\nb",
    ],
)
def test_what_two_readers_could_take_differently_is_no_host(text: str) -> None:
    with pytest.raises(HostInvalid):
        parse_host(text)


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("http://example.com", ("http", "example.com", 80)),
        ("HTTPS://Example.com/a?b#c", ("https", "example.com", 443)),
        ("https://example.com:8443/x@y", ("https", "example.com", 8443)),
        ("http://[::1]:80/", ("http", ipaddress.ip_address("::1"), 80)),
        ("http://example.com:", ("http", "example.com", 80)),
    ],
)
def test_an_address_is_taken_apart(url: str, parsed: object) -> None:
    assert parse_url(url) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com",
        "file:///etc/passwd",
        "gopher://example.com",
        "//example.com",
        "example.com",
        "http://",
        "http:///x",
        "http://user@example.com",
        "http://user:pass@example.com",
        "http://example.com@127.0.0.1",
        "http://example.com\\@127.0.0.1",
        "http://example.com\t/",
        "http://exa mple.com",
        "http://example.com\r\nHost: x",
        "http://[fe80::1%25eth0]/",
        "http://127.0.0.1%00.example.com/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:-1/",
        "http://example.com:80:80/",
        "http://[::1]x/",
        "http://[::1/",
        "http://examplé.com/",
    ],
)
def test_an_address_with_a_trick_in_it_is_refused(url: str) -> None:
    with pytest.raises(HostInvalid):
        parse_url(url)


WORDS = (
    r"http:// https:// HTTP: // / \ @ : ? # [ ] % %40 %2e . .. - _ 127.0.0.1 0x7f 1 017 ::1 fe80::1 example COM "
    r"localhost 80 443 65535 a ; , & = ! ' * + ~ | { }"
)
PIECES = st.sampled_from(WORDS.split())


@given(st.sampled_from(["http://", "https://", ""]), st.lists(PIECES, max_size=8).map("".join))
@example("http://", "example.com:80#@127.0.0.1/")
@example("http://", "example.com?@127.0.0.1/")
@example("http://", "a:80@b")
@example("http://", "[::1]:80/x]")
def test_the_client_dials_the_host_that_was_checked(scheme: str, rest: str) -> None:
    """Two readers take an address apart: ours, which checks, and the client's, which dials."""
    text = scheme + rest
    try:
        read_scheme, host, port = parse_url(text)
    except HostInvalid:
        return
    dialled = URL(text, encoded=True)
    assert dialled.scheme == read_scheme
    assert dialled.port == port
    assert dialled.host is not None
    assert parse_host(dialled.host) == host
