"""Static policies and overrides through the unmodified official SDK, parsed by its own models."""

from __future__ import annotations

from typing import Any

from axonflow_contracts.policies import STATIC_CATEGORIES
from support.axonflow_sdk import AxonFlowSdk, call
from support.gateway import CLIENT, CLIENT_SECRET, Gateway

NEW = {"name": "Project names", "category": "code-compliance", "pattern": r"\bproject-[a-z]{4,12}\b", "tags": ["a"]}


def values(sdk: AxonFlowSdk, gateway: Gateway, *calls: dict[str, Any]) -> list[Any]:
    outcomes = run(sdk, gateway, *calls)
    assert [each for each in outcomes if "error" in each] == []
    return [each["value"] for each in outcomes]


def run(sdk: AxonFlowSdk, gateway: Gateway, *calls: dict[str, Any]) -> list[dict[str, Any]]:
    if gateway.mode == "community":
        return sdk.run(gateway.service.url, *calls)
    return sdk.run(gateway.service.url, *calls, client_id=CLIENT, client_secret=CLIENT_SECRET)


def create(sdk: AxonFlowSdk, gateway: Gateway, **fields: Any) -> dict[str, Any]:
    request = ("CreateStaticPolicyRequest", {**NEW, **fields})
    return dict(values(sdk, gateway, call("create_static_policy", request=request))[0])


def test_every_system_policy_is_read_by_the_sdks_own_models(sdk: AxonFlowSdk, community: Gateway) -> None:
    whole, pii = values(
        sdk,
        community,
        call("list_static_policies", options=("ListStaticPoliciesOptions", {"limit": 1000, "tier": "system"})),
        call("list_static_policies", options=("ListStaticPoliciesOptions", {"category": "pii-us", "enabled": True})),
    )
    assert {policy["tier"] for policy in whole} == {"system"}
    assert len(whole) > len(pii) > 0
    assert {policy["category"] for policy in pii} == {"pii-us"}


def test_a_policy_is_found_by_its_slug_and_by_its_uuid(sdk: AxonFlowSdk, community: Gateway) -> None:
    [by_slug] = values(sdk, community, call("get_static_policy", policy_id="sys_pii_ssn"))
    [by_uuid] = values(sdk, community, call("get_static_policy", policy_id=by_slug["id"]))
    assert by_uuid == by_slug
    assert by_slug["policy_id"] == "sys_pii_ssn"


def test_a_policys_whole_life_goes_through_the_sdk(sdk: AxonFlowSdk, community: Gateway) -> None:
    made = create(sdk, community)
    assert (made["tier"], made["version"], made["action"], made["priority"]) == ("tenant", 1, "block", 50)
    key = made["id"]
    change = ("UpdateStaticPolicyRequest", {"severity": "high", "description": "Names that are not out yet."})
    updated, off, gone_off, shown, versions, _deleted = values(
        sdk,
        community,
        call("update_static_policy", policy_id=key, request=change),
        call("toggle_static_policy", policy_id=key, enabled=False),
        call("get_effective_static_policies"),
        call("get_effective_static_policies", options=("EffectivePoliciesOptions", {"include_disabled": True})),
        call("get_static_policy_versions", policy_id=key),
        call("delete_static_policy", policy_id=key),
    )
    assert (updated["severity"], updated["version"], updated["pattern"]) == ("high", 2, NEW["pattern"])
    assert (off["enabled"], off["version"]) == (False, 3)
    assert key not in {policy["id"] for policy in gone_off}
    assert key in {policy["id"] for policy in shown}
    assert [(each["version"], each["change_type"]) for each in versions] == [
        (3, "disabled"),
        (2, "updated"),
        (1, "created"),
    ]
    assert versions[1]["snapshot"]["severity"] == "high"
    [refused] = run(sdk, community, call("get_static_policy", policy_id=key))
    assert "Policy not found" in refused["message"]


def test_what_the_linter_says_of_a_policy_is_read_by_the_sdks_own_models(sdk: AxonFlowSdk, community: Gateway) -> None:
    first = create(sdk, community, pattern=r"\bcodename-[a-z]{5}\b")
    twin = create(sdk, community, pattern=r"\bcodename-[a-z]{5}\b", name="Codenames")
    assert (twin["pattern"], twin["name"]) == (first["pattern"], "Codenames")
    values(sdk, community, *(call("delete_static_policy", policy_id=made["id"]) for made in (first, twin)))


