"""Listing templates, counting their uses, and making rules of them. No HTTP, no SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import Pagination
from axonflow_governance.changes import Author

from axonflow_orchestrator.tenant_policies import store
from axonflow_orchestrator.tenant_policies.editor import RuleEditor
from axonflow_orchestrator.tenant_policies.linting import with_findings
from axonflow_orchestrator.tenant_policies.query import ListQuery
from axonflow_orchestrator.tenant_policies.reader import RuleReader, tenant_of
from axonflow_orchestrator.tenant_policies.refusals import FieldProblem, invalid, transaction
from axonflow_orchestrator.tenant_policies.templates import CATEGORIES, Template, filled, template_named, templates
from axonflow_orchestrator.tenant_policies.wire import DynamicPolicy

NOT_FOUND = "Template not found"


class TemplateList(msgspec.Struct, frozen=True, kw_only=True):
    """One page."""

    templates: tuple[Template, ...]
    total: int
    pagination: Pagination


class TemplateCategory(msgspec.Struct, frozen=True, kw_only=True):
    """A category and how many templates it holds."""

    name: str
    description: str
    count: int


class TemplateCategories(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, empty ones included."""

    categories: tuple[TemplateCategory, ...]


class TemplateUse(msgspec.Struct, frozen=True, kw_only=True):
    """How often a template was used by whoever asks."""

    template_id: str
    name: str
    count: int
    last_used_at: datetime


class TemplateStats(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, of templates and of uses."""

    total_templates: int
    by_category: Mapping[str, int]
    total_uses: int
    usage: tuple[TemplateUse, ...]


class ApplyBody(msgspec.Struct, frozen=True, kw_only=True):
    """What fills a template; what is left out stays as the template says."""

    variables: Mapping[str, Any] = {}
    policy_name: str | None = None
    description: str | None = None
    enabled: bool | None = None
    priority: int | None = None
    tier: str | None = None
    organization_id: str | None = None
    tenant_id: str | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The rule that was made."""

    success: bool
    policy: DynamicPolicy
    usage_id: str
    message: str


@dataclass(frozen=True, slots=True)
class TemplateService:
    """The templates of one deployment, which are the product's."""

    reader: RuleReader
    editor: RuleEditor

    def page(self, query: ListQuery) -> TemplateList:
        """One page.

        Raises:
            Fault: 400 for an unknown category.
        """
        if query.category and query.category not in CATEGORIES:
            raise invalid([FieldProblem("category", f"must be one of {', '.join(CATEGORIES)}")])
        found = [each for each in templates() if query.category in {"", each.category} and _told(each, query.search)]
        pages = -(-len(found) // query.limit)
        return TemplateList(
            templates=tuple(found[query.offset : query.offset + query.limit]),
            total=len(found),
            pagination=Pagination(page=query.page, page_size=query.limit, total=len(found), total_pages=pages),
        )

    def categories(self) -> TemplateCategories:
        """The eight categories."""
        counts = _counts()
        return TemplateCategories(
            categories=tuple(
                TemplateCategory(name=name, description=text, count=counts[name]) for name, text in CATEGORIES.items()
            )
        )

    async def stats(self, caller: Caller) -> TemplateStats:
        """Counts, of uses by the caller's tenant.

        Raises:
            Fault: 503.
        """
        async with transaction(self.reader.database, caller.org_id) as connection:
            uses = await store.count_uses(connection, caller.org_id, tenant_of(caller))
        names = {each.id: each.name for each in templates()}
        usage = (
            TemplateUse(template_id=key, name=names.get(key, key), count=count, last_used_at=last)
            for key, (count, last) in uses.items()
        )
        return TemplateStats(
            total_templates=len(names),
            by_category=_counts(),
            total_uses=sum(count for count, _ in uses.values()),
            usage=tuple(sorted(usage, key=lambda use: (-use.count, use.template_id))),
        )

    def one(self, template_id: str) -> Template:
        """One template.

        Raises:
            Fault: 404.
        """
        found = template_named(template_id)
        if found is None:
            raise Fault(404, NOT_FOUND)
        return found

    async def apply(self, template_id: str, body: ApplyBody, author: Author) -> Applied:
        """Make a rule, and remember that it was made of a template.

        Raises:
            Fault: 400 for variables, 403 for a limit, 404, 503.
        """
        template, caller = self.one(template_id), author.caller
        changes = {
            "name": body.policy_name,
            **{name: getattr(body, name) for name in ("description", "enabled", "priority", "tier", "tenant_id")},
            "organization_id": body.organization_id,
        }
        given = {name: value for name, value in changes.items() if value is not None}
        rule = msgspec.structs.replace(filled(template, body.variables), **given)
        async with transaction(self.reader.database, caller.org_id) as connection:
            row = await self.editor.add(connection, rule, author)
            usage_id = await store.keep_use(connection, template_id=template.id, row=row, by=author.name)
        await self.editor.source.follow_write(caller.org_id)
        policy = await with_findings(self.reader, row, caller)
        message = f"{policy.name} was made from {template.name}"
        return Applied(success=True, policy=policy, usage_id=usage_id, message=message)


def _counts() -> dict[str, int]:
    return {name: sum(each.category == name for each in templates()) for name in CATEGORIES}


def _told(template: Template, search: str) -> bool:
    text = "\n".join((template.id, template.name, template.description, *template.tags))
    return search.casefold() in text.casefold()
