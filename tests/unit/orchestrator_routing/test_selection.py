"""Who is chosen, who is left out, and what people are told of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from axonflow_orchestrator.routing.models import ModelLists
from axonflow_orchestrator.routing.selection import Selection
from axonflow_orchestrator.routing.strategies import Facts, Strategy
from axonflow_orchestrator.routing.wishes import NoRoute, Route, Wish
from hypothesis import given
from hypothesis import strategies as st
from support.routing import ORG, TENANT, Configured

OPENAI = Configured(name="openai", type="openai", default_model="gpt-4o-mini", regions=frozenset({"us", "us-east-1"}))
CLAUDE = Configured(name="anthropic", type="anthropic", default_model="claude-sonnet-4", regions=frozenset({"eu"}))
LOCAL = Configured(name="ollama", type="ollama", default_model="llama3.1", regions=frozenset({"eu", "on-prem"}))
ALL = (OPENAI, CLAUDE, LOCAL)


def wish(**fields: Any) -> Wish:
    return Wish(**{"org_id": ORG, "tenant_id": TENANT, "max_candidates": 9, **fields})


def facts(seed: int = 1, **fields: Any) -> Facts:
    made = {
        "weights": {each.name: 1.0 for each in ALL},
        "default": "",
        "turn": 0,
        "cost": lambda _: 1.0,
        "latency_ms": lambda _: None,
        "busy": lambda _: 0,
        "chance": random.Random(seed).random,
    }
    return Facts(**{**made, **fields})


def route(
    asked: Wish,
    *,
    strategy: Strategy = Strategy.FAILOVER,
    providers: Sequence[Any] = ALL,
    ails: Mapping[str, str] | None = None,
    with_facts: Facts | None = None,
    **rules: Any,
) -> Route:
    selection = Selection(strategy=strategy, **rules)
    return selection.route(
        providers, asked, lambda each: (ails or {}).get(each.name, ""), with_facts or facts(default="openai")
    )


def names(found: Route) -> list[str]:
    return [each.provider.name for each in found.candidates]


def test_policy_comes_before_the_request_and_the_request_before_the_strategy() -> None:
    assert names(route(wish()))[0] == "openai"
    named = route(wish(provider="ollama"))
    assert (names(named)[0], named.reason) == ("ollama", "ollama is named by the request")
    preferred = route(wish(provider="ollama", preferred_provider="anthropic"))
    assert names(preferred)[:2] == ["anthropic", "ollama"]
    assert preferred.reason == "anthropic is preferred by policy"


def test_an_unknown_provider_falls_through_unless_strict() -> None:
    found = route(wish(provider="nobody"))
    assert names(found)[0] == "openai"
    assert "nobody, named by the request, is out (not configured): failover to openai" in found.reason
    with pytest.raises(NoRoute, match="wants nobody else"):
        route(wish(provider="nobody", strict=True))
    with pytest.raises(NoRoute):
        route(wish(provider="nobody"), strict=True)
    assert names(route(wish(provider="nobody", strict=False), strict=True))[0] == "openai"


def test_strict_has_one_candidate_even_where_it_is_not_healthy() -> None:
    found = route(wish(provider="openai", strict=True), ails={"openai": "circuit open"})
    assert names(found) == ["openai"]
    assert found.candidates[0].last_resort
    assert found.excluded == ()


def test_an_unhealthy_one_is_passed_over_and_the_reason_says_so() -> None:
    found = route(wish(provider="openai"), ails={"openai": "circuit open"})
    assert "openai" not in names(found)
    assert ("openai", "circuit open") in found.excluded
    assert found.reason.startswith("openai, named by the request, is out (circuit open): failover to ")


def test_with_nobody_healthy_those_enabled_are_the_last_resort() -> None:
    found = route(wish(), ails={each.name: "unhealthy" for each in ALL})
    assert len(found.candidates) == 3
    assert all(each.last_resort for each in found.candidates)
    assert found.reason.startswith("nobody is healthy; ")


def test_residency_holds_for_every_fallback() -> None:
    found = route(wish(regions=("EU",), provider="openai"))
    assert set(names(found)) == {"anthropic", "ollama"}
    assert ("openai", "region") in found.excluded
    for ails in ({}, {"anthropic": "x", "ollama": "x"}):
        assert "openai" not in names(route(wish(regions=("eu",), preferred_provider="openai"), ails=ails))
    with pytest.raises(NoRoute, match="openai: region"):
        route(wish(regions=()))


def test_allowed_providers_hold_and_none_of_them_is_nobody() -> None:
    found = route(wish(allowed_providers=("ollama",), provider="openai"))
    assert names(found) == ["ollama"]
    assert ("openai", "not allowed by policy") in found.excluded
    with pytest.raises(NoRoute):
        route(wish(allowed_providers=()))


def test_a_named_model_goes_to_those_that_may_serve_it_and_others_answer_with_their_own() -> None:
    found = route(wish(model="claude-sonnet-4"))
    assert names(found)[0] == "anthropic"
    models = {each.provider.name: each.model for each in found.candidates}
    assert models == {"anthropic": "claude-sonnet-4", "openai": "gpt-4o-mini", "ollama": "llama3.1"}
    other = route(wish(model="claude-sonnet-4"), ails={"anthropic": "circuit open"})
    assert other.candidates[0].model == "gpt-4o-mini"
    assert "answers with gpt-4o-mini, since it does not serve claude-sonnet-4" in other.reason


def test_a_denied_model_is_refused_rather_than_replaced() -> None:
    for rules, asked in (
        ({"lists": ModelLists(denied=("gpt-4o*",))}, wish(model="gpt-4o")),
        ({}, wish(model="gpt-4o", denied_models=("gpt-4o",))),
        ({}, wish(model="gpt-4o", allowed_models=("claude-*",))),
    ):
        with pytest.raises(NoRoute, match="model gpt-4o is not allowed"):
            route(asked, **rules)


def test_an_own_model_that_is_denied_leaves_its_provider_out() -> None:
    found = route(wish(denied_models=("gpt-*",)))
    assert ("openai", "model denied") in found.excluded
    limited = Configured(name="limited", type="openai", default_model="gpt-4o-mini", allowed_models=("gpt-4o-mini",))
    with pytest.raises(NoRoute, match="limited: model denied"):
        route(wish(model="gpt-4o"), providers=[limited])


def test_one_switched_off_is_never_chosen() -> None:
    off = Configured(name="off", enabled=False)
    with pytest.raises(NoRoute, match="off: disabled"):
        route(wish(provider="off", preferred_provider="off"), providers=[off])


@pytest.mark.parametrize("zero", [False, True])
def test_weights_converge(zero: bool) -> None:
    weights = {"openai": 0.0, "anthropic": 0.0, "ollama": 0.0} if zero else {"openai": 6, "anthropic": 3, "ollama": 1}
    given = facts(weights=weights)
    drawn = Counter(names(route(wish(), strategy=Strategy.WEIGHTED, with_facts=given))[0] for _ in range(6_000))
    expected = dict.fromkeys(weights, 1 / 3) if zero else {"openai": 0.6, "anthropic": 0.3, "ollama": 0.1}
    for name, share in expected.items():
        assert abs(drawn[name] / 6_000 - share) < 0.03


def test_weight_zero_answers_only_after_everybody_else() -> None:
    given = facts(weights={"openai": 0, "anthropic": 1, "ollama": 1})
    for _ in range(50):
        assert names(route(wish(), strategy=Strategy.WEIGHTED, with_facts=given))[-1] == "openai"


def test_round_robin_takes_turns_over_the_sorted_names() -> None:
    seen = [names(route(wish(), strategy=Strategy.ROUND_ROBIN, with_facts=facts(turn=turn)))[0] for turn in range(4)]
    assert seen == ["anthropic", "ollama", "openai", "anthropic"]


def test_failover_takes_the_default_then_the_heaviest_then_the_first() -> None:
    assert names(route(wish()))[0] == "openai"
    heavy = facts(default="nobody", weights={"openai": 1, "anthropic": 1, "ollama": 5})
    assert names(route(wish(), with_facts=heavy)) == ["ollama", "anthropic", "openai"]


def test_the_cheapest_comes_first() -> None:
    prices = {"openai": 0.3, "anthropic": 0.2, "ollama": 0.0}
    given = facts(cost=lambda each: prices[each.provider.name])
    found = route(wish(), strategy=Strategy.COST_OPTIMIZED, with_facts=given)
    assert (names(found), found.reason) == (["ollama", "anthropic", "openai"], "cheapest of 3: ollama")


def test_the_unmeasured_is_tried_by_one_call_at_a_time_and_then_the_fastest_counts() -> None:
    speeds: dict[str, float | None] = {"openai": 300.0, "anthropic": 200.0, "ollama": None}
    busy = {"ollama": 0}
    given = facts(latency_ms=lambda each: speeds[each.provider.name], busy=lambda each: busy.get(each.provider.name, 0))
    assert names(route(wish(), strategy=Strategy.LEAST_LATENCY, with_facts=given))[0] == "ollama"
    busy["ollama"] = 1
    assert names(route(wish(), strategy=Strategy.LEAST_LATENCY, with_facts=given)) == ["anthropic", "openai", "ollama"]
    speeds["ollama"] = 100.0
    assert names(route(wish(), strategy=Strategy.LEAST_LATENCY, with_facts=given))[0] == "ollama"


NAMES = ("openai", "anthropic", "ollama", "nobody")
OPTIONAL_NAMES = st.none() | st.lists(st.sampled_from(NAMES), max_size=3).map(tuple)


@given(
    st.builds(
        Wish,
        org_id=st.just(ORG),
        tenant_id=st.just(TENANT),
        provider=st.sampled_from(("", *NAMES)),
        preferred_provider=st.sampled_from(("", *NAMES)),
        model=st.sampled_from(("", "gpt-4o", "claude-sonnet-4", "llama3.1", "x\n\x00")),
        strict=st.none() | st.booleans(),
        allowed_providers=OPTIONAL_NAMES,
        denied_models=st.lists(st.sampled_from(("gpt-*", "claude*", "*")), max_size=2).map(tuple),
        regions=st.none() | st.lists(st.sampled_from(("eu", "us", "mars")), max_size=2).map(tuple),
        max_candidates=st.integers(0, 4),
    ),
    st.sampled_from(Strategy),
    st.dictionaries(st.sampled_from(NAMES), st.just("circuit open")),
    st.integers(0, 99),
)
def test_no_candidate_is_ever_excluded_or_outside_what_policies_allow(
    asked: Wish, strategy: Strategy, ails: dict[str, str], seed: int
) -> None:
    try:
        found = route(asked, strategy=strategy, ails=ails, with_facts=facts(seed))
    except NoRoute:
        return
    chosen, excluded = names(found), {name for name, _ in found.excluded}
    assert len(set(chosen)) == len(chosen)
    assert excluded.isdisjoint(chosen)
    for candidate in found.candidates:
        provider = candidate.provider
        assert asked.allowed_providers is None or provider.name in asked.allowed_providers
        assert asked.regions is None or provider.regions & set(asked.regions)
        assert ModelLists().permit(candidate.model, asked)
    assert found.reason.isprintable()
