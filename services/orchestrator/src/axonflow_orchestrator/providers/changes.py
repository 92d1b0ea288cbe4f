"""Who changed or tried which provider: rows of the decision record, written before the change or the call is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from axonflow_audit import AuditLog
from axonflow_contracts.verdicts import Verdict
from axonflow_governance.changes import Author, ChangeRecord

CHANGE, TRIAL = "llm_provider_change", "llm_provider_test"


@dataclass(frozen=True, slots=True)
class ProviderChanges:
    """Writes the rows: names of what changed, never a value, a key or a text."""

    audit: AuditLog

    async def keep(
        self, author: Author, change: str, *, tenant_id: str, name: str, type_: str, parts: Iterable[str]
    ) -> None:
        """Record that a provider is created, updated or deleted.

        Args:
            author: who does it.
            change: created, updated or deleted.
            tenant_id: whose provider it is; empty for the organisation's.
            name: the provider's.
            type_: the provider's.
            parts: members that were given.

        Raises:
            Fault: 503, the row cannot be kept anywhere, so the change must not be made.
        """
        details = {"provider": name, "type": type_, "change": change, "parts": sorted(parts)}
        record = ChangeRecord(self.audit, CHANGE)
        await record.keep(author, f"llm provider {change}", details, tenant_id=tenant_id or None)

    async def keep_trial(
        self, author: Author, *, name: str, type_: str, model: str, own_prompt: bool, refused_by: Iterable[str] = ()
    ) -> None:
        """Record that a provider is tested, or that policies stop a prompt for it.

        Raises:
            Fault: 503, as above: an unrecorded test must not be made.
        """
        policies = sorted(refused_by)
        details = {"provider": name, "type": type_, "model": model, "own_prompt": own_prompt, "policies": policies}
        verdict = Verdict.BLOCKED if policies else Verdict.ALLOWED
        await ChangeRecord(self.audit, TRIAL).keep(author, "llm provider tested", details, verdict=verdict)
