"""The form of the egress allow-list; what it opens is decided in `libs/outbound`."""

from __future__ import annotations

import ipaddress
import re

_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def egress_list(text: str) -> str:
    """A comma-separated list of CIDRs, addresses, hosts and ``*.suffixes``."""
    for entry in filter(None, (part.strip().lower() for part in text.split(","))):
        try:
            ipaddress.ip_network(entry)
        except ValueError:
            last = entry.rsplit(".", 1)[-1]
            if not _HOST.fullmatch(entry) or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
                raise ValueError(f"a comma-separated list of CIDRs, addresses and hosts; {entry!r} is none") from None
    return text
