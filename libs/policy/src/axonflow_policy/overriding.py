"""What an organisation's or a tenant's override makes of a policy; it outranks every lever (contract, agent §3.2)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Phase

from axonflow_policy.actions import effective_action
from axonflow_policy.model import EffectiveAction, Policy


class PolicyOverride(NamedTuple):
    """One override: an action in place of the policy's own, or a switch, or both.

    Attributes:
        id: of the override; origins name it.
        action: taken on every side that the policy judges; None leaves the actions.
        enabled: turns the policy on or off; None leaves the switch.
    """

    id: str
    action: Action | None = None
    enabled: bool | None = None

    @property
    def origin(self) -> str:
        """How decisions name the override."""
        return f"override:{self.id}"


def overridden_action(
    policy: Policy, phase: Phase, posture: Posture, override: PolicyOverride | None
) -> EffectiveAction:
    """The one action of ``policy`` in ``phase``, under ``override`` if there is one.

    An action alone does not turn on what is off, and a category that a plane does not judge stays unjudged.
    """
    if override is None:
        return effective_action(policy, phase, posture)
    if override.enabled is False:
        return EffectiveAction(None, override.origin)
    switched_on = override.enabled is True and not policy.enabled
    row = msgspec.structs.replace(policy, enabled=True) if switched_on else policy
    found = effective_action(row, phase, posture)
    if found.action is None:
        return found
    if override.action is not None:
        return EffectiveAction(override.action, override.origin)
    return EffectiveAction(found.action, override.origin) if switched_on else found
