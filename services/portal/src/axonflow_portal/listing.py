"""The unified policy list as a value: filter, sort and count what the backends answered. No I/O, no HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import StaticPolicy, current_category
from axonflow_contracts.verdicts import Action, Severity, Tier

SEVERITY_RANK = {Severity.CRITICAL: 3, Severity.HIGH: 2, Severity.MEDIUM: 1, Severity.LOW: 0}

_SORT_KEYS: Mapping[str, Callable[[StaticPolicy], Any]] = {
    "name": lambda policy: policy.name.casefold(),
    "category": lambda policy: policy.metadata.category,
    "tier": lambda policy: list(Tier).index(policy.tier),
    "severity": lambda policy: SEVERITY_RANK[policy.severity],
    "priority": lambda policy: policy.priority,
    "updated": lambda policy: policy.updated_at,
}
# Columns that people want from the top down the first time they ask.
DESCENDING_FIRST = frozenset({"severity", "priority", "updated"})
NOT_JUDGED = "none"
LONGEST_TEXT = 200


class PolicyFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader asked to see; "" and None mean no opinion.

    Attributes:
        category: the true word, as the page shows it; it is never a substitute for SDKs.
        q: words that name, id, description or reason must all contain, in any case.
        action: effective action on requests, or ``none`` for policies that leave requests alone.
        sort: one of the sort keys, with a leading ``-`` for descending; "" is the reading order.
    """

    q: str = ""
    category: str = ""
    severity: Severity | None = None
    tier: Tier | None = None
    enabled: bool | None = None
    action: str = ""
    sort: str = ""

    @property
    def narrows(self) -> bool:
        """Whether any row could be left out."""
        return bool(self.q or self.category or self.severity or self.tier or self.action or self.enabled is not None)

    @property
    def sort_key(self) -> str:
        """The column sorted by, without its direction."""
        return self.sort.removeprefix("-")

    def query(self, **changes: Any) -> str:
        """This filter as a query string, some fields changed; ``?`` included, "" when nothing is asked."""
        fields = {**msgspec.structs.asdict(self), **changes}
        pairs = [(name, _text(value)) for name, value in fields.items() if value not in {"", None}]
        return f"?{urlencode(pairs)}" if pairs else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def parse_filter(params: Mapping[str, str]) -> PolicyFilter:
    """Read a filter from query parameters; unknown parameters are left alone.

    Raises:
        Fault: 400, a value is not one of its parameter's words.
    """
    sort = params.get("sort", "")
    if sort and sort.removeprefix("-") not in _SORT_KEYS:
        raise Fault(400, f"sort must be one of {', '.join(_SORT_KEYS)}, with a leading - for descending")
    q = params.get("q", "").strip()
    if len(q) > LONGEST_TEXT:
        raise Fault(400, f"q must be at most {LONGEST_TEXT} characters")
    return PolicyFilter(
        q=q,
        category=current_category(params.get("category", "").strip()),
        severity=_word(params, "severity", {word.value: word for word in Severity}),
        tier=_word(params, "tier", {word.value: word for word in Tier}),
        enabled=_word(params, "enabled", {"true": True, "false": False}),
        action=_word(params, "action", {word: word for word in (*Action, NOT_JUDGED)}) or "",
        sort=sort,
    )


def _word(params: Mapping[str, str], name: str, legal: Mapping[str, Any]) -> Any:
    text = params.get(name, "").strip()
    if not text:
        return None
    if text not in legal:
        raise Fault(400, f"{name} must be one of {', '.join(legal)}")
    return legal[text]


def select(policies: Sequence[StaticPolicy], wanted: PolicyFilter) -> list[StaticPolicy]:
    """The policies that ``wanted`` asks for, in its order."""
    return ordered([policy for policy in policies if _matches(policy, wanted)], wanted.sort)


def ordered(policies: Sequence[StaticPolicy], sort: str) -> list[StaticPolicy]:
    """Sorted by ``sort``; ties, and the reading order, are category, then strongest priority, then id."""
    rows = sorted(policies, key=lambda policy: (policy.metadata.category, -policy.priority, policy.policy_id))
    if not sort:
        return rows
    return sorted(rows, key=_SORT_KEYS[sort.removeprefix("-")], reverse=sort.startswith("-"))


def _matches(policy: StaticPolicy, wanted: PolicyFilter) -> bool:
    return (
        wanted.category in {"", policy.metadata.category}
        and wanted.severity in {None, policy.severity}
        and wanted.tier in {None, policy.tier}
        and wanted.enabled in {None, policy.enabled}
        and wanted.action in {"", request_action(policy)}
        and _contains(policy, wanted.q)
    )


def request_action(policy: StaticPolicy) -> str:
    """The effective action on requests as a word, ``none`` where requests are not judged."""
    return policy.metadata.action_request or NOT_JUDGED


def _contains(policy: StaticPolicy, text: str) -> bool:
    texts = (policy.policy_id, policy.name, policy.description, policy.metadata.reason)
    searched = "\n".join(texts).casefold()
    return all(word in searched for word in text.casefold().split())


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many enabled policies take one action on requests, and the filter that shows them."""

    action: str
    count: int


def tally_requests(policies: Sequence[StaticPolicy]) -> tuple[Tally, ...]:
    """Enabled policies by effective request action, strongest first; actions that no policy takes are left out."""
    counts = Counter(request_action(policy) for policy in policies if policy.enabled)
    return tuple(Tally(action=word, count=counts[word]) for word in (*Action, NOT_JUDGED) if counts[word])


def count_categories(policies: Sequence[StaticPolicy]) -> tuple[tuple[str, int], ...]:
    """Every true category with its number of policies, by name."""
    return tuple(sorted(Counter(policy.metadata.category for policy in policies).items()))
