"""What a caller asks of the list of rules: filters, order and page, and which rows that is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
from axonflow_contracts.verdicts import Tier
from axonflow_web.paging import DEFAULT_PAGE_SIZE, window

from axonflow_orchestrator.tenant_policies.records import StoredRule
from axonflow_orchestrator.tenant_policies.refusals import FieldProblem, invalid

LONGEST_SEARCH = 200
TIERS = (Tier.SYSTEM, Tier.ORGANIZATION, Tier.TENANT)

_SORT_KEYS: Mapping[str, Callable[[StoredRule], Any]] = MappingProxyType(
    {
        "priority": lambda row: row.priority,
        "name": lambda row: row.name.casefold(),
        "type": lambda row: row.type,
        "category": lambda row: row.category,
        "tier": lambda row: TIERS.index(row.tier),
        "enabled": lambda row: row.enabled,
        "version": lambda row: row.version,
        "created_at": lambda row: row.created_at,
        "updated_at": lambda row: row.updated_at,
    }
)
_DESCENDING_FIRST = frozenset({"priority", "enabled", "version", "created_at", "updated_at"})


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a page of rules; an empty member asks for nothing.

    Attributes:
        search: text that name, id or description contains, in any case.
        offset: rows before the page.
        limit: rows a page holds, at most.
    """

    type: str = ""
    category: str = ""
    tier: Tier | None = None
    enabled: bool | None = None
    organization_id: str = ""
    search: str = ""
    sort_by: str = "priority"
    descending: bool = True
    offset: int = 0
    limit: int = DEFAULT_PAGE_SIZE

    @property
    def page(self) -> int:
        """The page's number, from 1."""
        return self.offset // self.limit + 1


def parse_query(params: Mapping[str, str]) -> ListQuery:
    """Read a list query; unknown parameters are left alone, as other versions' clients send them.

    Raises:
        Fault: 400, a value that its parameter does not take.
    """
    sort_by = params.get("sort_by") or "priority"
    if sort_by not in _SORT_KEYS:
        raise _bad("sort_by", f"must be one of {', '.join(_SORT_KEYS)}")
    offset, limit = window(params, _bad)
    return ListQuery(
        type=_text(params, "type"),
        category=_text(params, "category"),
        tier=_tier(params),
        enabled=flag(params, "enabled"),
        organization_id=_text(params, "organization_id"),
        search=_text(params, "search"),
        sort_by=sort_by,
        descending=_descending(params, sort_by),
        offset=offset,
        limit=limit,
    )


def select(rows: Sequence[StoredRule], query: ListQuery) -> list[StoredRule]:
    """All rows that ``query`` asks for, in its order; the page is for the caller to cut."""
    found = sorted((row for row in rows if _matches(row, query)), key=lambda row: (row.name.casefold(), row.id))
    return sorted(found, key=_SORT_KEYS[query.sort_by], reverse=query.descending)


def flag(params: Mapping[str, str], name: str) -> bool | None:
    """``true``, ``false`` or nothing.

    Raises:
        Fault: 400.
    """
    legal: Mapping[str, bool | None] = {"": None, "true": True, "false": False}
    text = params.get(name, "").lower()
    if text not in legal:
        raise _bad(name, "must be true or false")
    return legal[text]


def _matches(row: StoredRule, query: ListQuery) -> bool:
    return (
        query.type in {"", row.type}
        and query.category in {"", row.category}
        and query.tier in {None, row.tier}
        and query.enabled in {None, row.enabled}
        and (not query.organization_id or (row.tier is Tier.ORGANIZATION and row.org_id == query.organization_id))
        and query.search.casefold() in f"{row.name}\n{row.id}\n{row.description}".casefold()
    )


def _tier(params: Mapping[str, str]) -> Tier | None:
    text = params.get("tier", "")
    if text and text not in set(Tier):
        raise _bad("tier", f"must be one of {', '.join(Tier)}")
    return Tier(text) if text else None


def _text(params: Mapping[str, str], name: str) -> str:
    text = params.get(name, "").strip()
    if len(text) > LONGEST_SEARCH:
        raise _bad(name, f"must be at most {LONGEST_SEARCH} characters")
    return text


def _descending(params: Mapping[str, str], sort_by: str) -> bool:
    """The given order, else what reads best: the strongest priority and the newest first, words from A to Z."""
    text = (params.get("sort_order") or params.get("sort_dir") or "").lower()
    if text not in {"", "asc", "desc"}:
        raise _bad("sort_dir", "must be asc or desc")
    return text == "desc" if text else sort_by in _DESCENDING_FIRST


def _bad(name: str, message: str) -> Exception:
    return invalid([FieldProblem(name, message)])
