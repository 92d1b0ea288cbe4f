"""What a caller asks of the policy list: filters, order and page, read from query parameters."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import stored_categories
from axonflow_contracts.verdicts import Severity, Tier
from axonflow_web.paging import DEFAULT_PAGE_SIZE, window

LONGEST_SEARCH = 200

Word = TypeVar("Word", bound=StrEnum)


class SortKey(StrEnum):
    """Columns that a list may be sorted by; nothing else reaches the SQL."""

    PRIORITY = "priority"
    NAME = "name"
    POLICY_ID = "policy_id"
    CATEGORY = "category"
    TIER = "tier"
    SEVERITY = "severity"
    ACTION = "action"
    ENABLED = "enabled"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a page of policies.

    Attributes:
        categories: true words, any of which matches; None matches all.
        organization_id: whose organisation-tier policies are meant; empty for no such filter.
        search: text that name, id, description or reason contains, in any case.
        offset: rows before the page.
        limit: rows a page holds, at most.
    """

    categories: tuple[str, ...] | None = None
    tier: Tier | None = None
    severity: Severity | None = None
    enabled: bool | None = None
    organization_id: str = ""
    search: str = ""
    sort_by: SortKey = SortKey.PRIORITY
    descending: bool = True
    offset: int = 0
    limit: int = DEFAULT_PAGE_SIZE

    @property
    def page(self) -> int:
        """The page's number, from 1."""
        return self.offset // self.limit + 1


class EffectiveQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which policies of a tenant are shown as acting.

    Attributes:
        categories: true words, any of which matches; None matches all.
        include_disabled: also those that are off.
        include_overridden: also those that an override turned off.
    """

    categories: tuple[str, ...] | None = None
    include_disabled: bool = False
    include_overridden: bool = False

    def wants(self, *, enabled: bool, overridden: bool) -> bool:
        """Whether a policy belongs into the answer."""
        return enabled or self.include_disabled or (overridden and self.include_overridden)


def parse_effective(params: Mapping[str, str]) -> EffectiveQuery:
    """Read what `EffectiveQuery` holds.

    Raises:
        Fault: 400, a value that its parameter does not take.
    """
    return EffectiveQuery(
        categories=stored_categories(word) if (word := params.get("category", "")) else None,
        include_disabled=_flag(params, "include_disabled") or False,
        include_overridden=_flag(params, "include_overridden") or False,
    )


def parse_query(params: Mapping[str, str]) -> ListQuery:
    """Read a list query; unknown parameters are left alone, as other versions' clients send them.

    Raises:
        Fault: 400, a value that its parameter does not take.
    """
    sort_by = _word(params, "sort_by", SortKey) or SortKey.PRIORITY
    offset, limit = window(params, _bad)
    return ListQuery(
        categories=stored_categories(word) if (word := params.get("category", "")) else None,
        tier=_word(params, "tier", Tier),
        severity=_word(params, "severity", Severity),
        enabled=_flag(params, "enabled"),
        organization_id=_text(params, "organization_id"),
        search=_text(params, "search"),
        sort_by=sort_by,
        descending=_descending(params, sort_by),
        offset=offset,
        limit=limit,
    )


def _word(params: Mapping[str, str], name: str, kind: type[Word]) -> Word | None:
    text = params.get(name, "")
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise Fault(400, f"{name} must be one of {', '.join(kind)}") from None


def _flag(params: Mapping[str, str], name: str) -> bool | None:
    text = params.get(name, "")
    legal: Mapping[str, bool | None] = {"": None, "true": True, "false": False}
    if text not in legal:
        raise Fault(400, f"{name} must be true or false")
    return legal[text]


def _text(params: Mapping[str, str], name: str) -> str:
    text = params.get(name, "").strip()
    if len(text) > LONGEST_SEARCH or "\0" in text:
        raise Fault(400, f"{name} must be at most {LONGEST_SEARCH} characters of text")
    return text


def _descending(params: Mapping[str, str], sort_by: SortKey) -> bool:
    """The given order, else what reads best: the strongest priority and the newest first, words from A to Z."""
    text = params.get("sort_order", "").lower()
    if text not in {"", "asc", "desc"}:
        raise Fault(400, "sort_order must be asc or desc")
    if text:
        return text == "desc"
    return sort_by in {SortKey.PRIORITY, SortKey.SEVERITY, SortKey.CREATED_AT, SortKey.UPDATED_AT}


def _bad(name: str, message: str) -> Fault:
    return Fault(400, f"{name} {message}")
