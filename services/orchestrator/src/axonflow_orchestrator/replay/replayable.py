"""Whether a decision can be made again, and why not where it cannot."""

from __future__ import annotations

from types import MappingProxyType

import msgspec
from axonflow_audit import AuditRow


class NotReplayable(msgspec.Struct, frozen=True):
    """Why a decision cannot be made again.

    Attributes:
        code: not_judged, off, redacted, too_large, failed, sealing_key, cannot_open or policy_set.
        message: the same for people.
    """

    code: str
    message: str


_MESSAGES = MappingProxyType(
    {
        "not_judged": "the call was turned away before it was judged, so there is nothing to judge again",
        "off": "no text was kept: recording was off for this tenant when the call was made, or there was no text",
        "redacted": "only redacted text was kept: exact replay needs recording `sealed` when the call is made",
        "too_large": "the input was larger than what is kept sealed",
        "failed": "the input could not be sealed when the call was made",
        "sealing_key": "this service has no sealing key, or not the one that the input was sealed under",
        "cannot_open": "the sealed input does not open: it was altered, belongs to another row or to a newer release",
        "policy_set": "the policy set that decided was not kept",
    }
)


def not_replayable(code: str) -> NotReplayable:
    """A reason by its code; one that a newer release wrote is told as it is."""
    return NotReplayable(code, _MESSAGES.get(code, code))


def why_not(row: AuditRow, omitted: str | None) -> NotReplayable | None:
    """What the rows tell: ``omitted`` is empty where the input is kept, and None where none was asked for."""
    if row.policy_set_hash is None:
        return not_replayable("not_judged")
    if omitted == "":
        return None
    if omitted is not None:
        return not_replayable(omitted)
    return not_replayable("off" if row.query is None else "redacted")
