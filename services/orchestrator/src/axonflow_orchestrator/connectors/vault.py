"""Credentials on their way into and out of the database: sealed for one connector of one organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from axonflow_contracts.connectors import CREDENTIALS_PURPOSE
from axonflow_contracts.errors import Fault
from axonflow_sealing import CannotOpen, Sealer, SealingContext, SealingUnavailable


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens credentials."""

    sealer: Sealer

    def seal(self, credentials: Mapping[str, str], *, org_id: str, connector_id: str) -> bytes | None:
        """The sealed form; None where there is nothing to seal.

        Raises:
            Fault: 503, the deployment has no sealing key, so nothing secret can be kept.
        """
        if not credentials:
            return None
        try:
            return self.sealer.seal(msgspec.json.encode(credentials), context=_context(org_id, connector_id))
        except SealingUnavailable as error:
            raise Fault(503, str(error)) from error

    def open(self, sealed: bytes | None, *, org_id: str, connector_id: str) -> dict[str, str]:
        """The credentials in clear, for the moment of opening a connector.

        Raises:
            Fault: 503, they were sealed under a key that is not given.
        """
        if sealed is None:
            return {}
        try:
            opened = self.sealer.open(sealed, context=_context(org_id, connector_id))
        except (SealingUnavailable, CannotOpen) as error:
            raise Fault(503, "The credentials of this connector cannot be opened with the keys given") from error
        return msgspec.json.decode(opened, type=dict[str, str])


def _context(org_id: str, connector_id: str) -> SealingContext:
    return SealingContext(org_id=org_id, purpose=CREDENTIALS_PURPOSE, row_id=connector_id)
