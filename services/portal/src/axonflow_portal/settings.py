"""Every variable that the portal reads."""

from __future__ import annotations

import dataclasses

from axonflow_settings import ServiceSettings, variable
from axonflow_settings.core import duration_s, http_url, integer, words


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortalSettings(ServiceSettings):
    """The common variables and the portal's own."""

    # Nobody signs in yet, so an address that the network reaches has to be asked for, as the container image does.
    host: str = variable(
        "HOST", "Address to listen on; the portal's is loopback until it has sign-in.", default="127.0.0.1"
    )
    port: int = variable("PORT", "Port to listen on.", integer(1, 65535), 8082)
    agent_url: str = variable(
        "AGENT_URL", "Where the portal reads policies, gaps and circuits.", http_url, "http://localhost:8080"
    )
    orchestrator_url: str = variable(
        "ORCHESTRATOR_URL",
        "Where the portal reads the record of decisions.",
        http_url,
        "http://localhost:8081",
    )
    backend_timeout_s: float = variable(
        "AXONFLOW_PORTAL_BACKEND_TIMEOUT",
        "How long a page waits for one answer of the agent or the orchestrator.",
        duration_s,
        10.0,
        default_text="10s",
    )
    allowed_hosts: tuple[str, ...] = variable(
        "AXONFLOW_PORTAL_ALLOWED_HOSTS",
        "Host names, comma-separated, that the portal answers to besides loopback ones. There is no sign-in yet: "
        "whoever reaches an allowed name reads the policies and the record.",
        words,
        (),
    )
