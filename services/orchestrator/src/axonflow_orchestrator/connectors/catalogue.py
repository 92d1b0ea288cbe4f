"""The catalogue as a tenant sees it: every type, and what was installed of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from axonflow_connectors import ConnectorSpec

from axonflow_orchestrator.connectors.records import MASK, Connector, Installed


def listed(specs: Iterable[ConnectorSpec], installed: Iterable[Installed]) -> tuple[Connector, ...]:
    """Each type once, then the installed connectors that have a name of their own.

    A connector that is called as its type stands in that type's place.
    """
    specs, rows = tuple(specs), tuple(installed)
    types: list[Connector] = []
    for spec in specs:
        in_place = [shown(spec, row) for row in rows if row.name == spec.type]
        types += in_place or [shown(spec, None, in_use=any(row.type == spec.type for row in rows))]
    by_type = {spec.type: spec for spec in specs}
    own = [shown(by_type[row.type], row) for row in rows if row.name not in by_type and row.type in by_type]
    return (*types, *own)


def shown(spec: ConnectorSpec, row: Installed | None, *, in_use: bool = False) -> Connector:
    """A type, or an installed connector of it."""
    entry = Connector(
        id=spec.type,
        name=spec.title,
        type=spec.type,
        version=spec.version,
        description=spec.description,
        category=spec.category,
        icon=spec.type,
        tags=spec.tags,
        capabilities=tuple(sorted(capability.value for capability in spec.capabilities)),
        config_schema=spec.config_schema(),
        installed=in_use,
        healthy=False,
    )
    if row is None:
        return entry
    return msgspec.structs.replace(
        entry,
        id=row.name,
        name=row.name,
        installed=True,
        healthy=bool(row.healthy),
        instance_name=row.name,
        tenant_id=row.tenant_id,
        options=row.options,
        credentials=dict.fromkeys(row.credential_names, MASK),
        installed_at=row.installed_at,
        last_check=row.checked_at or msgspec.UNSET,
    )
