"""How a host may be written: as a DNS name or an IP address, in forms that no two readers understand differently."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST_NAME = 253
# Letters, digits, hyphens (RFC 1123); the underscore is common among container names.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


class HostInvalid(ValueError):
    """The text names no host in a form that is taken; the message completes "The address …"."""


def parse_host(text: str) -> str | Address:
    """A DNS name in lower case without its last dot, or an address.

    Refused are ``127.1``, ``0x7f000001`` and ``2130706433`` (some readers take them for addresses), IPv6 zones, and
    names outside ASCII (their ``xn--`` form is taken).

    Raises:
        HostInvalid: with a phrase that says what is wrong.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in bare or bare is not text:
        return _ipv6(bare)
    name = bare.lower().removesuffix(".")
    if _NUMBER.fullmatch(name.rsplit(".", 1)[-1]):
        return _ipv4(name)
    if not name.isascii():
        raise HostInvalid("has a host outside ASCII: write its xn-- form")
    if not name or len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise HostInvalid("has no well-formed host")
    return name


def _ipv4(text: str) -> Address:
    try:
        return ipaddress.IPv4Address(text)  # four decimal numbers without leading zeros, and nothing else
    except ValueError:
        raise HostInvalid("has a host that ends in a number but is no dotted IPv4 address") from None


def _ipv6(text: str) -> Address:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise HostInvalid("has no well-formed IPv6 address") from None
    if address.scope_id is not None:
        raise HostInvalid("names an IPv6 zone")
    return address


def parse_url(text: str) -> tuple[str, str | Address, int]:
    """Scheme, host and port of an absolute http or https address.

    Raises:
        HostInvalid: another scheme, credentials before the host, white space, a backslash, no host, or no port to dial.
    """
    if _UNSAFE.search(text) or not text.isascii():
        raise HostInvalid("holds white space, a backslash or a character outside ASCII")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise HostInvalid("is not well-formed") from None
    if parts.scheme not in _PORTS:
        raise HostInvalid("is neither http:// nor https://")
    if "@" in parts.netloc:
        raise HostInvalid("holds credentials or an @ before its host")
    if "%" in parts.netloc or not parts.hostname:
        raise HostInvalid("has no well-formed host")
    if port == 0:
        raise HostInvalid("has port 0")
    host = parts.netloc.rsplit(":", 1)[0] if port is not None else parts.netloc.removesuffix(":")
    return parts.scheme, parse_host(host), port or _PORTS[parts.scheme]
