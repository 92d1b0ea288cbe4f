"""Which ports the product takes on this machine, and whether they are free.

Standard library only, since ``deploy/up.py`` reads it before anything is installed.
"""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Mapping

from axonflow_native.refusal import CannotStart

LOOPBACK = "127.0.0.1"
EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - recognised, not bound


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """One TCP port each; every field is set by the variable named in ``VARIABLES``."""

    agent: int = 8080
    orchestrator: int = 8081
    portal: int = 8082
    postgres: int = 5432


VARIABLES = {field.name: f"{field.name.upper()}_PORT" for field in dataclasses.fields(Ports)}


def read_ports(environ: Mapping[str, str]) -> Ports:
    """The ports that ``environ`` asks for.

    Raises:
        CannotStart: one is no port, or two are the same; every fault is named.
    """
    values: dict[str, int] = {}
    faults: list[str] = []
    owner: dict[int, str] = {}
    for field in dataclasses.fields(Ports):
        variable = VARIABLES[field.name]
        text = environ.get(variable, "").strip() or str(field.default)
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
            faults.append(f"{variable} must be a port from 1 to 65535, not {text!r}.")
            continue
        values[field.name] = port = int(text)
        if port in owner:
            faults.append(f"{owner[port]} and {variable} are both {port}: give each its own.")
        owner.setdefault(port, variable)
    if faults:
        raise CannotStart(" ".join(faults))
    return Ports(**values)


def listening_host(environ: Mapping[str, str]) -> str:
    """The address that services bind: ``HOST``, else loopback."""
    return environ.get("HOST", "").strip() or LOOPBACK


def reachable_host(environ: Mapping[str, str]) -> str:
    """The address under which this machine reaches its own services."""
    host = listening_host(environ)
    if host in EVERYWHERE:
        return LOOPBACK
    return f"[{host}]" if ":" in host else host


def service_urls(environ: Mapping[str, str], ports: Ports) -> dict[str, str]:
    """``AGENT_URL``, ``ORCHESTRATOR_URL`` and ``PORTAL_URL`` as this machine reaches them."""
    host = reachable_host(environ)
    return {
        "AGENT_URL": f"http://{host}:{ports.agent}",
        "ORCHESTRATOR_URL": f"http://{host}:{ports.orchestrator}",
        "PORTAL_URL": f"http://{host}:{ports.portal}",
    }


def require_free(wanted: Mapping[str, int], host: str) -> None:
    """Check that nothing listens on the ports ``wanted``, by service name.

    Raises:
        CannotStart: one or more are taken, or the address is not this machine's; names the variables to set.
    """
    faults = [fault for name, port in wanted.items() if (fault := _fault(VARIABLES[name], port, host))]
    if faults:
        raise CannotStart("\n".join(faults))


def _fault(variable: str, port: int, host: str) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return f"Port {port} needs rights that you do not have. Set {variable} to one above 1023."
        except OSError as error:
            if error.errno in _NOT_OURS:
                return f"HOST={host} is not an address of this machine."
            other = port + 10_000 if port < 55_000 else port - 10_000
            return f"Port {port} is taken by another program. Set {variable} to a free one: {variable}={other} make up"
    return ""


_NOT_OURS = frozenset({99, 49, -2, -3, -5})  # EADDRNOTAVAIL on Linux and macOS, and the resolver's EAI codes
