"""Which action a policy takes under an operator's posture, and where that action comes from."""

from __future__ import annotations

from types import MappingProxyType

from axonflow_contracts.posture import Lever, Posture, Profile
from axonflow_contracts.verdicts import Action, Phase

from axonflow_policy.model import EffectiveAction, Policy

STORED = "stored"

# The variable behind each lever, without its mode prefix (contract, agent section 8).
LEVER_VARIABLES = MappingProxyType(
    {
        Lever.PII: "PII_ACTION",
        Lever.SQLI: "SQLI_ACTION",
        Lever.SENSITIVE_DATA: "SENSITIVE_DATA_ACTION",
        Lever.HIGH_RISK: "HIGH_RISK_ACTION",
        Lever.DANGEROUS_QUERIES: "DANGEROUS_QUERY_ACTION",
        Lever.DANGEROUS_COMMANDS: "DANGEROUS_COMMAND_ACTION",
    }
)

# Contract, agent section 3.2; `default` is absent because it has no opinion (rulings section 4).
_PROFILES = MappingProxyType(
    {
        Profile.DEV: MappingProxyType(
            {
                Lever.PII: Action.LOG,
                Lever.SQLI: Action.LOG,
                Lever.SENSITIVE_DATA: Action.LOG,
                Lever.HIGH_RISK: Action.LOG,
                Lever.DANGEROUS_QUERIES: Action.WARN,
                Lever.DANGEROUS_COMMANDS: Action.WARN,
            }
        ),
        Profile.STRICT: MappingProxyType(
            {lever: Action.WARN if lever is Lever.HIGH_RISK else Action.BLOCK for lever in Lever}
        ),
        Profile.COMPLIANCE: MappingProxyType(dict.fromkeys(Lever, Action.BLOCK)),
    }
)


def effective_action(policy: Policy, phase: Phase, posture: Posture) -> EffectiveAction:
    """The one action of ``policy`` in ``phase``.

    Order, strongest first: mode lever, global lever, enforce list, profile, the row's action for the phase, the
    row's action (contract, agent section 3.2 as amended by rulings section 4).
    """
    if not policy.enabled or not policy.phases.covers(phase) or policy.category in posture.skip_categories:
        return EffectiveAction(None, STORED)
    if policy.lever is not None:
        moved = _moved_by_lever(policy.lever, posture)
        if moved is not None:
            return moved
    stored = policy.action_request if phase is Phase.REQUEST else policy.action_response
    return EffectiveAction(policy.action if stored is None else stored, STORED)


def _moved_by_lever(lever: Lever, posture: Posture) -> EffectiveAction | None:
    variable = LEVER_VARIABLES[lever]
    if lever in posture.mode_levers:
        return EffectiveAction(posture.mode_levers[lever], f"env:{posture.mode}_{variable}")
    if lever in posture.global_levers:
        return EffectiveAction(posture.global_levers[lever], f"env:{variable}")
    if lever in posture.enforce:
        return EffectiveAction(Action.BLOCK, f"enforce:{lever}")
    profile = _PROFILES.get(posture.profile)
    return None if profile is None else EffectiveAction(profile[lever], f"profile:{posture.profile}")
