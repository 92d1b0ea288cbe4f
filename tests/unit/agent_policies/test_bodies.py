"""What a client may write into a policy, and what a partial change leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from axonflow_agent.policies.bodies import NewPolicy, new_fields, tier_of
from axonflow_agent.policies.query import EffectiveQuery, parse_effective
from axonflow_contracts.errors import Fault
from axonflow_contracts.policies import STATIC_CATEGORIES, wire_category
from axonflow_contracts.verdicts import Action, Severity, Tier

WHOLE: dict[str, Any] = {"name": "N", "pattern": "x", "category": "custom", "action": "warn"}


def body(**fields: Any) -> NewPolicy:
    return NewPolicy(**{**WHOLE, **fields})


def test_what_is_left_out_has_the_contracts_defaults() -> None:
    fields = new_fields(body())
    assert (fields.severity, fields.priority, fields.enabled, fields.tags) == (Severity.MEDIUM, 50, True, ())
    assert tier_of(body()) is Tier.TENANT


def test_a_null_is_as_good_as_nothing() -> None:
    assert new_fields(body(severity=None, priority=None, tags=None, description=None)) == new_fields(body())


@pytest.mark.parametrize("category", sorted(STATIC_CATEGORIES))
def test_every_category_of_the_contract_is_taken(category: str) -> None:
    assert new_fields(body(category=category)).category == category


def test_older_words_are_stored_as_todays() -> None:
    assert new_fields(body(category="sql_injection")).category == "security-sqli"


def test_what_goes_out_for_a_category_can_come_back_in() -> None:
    assert {wire_category(category) for category in STATIC_CATEGORIES} <= STATIC_CATEGORIES


@pytest.mark.parametrize("action", list(Action))
def test_all_five_actions_are_taken(action: Action) -> None:
    assert new_fields(body(action=action.value)).action is action


def test_blank_text_is_no_name() -> None:
    with pytest.raises(Fault, match="name is required"):
        new_fields(body(name=" \t"))


def test_the_effective_list_leaves_out_what_is_off() -> None:
    plain = parse_effective({})
    assert plain == EffectiveQuery()
    assert plain.wants(enabled=True, overridden=False)
    assert not plain.wants(enabled=False, overridden=True)
    assert parse_effective({"include_overridden": "true"}).wants(enabled=False, overridden=True)
    assert not parse_effective({"include_overridden": "true"}).wants(enabled=False, overridden=False)
    assert parse_effective({"include_disabled": "true"}).wants(enabled=False, overridden=False)
    with pytest.raises(Fault, match="include_disabled"):
        parse_effective({"include_disabled": "yes"})