def test_the_products_policies_cannot_be_changed(sdk: AxonFlowSdk, community: Gateway) -> None:
    outcomes = run(
        sdk,
        community,
        call("toggle_static_policy", policy_id="sys_pii_ssn", enabled=False),
        call("update_static_policy", policy_id="sys_pii_ssn", request=("UpdateStaticPolicyRequest", {"name": "x"})),
        call("delete_static_policy", policy_id="sys_pii_ssn"),
    )
    assert [each["error"] for each in outcomes] == ["PolicyViolationError"] * 3


def test_a_pattern_is_tried_and_a_bad_one_is_told_as_not_valid(sdk: AxonFlowSdk, community: Gateway) -> None:
    good, bad = values(
        sdk,
        community,
        call("test_pattern", pattern=r"(\d{3})-(x)?", test_inputs=["call 555-1234", "nothing"]),
        call("test_pattern", pattern=r"(a)\1", test_inputs=["aa"]),
    )
    assert (good["valid"], [each["matched"] for each in good["matches"]]) == (True, [True, False])
    assert good["matches"][0]["groups"] == ["555", ""]
    assert bad["valid"] is False
    assert "Invalid regex pattern" in bad["error"]


def test_overrides_are_made_listed_and_ended(sdk: AxonFlowSdk, enterprise: Gateway) -> None:
    request = ("CreatePolicyOverrideRequest", {
        "action_override": "redact", "override_reason": "masked downstream", "expires_at": "2199-01-01T00:00:00Z",
    })  # fmt: skip
    made, listed, shown, effective, _ended, after = values(
        sdk,
        enterprise,
        call("create_policy_override", policy_id="sys_pii_email", request=request),
        call("list_policy_overrides"),
        call("get_static_policy", policy_id="sys_pii_email"),
        call("get_effective_static_policies", options=("EffectivePoliciesOptions", {"category": "pii-global"})),
        call("delete_policy_override", policy_id="sys_pii_email"),
        call("list_policy_overrides"),
    )
    assert (made["policy_id"], made["action_override"], made["active"]) == ("sys_pii_email", "redact", True)
    assert [each["id"] for each in listed] == [made["id"]]
    assert shown["has_override"] is True
    assert shown["override"]["id"] == made["id"]
    assert [each["policy_id"] for each in effective if each["has_override"]] == ["sys_pii_email"]
    assert after == []


def test_community_is_told_that_overrides_need_another_edition(sdk: AxonFlowSdk, community: Gateway) -> None:
    request = ("CreatePolicyOverrideRequest", {"action_override": "log", "override_reason": "noise"})
    [refused] = run(sdk, community, call("create_policy_override", policy_id="sys_pii_email", request=request))
    assert (refused["error"], "Enterprise" in refused["message"]) == ("PolicyViolationError", True)


def test_organisation_policies_belong_to_higher_editions(
    sdk: AxonFlowSdk, community: Gateway, enterprise: Gateway
) -> None:
    request = ("CreateStaticPolicyRequest", {**NEW, "tier": "organization"})
    [refused] = run(sdk, community, call("create_static_policy", request=request))
    assert refused["error"] == "PolicyViolationError"
    made = create(sdk, enterprise, tier="organization", action="require_approval")
    assert (made["tier"], made["action"], made["organization_id"]) == ("organization", "require_approval", "acme-bank")


def test_no_category_action_or_severity_that_can_be_stored_breaks_a_list(sdk: AxonFlowSdk, enterprise: Gateway) -> None:
    actions = ["block", "require_approval", "redact", "warn", "log"]
    severities = ["critical", "high", "medium", "low"]
    for number, category in enumerate(sorted(STATIC_CATEGORIES)):
        body = {
            **NEW, "name": f"stored {category}", "category": category, "action": actions[number % 5],
            "severity": severities[number % 4],
        }  # fmt: skip
        assert enterprise.post(body, enterprise.credentials, "/api/v1/static-policies").status == 201
    options = ("ListStaticPoliciesOptions", {"limit": 1000, "tier": "tenant", "search": "stored "})
    [listed] = values(sdk, enterprise, call("list_static_policies", options=options))
    assert {policy["name"] for policy in listed} == {f"stored {category}" for category in STATIC_CATEGORIES}
    assert {policy["action"] for policy in listed} == set(actions)
