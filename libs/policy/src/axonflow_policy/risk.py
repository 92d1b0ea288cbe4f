"""The risk score that a call brings to tenant rules, from what the static policies found."""

from __future__ import annotations

from axonflow_policy.model import Evaluation
from axonflow_policy.policy_set import PolicySet


def risk_score(policy_set: PolicySet, evaluation: Evaluation) -> float:
    """0 to 1: the weight of the weightiest policy that matched, 0 when none did.

    The contract names bands and no formula (agent section 3.4). A sum would let three harmless findings weigh as much
    as one attack.
    """
    matched = {match.policy_id for match in evaluation.matches}
    return max((policy.risk_weight for policy in policy_set.policies if policy.id in matched), default=0.0)
