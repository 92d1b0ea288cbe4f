"""HTTP and TCP to addresses that tenants name: checked, pinned, limited, no redirects."""

from axonflow_outbound.egress import Egress
from axonflow_outbound.faults import EgressRefused, OutboundFailed
from axonflow_outbound.hosts import Address, HostInvalid, parse_host, parse_url
from axonflow_outbound.lookup import Lookup, system_lookup
from axonflow_outbound.outbound import Answer, Dialable, Outbound, Streamed

__all__ = [
    "Address",
    "Answer",
    "Dialable",
    "Egress",
    "EgressRefused",
    "HostInvalid",
    "Lookup",
    "Outbound",
    "OutboundFailed",
    "Streamed",
    "parse_host",
    "parse_url",
    "system_lookup",
]
