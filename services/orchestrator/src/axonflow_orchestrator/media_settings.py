"""Variables of media governance (orchestrator contract section 1.12)."""

from __future__ import annotations

import dataclasses

from axonflow_settings import Secret, variable
from axonflow_settings.core import boolean, duration_s, http_url, secret


@dataclasses.dataclass(frozen=True, kw_only=True)
class MediaSettings:
    """What the operator says about images in requests."""

    media_governance_enabled: bool | None = variable(
        "MEDIA_GOVERNANCE_ENABLED",
        "Whether images are taken in proxied requests; `false` outranks every tenant's choice.",
        boolean,
        None,
        default_text="false in community, true otherwise",
    )
    media_analyzer_url: str = variable(
        "MEDIA_ANALYZER_URL",
        "An analyser of yours that is sent each picture and answers what is in it; without one nobody looks.",
        http_url,
        "",
    )
    media_analyzer_key: Secret = variable(
        "MEDIA_ANALYZER_KEY", "Sent to the analyser as a bearer token.", secret, Secret("")
    )
    media_analyzer_timeout_s: float = variable(
        "MEDIA_ANALYZER_TIMEOUT",
        "How long the analyser has for one picture; then the call is refused.",
        duration_s,
        10.0,
        default_text="10s",
    )
