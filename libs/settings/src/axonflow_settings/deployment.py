"""Deployment modes and editions: what each mode asks of callers, and each tier's limits as data.

There are no licence keys. A tier is a set of limits and switches; a higher tier is always a superset of a lower one.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Edition(StrEnum):
    """The tier that a deployment runs at."""

    COMMUNITY = "community"
    EVALUATION = "evaluation"
    ENTERPRISE = "enterprise"


class DeploymentMode(StrEnum):
    """Legal values of ``DEPLOYMENT_MODE``."""

    COMMUNITY = "community"
    COMMUNITY_SAAS = "community-saas"
    EVALUATION = "evaluation"
    ENTERPRISE = "enterprise"
    SAAS = "saas"
    IN_VPC_ENTERPRISE = "in-vpc-enterprise"
    IN_VPC_HEALTHCARE = "in-vpc-healthcare"
    IN_VPC_BANKING = "in-vpc-banking"
    IN_VPC_TRAVEL = "in-vpc-travel"

    @property
    def asks_for_credentials(self) -> bool:
        """Whether callers must present Basic credentials."""
        return self is not DeploymentMode.COMMUNITY

    @property
    def default_edition(self) -> Edition:
        """The tier of this mode unless ``AXONFLOW_TIER`` names another."""
        return {
            DeploymentMode.COMMUNITY: Edition.COMMUNITY,
            DeploymentMode.COMMUNITY_SAAS: Edition.COMMUNITY,
            DeploymentMode.EVALUATION: Edition.EVALUATION,
        }.get(self, Edition.ENTERPRISE)


class DeploymentKind(StrEnum):
    """Legal values of ``DEPLOYMENT_KIND``; production is guarded by migration 094."""

    DEV = "dev"
    PRODUCTION = "production"


DEFAULT_ORG_ID = "local-dev-org"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one edition; -1 means unlimited. Each field ``x`` is overridden by ``AXONFLOW_LIMIT_X``."""

    tenant_policies: int
    organization_policies: int
    connectors: int
    llm_providers: int
    audit_retention_days: int
    execution_history: int
    concurrent_executions: int
    plans: int
    versions_per_plan: int
    sse_connections: int
    cost_estimates_per_day: int
    pending_approvals: int
    simulations_per_day: int
    impact_report_inputs: int
    decisions_list_rows: int
    decisions_lookback_hours: int
    policy_versions_shown: int


EDITIONS: dict[Edition, Limits] = {
    Edition.COMMUNITY: Limits(
        tenant_policies=20,
        organization_policies=0,
        connectors=2,
        llm_providers=2,
        audit_retention_days=3,
        execution_history=50,
        concurrent_executions=5,
        plans=25,
        versions_per_plan=10,
        sse_connections=5,
        cost_estimates_per_day=10,
        pending_approvals=5,
        simulations_per_day=0,
        impact_report_inputs=0,
        decisions_list_rows=5,
        decisions_lookback_hours=24,
        policy_versions_shown=5,
    ),
    Edition.EVALUATION: Limits(
        tenant_policies=50,
        organization_policies=5,
        connectors=5,
        llm_providers=3,
        audit_retention_days=14,
        execution_history=500,
        concurrent_executions=25,
        plans=100,
        versions_per_plan=25,
        sse_connections=25,
        cost_estimates_per_day=100,
        pending_approvals=25,
        simulations_per_day=300,
        impact_report_inputs=50,
        decisions_list_rows=100,
        decisions_lookback_hours=336,
        policy_versions_shown=5,
    ),
    Edition.ENTERPRISE: Limits(
        tenant_policies=-1,
        organization_policies=-1,
        connectors=-1,
        llm_providers=-1,
        audit_retention_days=3650,
        execution_history=-1,
        concurrent_executions=-1,
        plans=-1,
        versions_per_plan=-1,
        sse_connections=-1,
        cost_estimates_per_day=-1,
        pending_approvals=-1,
        simulations_per_day=-1,
        impact_report_inputs=100,
        decisions_list_rows=1000,
        decisions_lookback_hours=-1,
        policy_versions_shown=-1,
    ),
}
