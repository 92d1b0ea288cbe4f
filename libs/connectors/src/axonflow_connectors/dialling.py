"""How every connector reaches its server: through the deployment's egress rules, at the address just checked."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator

from axonflow_outbound import Dialable, EgressRefused, Outbound, OutboundFailed

from axonflow_connectors.faults import ConnectorFault, FaultKind

_REASONS = {
    "unreachable": (FaultKind.UNREACHABLE, "The server of this connector cannot be reached"),
    "timeout": (FaultKind.TIMEOUT, "The server of this connector did not answer in time"),
    "oversize": (FaultKind.TOO_LARGE, "The answer is larger than the byte limit"),
    "unreadable": (FaultKind.FAILED, "The server of this connector gave an answer that cannot be read"),
}


async def dial_target(outbound: Outbound, host: str, port: int) -> Dialable:
    """The address to dial now.

    Raises:
        ConnectorFault: of kind egress.
    """
    with outbound_faults():
        return await outbound.dialable(host, port)


@contextlib.contextmanager
def outbound_faults() -> Iterator[None]:
    """Turn what ``axonflow_outbound`` raises into faults of a connector."""
    try:
        yield
    except EgressRefused as refused:
        raise ConnectorFault(FaultKind.EGRESS, refused.message) from refused
    except OutboundFailed as failed:
        kind, message = _REASONS[failed.reason]
        raise ConnectorFault(kind, message) from failed


def unreachable(cause: BaseException) -> ConnectorFault:
    """The fault for a connection that did not come about or broke."""
    fault = ConnectorFault(*_REASONS["unreachable"])
    fault.__cause__ = cause
    return fault


def tls_context(ca_certificate: str, *, verify: bool) -> ssl.SSLContext:
    """TLS to a server: verified by name against the given authority or the system's, or encrypted only.

    Raises:
        ConnectorFault: of kind configuration; the certificate cannot be read.
    """
    try:
        context = ssl.create_default_context(cadata=ca_certificate or None)
    except (ssl.SSLError, ValueError) as error:
        raise ConnectorFault(FaultKind.CONFIGURATION, "options.ca_certificate is no certificate in PEM") from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
