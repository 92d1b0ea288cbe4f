"""Writes ``docs/settings.md``; ``--check`` only says whether it is what the code says."""

from __future__ import annotations

import sys
from pathlib import Path

from axonflow_agent.settings import AgentSettings
from axonflow_orchestrator.settings import OrchestratorSettings
from axonflow_portal.settings import PortalSettings
from axonflow_settings.reference import render

PAGE = Path(__file__).with_name("settings.md")


def main() -> int:
    """0 when the page is right (or was written), 1 when ``--check`` finds it stale."""
    text = render({"agent": AgentSettings, "orchestrator": OrchestratorSettings, "portal": PortalSettings})
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == text else 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
