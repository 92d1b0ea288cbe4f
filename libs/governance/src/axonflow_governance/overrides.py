"""Overrides at judge time: which of them hold for a caller now, and the view of the compiled set that follows.

Views share the compiled engine. One is made for each group of callers with the same overrides, kept until the set or
the overrides change, and made anew when one of its overrides runs out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from axonflow_policy import PolicyOverride, PolicySet

# Views hold some hundred small objects each; beyond this many, all are dropped and made again as they are needed.
MOST_VIEWS = 1024


class StoredOverride(NamedTuple):
    """An override that somebody wrote and nobody ended.

    Attributes:
        tenant_id: None: for every tenant of the organisation.
        policy_id: slug of the system policy.
        expires_at: when it ends by itself; None never.
    """

    org_id: str
    tenant_id: str | None
    policy_id: str
    override: PolicyOverride
    expires_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether its time has not run out."""
        return self.expires_at is None or now < self.expires_at


Scope = tuple[str, str | None]


class OverrideBook:
    """Every override of the deployment, by who it is for."""

    def __init__(self, overrides: Iterable[StoredOverride] = ()) -> None:
        by_scope: defaultdict[Scope, list[StoredOverride]] = defaultdict(list)
        for override in overrides:
            by_scope[override.org_id, override.tenant_id].append(override)
        self._by_scope: Mapping[Scope, list[StoredOverride]] = dict(by_scope)

    def scope_of(self, org_id: str, tenant_id: str) -> Scope | None:
        """The group of callers that shares a view: the tenant if it has overrides, else its organisation, else none."""
        for scope in ((org_id, tenant_id), (org_id, None)):
            if scope in self._by_scope:
                return scope
        return None

    def holding(self, scope: Scope, now: datetime) -> tuple[dict[str, PolicyOverride], datetime | None]:
        """The overrides of a scope by policy id, the tenant's own before its organisation's; and when the next ends."""
        org_id, tenant_id = scope
        levels = [(org_id, None)] if tenant_id is None else [(org_id, None), (org_id, tenant_id)]
        held = [each for level in levels for each in self._by_scope.get(level, ()) if each.holds(now)]
        ends = [each.expires_at for each in held if each.expires_at is not None]
        return {each.policy_id: each.override for each in held}, min(ends, default=None)


class View(NamedTuple):
    """A set under overrides, good until ``until``."""

    policy_set: PolicySet
    until: datetime | None


class Views:
    """The views of one compiled set under one book; made again whole when either is swapped.

    Args:
        base: the set without overrides.
        book: the overrides.
        made: told of each new view, with the organisation it is for.
    """

    def __init__(self, base: PolicySet, book: OverrideBook, made: Callable[[str, PolicySet], None]) -> None:
        self.base = base
        self.book = book
        self._made = made
        self._views: dict[Scope, View] = {}

    def of(self, org_id: str, tenant_id: str) -> PolicySet:
        """The set that judges a caller now."""
        scope = self.book.scope_of(org_id, tenant_id)
        if scope is None:
            return self.base
        now = datetime.now(UTC)
        view = self._views.get(scope)
        if view is None or (view.until is not None and now >= view.until):
            view = self._make(scope, now)
        return view.policy_set

    def _make(self, scope: Scope, now: datetime) -> View:
        overrides, until = self.book.holding(scope, now)
        policy_set = self.base.with_overrides(overrides) if overrides else self.base
        if len(self._views) >= MOST_VIEWS:
            self._views.clear()
        view = View(policy_set, until)
        self._views[scope] = view
        if policy_set is not self.base:
            self._made(scope[0], policy_set)
        return view
