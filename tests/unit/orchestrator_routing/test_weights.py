"""Weights of three kinds on one scale, and the settings that are about routing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from axonflow_contracts.caller import Caller, CallerKind, User
from axonflow_orchestrator.routing.changing import may_change
from axonflow_orchestrator.routing.opening import strategy_of
from axonflow_orchestrator.routing.standing import Tallies
from axonflow_orchestrator.routing.strategies import Strategy
from axonflow_orchestrator.routing.weights import Kept, in_force, normalised
from axonflow_orchestrator.routing_settings import RoutingSettings
from axonflow_settings import SettingsError, load
from support.routing import Configured

THREE = (Configured(name="a", weight=100), Configured(name="b", weight=50), Configured(name="c", weight=0))


def test_what_was_set_outranks_the_environment_and_that_the_definitions() -> None:
    assert in_force(THREE, {}, None) == {"a": 100, "b": 50, "c": 0}
    assert in_force(THREE, {"b": 7}, None) == {"a": 100, "b": 7, "c": 0}
    kept = Kept(scale="weight", weights={"c": 3, "elsewhere": 9})
    assert in_force(THREE, {"b": 7, "c": 8}, kept) == {"a": 100, "b": 7, "c": 3}


def test_those_left_out_share_the_rest_of_one() -> None:
    found = in_force(THREE, {"b": 7}, Kept(scale="share", weights={"a": 0.6}))
    assert found == pytest.approx({"a": 0.6, "b": 0.2, "c": 0.2})
    assert in_force(THREE, {}, Kept(scale="share", weights={"a": 0.6, "b": 0.4}))["c"] == pytest.approx(0)


def test_parts_sum_up_to_one_and_nothing_is_equal_parts() -> None:
    assert normalised({"a": 3, "b": 1}) == {"a": 0.75, "b": 0.25}
    assert normalised({"a": 0, "b": 0}) == {"a": 0.5, "b": 0.5}
    assert normalised({}) == {}


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (User(), True),
        (User(id="7", role="admin"), True),
        (User(id="7", role="policy_admin"), True),
        (User(id="7", role="developer"), False),
        (User(id="7"), False),
        (User(id="7", permissions=("provider:write",)), True),
        (User(role="viewer"), False),
    ],
)
def test_who_may_change_what_others_depend_on(user: User, expected: bool) -> None:
    caller = Caller(org_id="o", tenant_id="t", client_id="c", kind=CallerKind.CLIENT, user=user)
    assert may_change(caller) is expected


def test_settings_are_read_and_wrong_ones_are_named() -> None:
    found = load(RoutingSettings, {"PROVIDER_WEIGHTS": " openai:50, local:v1:2.5", "PROVIDER_COSTS": "ollama:0"})
    assert found.provider_weights == (("openai", 50), ("local:v1", 2.5))
    assert found.provider_costs == (("ollama", 0),)
    for wrong in ("openai", "openai:many", "openai:-1", "openai:1,openai:2", ":4", "openai:nan"):
        with pytest.raises(SettingsError, match="PROVIDER_WEIGHTS must be"):
            load(RoutingSettings, {"PROVIDER_WEIGHTS": wrong})


def test_an_unknown_strategy_is_weighted_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert strategy_of("Round-Robin") is Strategy.ROUND_ROBIN
    assert caplog.text == ""
    assert strategy_of("fastest") is Strategy.WEIGHTED
    assert "'fastest'" in caplog.text


def test_a_tenant_reads_its_own_counts() -> None:
    tallies, now = Tallies(), datetime.now(UTC)
    for org, tenant in (("o", "t"), ("o", "u"), ("rival", "t")):
        tallies.add(org, tenant, "openai", failed=tenant == "u", latency_ms=10, at=now)
    assert tallies.of("o", "t", "openai").requests == 1
    assert (tallies.of("o", None, "openai").requests, tallies.of("o", None, "openai").errors) == (2, 1)
