"""Which addresses may be dialled for somebody who is not the operator: pure rules over IP addresses."""

from __future__ import annotations

import dataclasses
import ipaddress

from axonflow_outbound.hosts import Address, parse_host

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# The IANA special-purpose registries (RFC 6890 and its updates), written out, since `ipaddress.is_global` changes with
# the Python release; besides, what clouds answer on outside of them.
_REFUSED = (
    ("this network", "0.0.0.0/8"),
    ("private", "10.0.0.0/8"),
    ("shared", "100.64.0.0/10"),
    ("loopback", "127.0.0.0/8"),
    ("private", "172.16.0.0/12"),
    ("reserved", "192.0.0.0/24"),
    ("documentation", "192.0.2.0/24"),
    ("6to4 relay", "192.88.99.0/24"),
    ("private", "192.168.0.0/16"),
    ("benchmarking", "198.18.0.0/15"),
    ("documentation", "198.51.100.0/24"),
    ("documentation", "203.0.113.0/24"),
    ("reserved", "240.0.0.0/4"),
    ("unspecified or IPv4-compatible", "::/96"),
    ("local translation", "64:ff9b:1::/48"),
    ("discard-only", "100::/64"),
    ("discard-only", "100:0:0:1::/64"),
    ("Teredo and protocol assignments", "2001::/23"),
    ("documentation", "2001:db8::/32"),
    ("6to4", "2002::/16"),
    ("documentation", "3fff::/20"),
    ("segment routing", "5f00::/16"),
    ("private", "fc00::/7"),
    ("site-local", "fec0::/10"),
)
# Not lifted by naming a host, only by a CIDR: whoever answers for the name could otherwise reach a cloud's credentials.
_GUARDED = (
    ("link-local or metadata", "169.254.0.0/16"),
    ("metadata", "100.100.100.200/32"),
    ("metadata", "168.63.129.16/32"),
    ("metadata", "192.0.0.192/32"),
    ("multicast", "224.0.0.0/4"),
    ("broadcast", "255.255.255.255/32"),
    ("unspecified", "0.0.0.0/32"),
    ("unspecified", "::/128"),
    ("link-local", "fe80::/10"),
    ("metadata", "fd00:ec2::/32"),
    ("metadata", "fd20:ce::254/128"),
    ("multicast", "ff00::/8"),
)


def _table(rows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, Network], ...]:
    return tuple((name, ipaddress.ip_network(cidr)) for name, cidr in rows)


REFUSED, GUARDED = _table(_REFUSED), _table(_GUARDED)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclasses.dataclass(frozen=True, slots=True)
class Egress:
    """What the operator opened beyond the public Internet (``AXONFLOW_EGRESS_ALLOW``, rulings §8)."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Egress:
        """A comma-separated list: ``10.1.0.0/16``, ``192.168.7.4``, ``db.internal``, ``*.corp.example``.

        Raises:
            ValueError: with a phrase that completes "AXONFLOW_EGRESS_ALLOW must be …".
        """
        networks, hosts, suffixes = [], set(), []
        for entry in filter(None, (part.strip().lower() for part in text.split(","))):
            try:
                if "/" in entry:
                    networks.append(ipaddress.ip_network(entry))
                    continue
                host = parse_host(entry.removeprefix("*."))
            except ValueError:
                raise ValueError(f"a comma-separated list of CIDRs, addresses and hosts; {entry!r} is none") from None
            if not isinstance(host, str):
                networks.append(ipaddress.ip_network(host))
            elif entry.startswith("*."):
                suffixes.append(f".{host}")
            else:
                hosts.add(host)
        return cls(tuple(networks), frozenset(hosts), tuple(suffixes))

    def refusal(self, host: str | None, address: Address) -> str | None:
        """The kind of range that ``address`` may not be dialled for, or None.

        Args:
            host: the name that it was resolved from; None for an address given as such.
            address: the very address to dial.
        """
        target = _embedded(address)
        if any(_within(candidate, network) for network in self.networks for candidate in {address, target}):
            return None
        if name := _found(GUARDED, target):
            return name
        if host is not None and self._names(host):
            return None
        return _found(REFUSED, target)

    def _names(self, host: str) -> bool:
        return host in self.hosts or any(host.endswith(suffix) for suffix in self.suffixes)


def _found(table: tuple[tuple[str, Network], ...], address: Address) -> str | None:
    return next((name for name, network in table if _within(address, network)), None)


def _embedded(address: Address) -> Address:
    """The IPv4 address that packets to a mapped or translated (NAT64) one go to; else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network
