"""Lists and exports of dynamic policies, as values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import yaml
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Tier
from axonflow_orchestrator.tenant_policies.exporting import as_yaml, exported
from axonflow_orchestrator.tenant_policies.query import parse_query, select
from axonflow_orchestrator.tenant_policies.records import RuleFields, StoredRule
from axonflow_policy import Condition, Phases, RuleAction
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def row(name: str, **changes: Any) -> StoredRule:
    values: dict[str, Any] = {
        "org_id": "acme", "id": name, "tier": Tier.TENANT, "tenant_id": "tellers", "name": name, "description": "",
        "type": "content", "category": "dynamic-risk",
        "conditions": (Condition(field="query", operator="contains", value="x"),),
        "actions": (RuleAction(type="block"),), "phases": Phases.BOTH, "priority": 0, "enabled": True, "version": 1,
        "tags": (), "created_by": "ann", "updated_by": "ann", "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return StoredRule(**(values | changes))


ROWS = [
    row("b", priority=5),
    row("a", priority=5, type="user", enabled=False),
    row("c", priority=9, tier=Tier.ORGANIZATION, tenant_id="", category="media-pii", description="Has Falcons"),
]


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, "cab"),
        ({"sort_by": "name"}, "abc"),
        ({"sort_by": "name", "sort_order": "desc"}, "cba"),
        ({"sort_by": "priority", "sort_dir": "asc"}, "abc"),
        ({"type": "user"}, "a"),
        ({"enabled": "true"}, "cb"),
        ({"tier": "organization"}, "c"),
        ({"organization_id": "acme"}, "c"),
        ({"organization_id": "rival"}, ""),
        ({"category": "media-pii"}, "c"),
        ({"search": "falcon"}, "c"),
    ],
)
def test_lists_are_filtered_and_sorted(params: dict[str, str], names: str) -> None:
    assert "".join(each.name for each in select(ROWS, parse_query(params))) == names


@pytest.mark.parametrize(
    ("params", "window"),
    [
        ({}, (0, 20)),
        ({"page": "3", "page_size": "10"}, (20, 10)),
        ({"page_size": "5000"}, (0, 100)),
        ({"limit": "5", "offset": "7"}, (7, 5)),
        ({"offset": "7"}, (7, 20)),
        ({"limit": "5000"}, (0, 1000)),
    ],
)
def test_both_ways_of_paging_are_read(params: dict[str, str], window: tuple[int, int]) -> None:
    query = parse_query(params)
    assert (query.offset, query.limit) == window


@pytest.mark.parametrize(
    "params",
    [{"page": "0"}, {"limit": "x"}, {"sort_by": "pattern"}, {"sort_dir": "up"}, {"enabled": "1"}, {"tier": "?"}],
)
def test_a_parameter_that_cannot_be_is_named(params: dict[str, str]) -> None:
    with pytest.raises(Fault) as caught:
        parse_query(params)
    [(name, _)] = params.items()
    assert caught.value.details["details"][0]["field"] == name


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4), TEXTS)
def test_an_export_reads_back_alike_from_yaml(config: dict[str, Any], name: str) -> None:
    document = exported([row("a", description=name, actions=(RuleAction(type="log", config=config),))])
    assert yaml.safe_load(as_yaml(document)) == document
    [told] = document["policies"]
    assert {*told} == {"id", "tier", *RuleFields.__struct_fields__}
    assert msgspec.convert(told["actions"], tuple[RuleAction, ...])[0].config == config
