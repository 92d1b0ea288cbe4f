"""The written policies of one tenant as a process holds them, and the sets that they make with the shared one."""

from __future__ import annotations

from collections.abc import Callable

from axonflow_database import Held, Prints
from axonflow_policy import PolicySet, TenantRules

from axonflow_governance.overrides import OverrideBook, Views


class Layer(Held):
    """One tenant's rules, swapped whole.

    Attributes:
        rules: what judges now; None before the first load, or while what is stored has never been usable.
    """

    __slots__ = ("_base", "_joined", "_joined_rules", "_views", "rules")

    def __init__(self, org_id: str, tenant_id: str) -> None:
        super().__init__(org_id, tenant_id)
        self.rules: TenantRules | None = None
        self._base: PolicySet | None = None
        self._joined_rules: TenantRules | None = None
        self._joined: PolicySet | None = None
        self._views: Views | None = None

    def print_in(self, prints: Prints) -> tuple[str | None, str | None]:
        """The state of this tenant's rows, its organisation's first."""
        own = (self.org_id, "tenant", self.tenant_id)
        return prints.get((self.org_id, "organization", "")), prints.get(own)

    def over(
        self, base: PolicySet, book: OverrideBook | None, made: Callable[[str, PolicySet], None]
    ) -> PolicySet | None:
        """The set that judges this tenant's calls: the shared one, these rules, then overrides; None without rules.

        Joining takes a millisecond, once for each swap of either; ``made`` is told of each new set.

        Raises:
            InvalidPolicy: a written policy has the id of a shared one.
        """
        rules = self.rules
        if rules is None or not rules.policies:
            return None
        joined = self._joined
        if joined is None or self._base is not base or self._joined_rules is not rules:
            joined = base.joined(rules)
            self._base, self._joined_rules, self._joined = base, rules, joined
            made(self.org_id, joined)
        if book is None:
            return joined
        views = self._views
        if views is None or views.base is not joined or views.book is not book:
            views = self._views = Views(joined, book, made)
        return views.of(self.org_id, self.tenant_id)
