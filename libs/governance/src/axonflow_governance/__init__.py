"""The governed call: content to decision, one row, one span."""

from axonflow_governance.decision import Decision, Exchange, ModelCall, Particulars, Refusal
from axonflow_governance.errors import JudgementFailed, PolicySetUnavailable
from axonflow_governance.governor import Governor
from axonflow_governance.source import PolicySource

__all__ = [
    "Decision",
    "Exchange",
    "Governor",
    "JudgementFailed",
    "ModelCall",
    "Particulars",
    "PolicySetUnavailable",
    "PolicySource",
    "Refusal",
]
