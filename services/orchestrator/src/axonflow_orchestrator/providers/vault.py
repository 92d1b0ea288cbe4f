"""Keys on their way into and out of the database: sealed for one provider of one organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_sealing import CannotOpen, Sealer, SealingContext, SealingUnavailable
from axonflow_settings import Secret

from axonflow_orchestrator.providers.records import Row

PURPOSE = "llm_provider.credentials"


class KeysLocked(Exception):
    """The keys of a provider were sealed under a key that this deployment does not have."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens what a provider is called with: its key, and its type's secret settings."""

    sealer: Sealer

    def seal(self, secrets: Mapping[str, Secret], *, org_id: str, provider_id: str) -> bytes | None:
        """The sealed form; None where there is nothing to seal.

        Raises:
            Fault: 503, the deployment has no sealing key, so nothing secret can be kept.
        """
        if not secrets:
            return None
        clear = msgspec.json.encode({name: secret.reveal() for name, secret in secrets.items()})
        try:
            return self.sealer.seal(clear, context=SealingContext(org_id, PURPOSE, provider_id))
        except SealingUnavailable as error:
            raise Fault(503, str(error)) from error

    def open(self, row: Row) -> dict[str, Secret]:
        """The secrets in clear, for the moment of opening a provider.

        Raises:
            KeysLocked: they cannot be opened with the keys given.
        """
        if row.credentials is None:
            return {}
        try:
            opened = self.sealer.open(row.credentials, context=SealingContext(row.org_id, PURPOSE, row.id))
        except (SealingUnavailable, CannotOpen) as error:
            raise KeysLocked("The key of this provider cannot be opened with the sealing keys given") from error
        return {name: Secret(value) for name, value in msgspec.json.decode(opened, type=dict[str, str]).items()}
