"""The governed call: content to decision, one row, one span."""

from axonflow_governance.decision import Decision, Exchange, ModelCall, Particulars, Refusal
from axonflow_governance.dumps import WriteGate
from axonflow_governance.errors import (
    CallStopped,
    CompilerUnavailable,
    JudgementFailed,
    PoliciesRefused,
    PolicySetUnavailable,
)
from axonflow_governance.gate import Gate
from axonflow_governance.governor import CurrentSet, Governor
from axonflow_governance.postures import UnderPosture
from axonflow_governance.source import PolicySource

__all__ = [
    "CallStopped",
    "CompilerUnavailable",
    "CurrentSet",
    "Decision",
    "Exchange",
    "Gate",
    "Governor",
    "JudgementFailed",
    "ModelCall",
    "Particulars",
    "PoliciesRefused",
    "PolicySetUnavailable",
    "PolicySource",
    "Refusal",
    "UnderPosture",
    "WriteGate",
]
