"""What of a static policy goes over the wire, and under which category words."""

from __future__ import annotations

import msgspec
import pytest
from axonflow_contracts.policies import StaticPolicy, current_category, stored_categories, wire_category
from support.policies import static_policy

# PolicyCategory of the official SDKs, from contract/sdk-endpoints.md; one word beyond it breaks a whole list there.
SDK_CATEGORIES = frozenset(
    {
        *("security-sqli", "security-admin", "sensitive-data", "code-secrets", "code-unsafe", "code-compliance"),
        *("pii-global", "pii-us", "pii-eu", "pii-india", "pii-singapore", "pii-indonesia"),
        *("dynamic-risk", "dynamic-compliance", "dynamic-security", "dynamic-cost", "dynamic-access"),
        *("media-safety", "media-biometric", "media-document", "media-pii"),
    }
)
# Agent contract, section 3.1.
STORED_CATEGORIES = (
    *("security-sqli", "security-admin", "security-dangerous", "sensitive-data", "custom"),
    *("pii-global", "pii-us", "pii-eu", "pii-india", "pii-singapore", "pii-indonesia"),
    *("code-secrets", "code-unsafe", "code-compliance"),
    *("compliance-rbi", "compliance-sebi", "compliance-euaiact", "compliance-masfeat"),
    *("media-safety", "media-biometric", "media-document", "media-pii"),
)
NEEDED_KEYS = {"id", "name", "category", "tier", "pattern", "created_at", "updated_at"}
CONTRACT_KEYS = NEEDED_KEYS | {
    "policy_id", "description", "severity", "action", "enabled", "priority", "version", "tags", "metadata",
    "tenant_id", "has_override", "created_by", "updated_by",
}  # fmt: skip


@pytest.mark.parametrize("category", STORED_CATEGORIES)
def test_every_stored_category_goes_out_as_a_word_that_sdks_know(category: str) -> None:
    assert wire_category(category) in SDK_CATEGORIES


@pytest.mark.parametrize("category", STORED_CATEGORIES)
def test_a_category_is_found_by_its_true_word_and_by_the_word_it_goes_out_as(category: str) -> None:
    assert category in stored_categories(category)
    assert category in stored_categories(wire_category(category))


def test_a_true_word_finds_nothing_else() -> None:
    assert stored_categories("security-dangerous") == ("security-dangerous",)


@pytest.mark.parametrize(
    ("older", "current"),
    [
        ("sql_injection", "security-sqli"),
        ("dangerous_queries", "security-sqli"),
        ("admin_access", "security-admin"),
        ("pii_detection", "pii-global"),
        ("pii-us", "pii-us"),
    ],
)
def test_names_of_the_older_api_are_translated(older: str, current: str) -> None:
    assert current_category(older) == current


def test_a_system_policy_has_the_contracts_keys_and_no_null_where_sdks_want_text() -> None:
    sent = msgspec.to_builtins(static_policy(category="security-dangerous"))
    assert set(sent) == CONTRACT_KEYS
    assert sent["category"] == "security-admin"
    assert sent["metadata"]["category"] == "security-dangerous"
    assert sent["created_at"] == "2026-03-04T09:12:40Z"
    assert None not in sent.values()


def test_a_policy_read_back_is_the_policy_sent() -> None:
    policy = static_policy(tags=("a", "b"), organization_id="acme")
    assert msgspec.json.decode(msgspec.json.encode(policy), type=StaticPolicy) == policy
