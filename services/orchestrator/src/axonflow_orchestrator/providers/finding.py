"""Which provider a caller means by a name, and which of them it sees. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault

from axonflow_orchestrator.providers.definition import Definition, Source
from axonflow_orchestrator.providers.records import Row

NOT_FOUND = "There is no provider of this name"
Found = Row | Definition


def tenant_of(caller: Caller, named: str | None) -> str | None:
    """Whose providers a caller sees: its own tenant's, whatever it names; None is the whole organisation.

    Only a service that acts for its operator has no tenant of its own, and may name one.
    """
    return caller.tenant_id or named or None


def owner_of(caller: Caller, named: str | None) -> str:
    """For whom a provider is created; empty is the whole organisation.

    Raises:
        Fault: 400, the tenant named could be none.
    """
    tenant_id = tenant_of(caller, named) or ""
    if len(tenant_id) > 255 or not (tenant_id.isprintable() or not tenant_id):
        raise Fault(400, "tenant_id must be at most 255 printable characters")
    return tenant_id


def visible(rows: Iterable[Row], deployment: Iterable[Definition], tenant_id: str | None, *, demo: bool) -> list[Found]:
    """What is listed, in order of names.

    Args:
        rows: of the database, as the tenant may read them.
        deployment: the operator's own.
        tenant_id: whose view: the tenant's outrank the organisation's, and those the deployment's. None lists the rows
            of all tenants.
        demo: whether the built-in provider is listed beside others.
    """
    listed = [row for row in rows if tenant_id is None or _outranks(row, rows, tenant_id)]
    taken = {row.name for row in listed if tenant_id is not None or not row.tenant_id}
    others = [each for each in deployment if each.name not in taken]
    if not demo and (listed or any(each.source is not Source.BUILT_IN for each in others)):
        others = [each for each in others if each.source is not Source.BUILT_IN]
    return sorted((*listed, *others), key=lambda each: (each.name, getattr(each, "tenant_id", "")))


def meant(name: str, rows: Iterable[Row], deployment: Iterable[Definition], tenant_id: str | None) -> Found:
    """The one of that name.

    Raises:
        Fault: 404; 409 where several tenants have one, the organisation has none, and nobody said whose.
    """
    named = [row for row in rows if row.name == name]
    if tenant_id is not None:
        own = [row for row in named if row.tenant_id == tenant_id]
    else:
        own = [row for row in named if not row.tenant_id]
    if own:
        return own[0]
    if len(named) > 1:
        raise Fault(409, "Several tenants have a provider of this name: say tenant_id")
    found = named[0] if named else next((each for each in deployment if each.name == name), None)
    if found is None:
        raise Fault(404, NOT_FOUND)
    return found


def changeable(found: Found, caller: Caller) -> Row:
    """``found``, if the caller may change it.

    Raises:
        Fault: 403, and where it can be changed.
    """
    if isinstance(found, Definition):
        raise Fault(403, _READ_ONLY[found.source])
    if caller.tenant_id and found.tenant_id != caller.tenant_id:
        raise Fault(
            403,
            "This provider is the organisation's: its operator changes it. A provider of the same name that you create "
            "outranks it for your tenant",
        )
    return found


_OUTRANK = "A provider of the same name that you create outranks it"
_READ_ONLY = {
    Source.BUILT_IN: "The demo provider is built in: it steps back as soon as another provider is configured",
    Source.ENVIRONMENT: f"This provider comes from the environment: it is changed there. {_OUTRANK}",
    Source.FILE: f"This provider comes from a configuration file: it is changed there. {_OUTRANK}",
}


def _outranks(row: Row, rows: Iterable[Row], tenant_id: str) -> bool:
    """Whether no other row of its name stands before it in a tenant's view."""
    return row.tenant_id == tenant_id or not any(
        other.name == row.name and other.tenant_id == tenant_id for other in rows
    )
