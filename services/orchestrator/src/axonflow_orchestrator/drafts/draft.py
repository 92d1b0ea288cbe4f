"""A draft as the engine judges it: pure, made once for each run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import STATIC_CATEGORIES
from axonflow_contracts.verdicts import Action, Severity, Tier
from axonflow_governance.rebuilding import Layers
from axonflow_policy import InvalidRule, Policy, PolicyOverride, PolicySet, RuleSet, TenantRules
from axonflow_policy.engines import PatternRefused, regexp
from axonflow_policy.lint import EVERYTHING, finds_everything

from axonflow_orchestrator.drafts.bodies import LONGEST_PATTERN, DraftBody, DraftPolicy

ORIGIN = "draft"
HIGHEST_PRIORITY = 1000


class Draft(NamedTuple):
    """What would change.

    Attributes:
        before: tenants' policies that the draft changes, as they are.
        after: the same as they would be, and the new ones; those that would be off are left out.
        overrides: of the product's policies, by id.
        rules: dynamic policies that would be added; None without any.
        touched: ids of every static policy that the draft names.
    """

    before: tuple[Policy, ...]
    after: tuple[Policy, ...]
    overrides: dict[str, PolicyOverride]
    rules: RuleSet | None
    touched: frozenset[str]


class Pair(NamedTuple):
    """The set in force and the set of the draft, for one family of planes."""

    now: PolicySet
    then: PolicySet


def draft_of(body: DraftBody, layers: Layers) -> Draft:
    """The draft against what a tenant has now (``layers``, with its own policies).

    Raises:
        Fault: 400, a policy or a rule cannot be what it is drafted as.
    """
    system = {row.id for row in layers.shared.compiled}
    own = {row.id: row for row in layers.own}
    before, after, overrides = [], [], {}
    for number, each in enumerate(body.policies, start=1):
        if each.policy_id in system:
            overrides[each.policy_id] = _override(each)
            continue
        known = own.get(each.policy_id or "")
        if known is not None:
            before.append(known)
        drafted = _drafted(each, known, each.policy_id or f"draft_{number}")
        if drafted.enabled:
            after.append(drafted)
    named = [*overrides, *(row.id for row in before), *(row.id for row in after)]
    if len({*overrides, *(row.id for row in after)}) != len(overrides) + len(after):
        raise Fault(400, "policies: two of them have the same policy_id")
    try:
        rules = RuleSet.compile(body.rules) if body.rules else None
    except InvalidRule as error:
        raise Fault(400, f"rules: {error.rule_id}: {error}") from error
    return Draft(tuple(before), tuple(after), overrides, rules, frozenset(named))


def pair_of(draft: Draft, layers: Layers, *, tenant_rules: bool) -> Pair:
    """Both sets; where a plane does not judge by tenants' policies, only those of the draft are added to either.

    Raises:
        InvalidPolicy: they do not go together.
    """
    changed = {row.id for row in (*draft.before, *draft.after)}
    others = tuple(row for row in layers.own if row.id not in changed) if tenant_rules else ()
    merged = {**layers.overrides}
    for policy_id, override in draft.overrides.items():
        held = merged.get(policy_id)
        merged[policy_id] = override if held is None else _merged(held, override)
    now = Layers(layers.shared, (*others, *draft.before), layers.overrides).set()
    return Pair(now, Layers(layers.shared, (*others, *draft.after), merged).set())


def scanned_for(draft: Draft, pair: Pair) -> PolicySet | None:
    """The policies that recorded matches tell nothing of, by themselves: new, or with another pattern, or off before.

    None where there are none: then the record's matches tell all that the draft would change.
    """
    patterns = {row.id: row.pattern for row in draft.before}
    rows = [row for row in draft.after if patterns.get(row.id) != row.pattern]
    judged = {row.id for row in pair.now.policies}
    rows += [row for row in pair.then.compiled if row.id in draft.overrides and row.id not in judged]
    if not rows:
        return None
    switched_on = [msgspec.structs.replace(row, enabled=True) for row in rows]
    rules = TenantRules.by_re2(switched_on)
    alone = PolicySet(rules.policies, rules.patterns, pair.then.posture, rules.engine, compiled_from_dump=False)
    return alone.with_overrides(draft.overrides)


def _override(each: DraftPolicy) -> PolicyOverride:
    given = {name for name, value in msgspec.structs.asdict(each).items() if value is not None}
    if not given - {"policy_id"} or given - {"policy_id", "action", "enabled"}:
        raise Fault(400, f"policies: of {each.policy_id}, which is the product's, action and enabled can be drafted")
    return PolicyOverride(ORIGIN, each.action, each.enabled)


def _merged(held: PolicyOverride, draft: PolicyOverride) -> PolicyOverride:
    enabled = held.enabled if draft.enabled is None else draft.enabled
    return PolicyOverride(ORIGIN, draft.action or held.action, enabled)


def _drafted(each: DraftPolicy, known: Policy | None, policy_id: str) -> Policy:
    if known is None and not (each.pattern and each.action):
        there_is = f"there is no policy {each.policy_id} of this tenant" if each.policy_id else "a new one"
        raise Fault(400, f"policies: {there_is}: pattern and action are required")
    base = known or Policy(
        id=policy_id,
        name=each.name or policy_id,
        category="custom",
        severity=Severity.MEDIUM,
        priority=50,
        pattern="",
        reason=each.name or policy_id,
        action=each.action or Action.BLOCK,
        tier=Tier.TENANT,
    )
    fields = ("name", "pattern", "category", "action", "severity", "priority", "enabled")
    given = {name: getattr(each, name) for name in fields if getattr(each, name) is not None}
    drafted = msgspec.structs.replace(base, **given)
    _check(drafted, each)
    if each.action is None:
        return drafted
    return msgspec.structs.replace(drafted, action_request=None, action_response=None)


def _check(drafted: Policy, each: DraftPolicy) -> None:
    if drafted.category not in STATIC_CATEGORIES:
        raise Fault(400, f"policies: {drafted.id}: Invalid policy category")
    if not 0 <= drafted.priority <= HIGHEST_PRIORITY:
        raise Fault(400, f"policies: {drafted.id}: priority must be 0 to {HIGHEST_PRIORITY}")
    if each.pattern is not None:
        problem = _pattern_problem(each.pattern)
        if problem:
            raise Fault(400, f"policies: {drafted.id}: Invalid regex pattern: {problem}")


def _pattern_problem(pattern: str) -> str:
    if len(pattern) > LONGEST_PATTERN:
        return f"longer than {LONGEST_PATTERN} characters"
    try:
        compiled = regexp(pattern)
    except PatternRefused as error:
        return str(error)
    return EVERYTHING if finds_everything(compiled.search) else ""


def strongest(actions: Iterable[tuple[Action, str]]) -> tuple[Action | None, str]:
    """The strongest action and the policy that asks for it."""
    return max(actions, key=lambda each: each[0].strength, default=(None, ""))
