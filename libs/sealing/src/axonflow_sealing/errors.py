"""Why a value could not be sealed or opened; the texts are for operators and hold nothing of the value."""

from __future__ import annotations


class SealingUnavailable(Exception):
    """This deployment has no sealing key, so nothing that must be sealed can be kept."""

    def __init__(self) -> None:
        super().__init__(
            "This deployment has no sealing key, so credentials cannot be kept: set AXONFLOW_SEALING_KEY (32 bytes as "
            "hex or base64; `openssl rand -hex 32` makes one) or AXONFLOW_SEALING_KEY_FILE on all services"
        )


class CannotOpen(Exception):
    """The sealed value was altered, belongs elsewhere, or was sealed under a key that is no longer given."""


class KeyNotGiven(CannotOpen):
    """The sealed value may be sound, but this process was not given the key that it was sealed under."""
