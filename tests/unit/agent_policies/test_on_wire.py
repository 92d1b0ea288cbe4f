"""A stored row joined with the running set and the operator's levers."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from axonflow_agent.policies.service import on_wire
from axonflow_agent.policies.store import StoredPolicy
from axonflow_contracts.posture import Lever, Posture, Profile
from axonflow_contracts.verdicts import Action, Severity, Tier
from axonflow_policy import Phases, Policy

MOMENT = datetime(2026, 3, 4, tzinfo=UTC)


def row(**fields: Any) -> StoredPolicy:
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "org_id": "@system",
        "tenant_id": "global",
        "organization_id": None,
        "policy_id": "sys_pii_ssn",
        "name": "SSN Detection",
        "description": "",
        "category": "pii-us",
        "tier": Tier.SYSTEM,
        "pattern": "x",
        "validator": "ssn",
        "reason": "Social Security Number detected",
        "severity": Severity.CRITICAL,
        "action": Action.BLOCK,
        "enabled": True,
        "priority": 100,
        "version": 1,
        "tags": (),
        "created_by": "system",
        "updated_by": "system",
        "created_at": MOMENT,
        "updated_at": MOMENT,
    }
    return StoredPolicy(**{**values, **fields})


def judged(**fields: Any) -> Policy:
    values: dict[str, Any] = {
        "id": "sys_pii_ssn",
        "name": "SSN Detection",
        "category": "pii-us",
        "severity": Severity.CRITICAL,
        "priority": 100,
        "pattern": "x",
        "reason": "Social Security Number detected",
        "action": Action.BLOCK,
        "action_response": Action.REDACT,
        "lever": Lever.PII,
    }
    return Policy(**{**values, **fields})


def test_a_list_says_what_happens_on_each_side_and_why() -> None:
    known = on_wire(row(), judged(), Posture()).metadata
    assert (known.action_request, known.action_request_origin) == (Action.BLOCK, "stored")
    assert (known.action_response, known.action_response_origin) == (Action.REDACT, "stored")
    assert (known.reason, known.validator) == ("Social Security Number detected", "ssn")


def test_a_lever_shows_in_the_effective_action_and_not_in_the_stored_one() -> None:
    policy = on_wire(row(), judged(), Posture(profile=Profile.DEV))
    assert policy.action is Action.BLOCK
    assert (policy.metadata.action_request, policy.metadata.action_request_origin) == (Action.LOG, "profile:dev")


def test_a_side_that_is_not_judged_has_no_action_and_no_origin() -> None:
    known = on_wire(row(), judged(phases=Phases.REQUEST), Posture()).metadata
    assert (known.action_response, known.action_response_origin) == (None, "")


def test_a_row_that_is_off_does_nothing() -> None:
    known = on_wire(row(enabled=False), judged(), Posture()).metadata
    assert (known.action_request, known.action_response) == (None, None)


def test_a_row_that_the_running_set_lacks_does_nothing_yet() -> None:
    assert on_wire(row(), None, Posture()).metadata.action_request is None


def test_what_a_tenant_wrote_has_its_own_action_on_both_sides_and_no_lever_moves_it() -> None:
    written = {"org_id": "acme", "tenant_id": "tellers", "tier": Tier.TENANT, "policy_id": "tenant_x"}
    dev = Posture(profile=Profile.DEV)
    known = on_wire(row(**{**written, "action": Action.WARN}), None, dev).metadata
    assert (known.action_request, known.action_request_origin) == (Action.WARN, "stored")
    assert (known.action_response, known.action_response_origin) == (Action.WARN, "stored")
    assert on_wire(row(**written, enabled=False), None, dev).metadata.action_request is None


def test_the_reserved_organisation_of_system_rows_is_not_told() -> None:
    assert "org_id" not in msgspec.to_builtins(on_wire(row(), judged(), Posture()))


def test_a_tenants_row_names_its_organisation() -> None:
    policy = on_wire(row(org_id="acme", tier=Tier.TENANT, tenant_id="teller"), None, Posture())
    assert (policy.org_id, policy.tenant_id) == ("acme", "teller")
