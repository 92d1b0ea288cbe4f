"""Which personal data a text holds, by the policies in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, PolicySet
from axonflow_policy.policy_set import ENGINE_FAILURE_ID

_PII = "pii-"
_OWN = "sys_pii_"
_AT_ONCE = 16_384  # characters that are judged without a thread, as the agent does


@dataclass(frozen=True, slots=True)
class PiiJudge:
    """Names kinds of personal data as the ids of policies do: ``ssn`` for ``sys_pii_ssn``.

    Attributes:
        policies: the set in force, or None before there is one.
    """

    policies: Callable[[], PolicySet | None]

    async def __call__(self, text: str) -> set[str]:
        """The kinds found.

        Raises:
            Fault: 403, nothing can be said, so the call must not go on.
        """
        policy_set = self.policies()
        if policy_set is None:
            raise Fault(403, "The media cannot be judged: no policies are loaded", code="MEDIA_NOT_JUDGED")
        content = Content.of(text, "media")
        if len(text) > _AT_ONCE:
            evaluation = await asyncio.to_thread(policy_set.evaluate, content, Phase.REQUEST)
        else:
            evaluation = policy_set.evaluate(content, Phase.REQUEST)
        if any(match.policy_id == ENGINE_FAILURE_ID for match in evaluation.matches):
            raise Fault(403, "The media cannot be judged: the policy engine failed", code="MEDIA_NOT_JUDGED")
        return {match.policy_id.removeprefix(_OWN) for match in evaluation.matches if match.category.startswith(_PII)}
