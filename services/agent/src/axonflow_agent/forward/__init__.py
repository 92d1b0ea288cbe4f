"""What belongs to the orchestrator and the portal, reached through the agent: an allow-list, signed and streamed."""

from axonflow_agent.forward.allowlist import Allowlist, Entry, Target, default_allowlist
from axonflow_agent.forward.forwarder import Forwarder
from axonflow_agent.forward.routes import is_forwarded, routes

__all__ = ["Allowlist", "Entry", "Forwarder", "Target", "default_allowlist", "is_forwarded", "routes"]
