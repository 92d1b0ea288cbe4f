"""What a decision was made on, kept whole and sealed, so that it can be made again; and the way back.

A sealed input opens for its organisation and decision alone. It holds the texts and what else the verdict hung on; the
set of policies is kept elsewhere, under the hash that the decision names.
"""

from __future__ import annotations

import logging
import zlib
from typing import NamedTuple

import msgspec
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_policy import Content, Evaluation, Part
from axonflow_sealing import CannotOpen, Sealer, SealingContext

logger = logging.getLogger("axonflow.governance.inputs")

# Half a mebibyte: larger calls are rare, and one row must not fill a batch.
LARGEST_INPUT = 512 * 1024
PURPOSE = "audit.input"
_PART_BYTES = 16  # what one more part costs beside its texts
_WORTH_PACKING = 4 * 1024
_PLAIN, _PACKED = b"\x00", b"\x01"


class JudgedInput(msgspec.Struct, frozen=True, kw_only=True):
    """All that a verdict hung on, beside the set of policies.

    Attributes:
        content: every part with its path, flags and role.
        is_admin: whether the caller's permissions left out what administrators may.
        tenant_rules: whether the plane also judged by what the tenant wrote.
        gated: false where nothing could be stopped any more, as with the report of a call.
        approvals_act: whether asking for approval stopped a call in the edition of then.
    """

    content: Content
    phase: Phase
    is_admin: bool
    tenant_rules: bool
    gated: bool
    approvals_act: bool

    def outcome(self, evaluation: Evaluation, *, approvals_act: bool) -> Verdict:
        """The verdict that the record shows for ``evaluation``."""
        if not self.gated:
            return Verdict.REDACTED if evaluation.matches else Verdict.ALLOWED
        return in_edition(evaluation.verdict, approvals_act=approvals_act)


class KeptInput(NamedTuple):
    """What a row is told: the sealed input, or why there is none."""

    sealed: bytes | None
    omitted: str | None
    size_bytes: int


def in_edition(verdict: Verdict, *, approvals_act: bool) -> Verdict:
    """Community has no approval queue: a match that asks for approval passes, and stays visible in the row."""
    return Verdict.ALLOWED if verdict is Verdict.NEEDS_APPROVAL and not approvals_act else verdict


class InputSealer:
    """Seals inputs and opens them; safe to use from many threads."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    @property
    def available(self) -> bool:
        """Whether there is a key."""
        return self._sealer.available

    def keep(self, judged: JudgedInput, org_id: str, row_id: str) -> KeptInput:
        """The input for the row of ``row_id``; what cannot be kept is told and fails no call."""
        size = size_of(judged.content)
        if size > LARGEST_INPUT:
            return KeptInput(None, "too_large", size)
        try:
            sealed = self._sealer.seal(_packed(judged), context=_place(org_id, row_id))
        except Exception:  # the verdict stands and its row is written; only the copy for later is missing
            logger.exception("an input could not be sealed")
            return KeptInput(None, "failed", size)
        return KeptInput(sealed, None, size)

    def open(self, sealed: bytes, org_id: str, row_id: str) -> JudgedInput:
        """The input of a row.

        Raises:
            SealingUnavailable: the deployment has no key.
            CannotOpen: altered, moved from another row, under a key that is not given, or of a newer release.
        """
        return _unpacked(self._sealer.open(sealed, context=_place(org_id, row_id)))


class _SealedPart(msgspec.Struct, array_like=True):
    # Bytes: texts may hold lone surrogates, which no UTF-8 has.
    path: bytes
    text: bytes
    role: bytes
    structured: bool


class _Sealed(msgspec.Struct):
    parts: list[_SealedPart]
    phase: Phase
    is_admin: bool
    tenant_rules: bool
    gated: bool
    approvals_act: bool


def size_of(content: Content) -> int:
    """Bytes of a content, at least; exact wherever its texts are ASCII or the sum is near the limit."""
    shown = sum(len(part.text) + len(part.path) + len(part.role) + _PART_BYTES for part in content.parts)
    if shown > LARGEST_INPUT:
        return shown
    return sum(
        len(_bytes(part.text)) + len(_bytes(part.path)) + len(_bytes(part.role)) + _PART_BYTES for part in content.parts
    )


def _place(org_id: str, row_id: str) -> SealingContext:
    return SealingContext(org_id, PURPOSE, row_id)


def _packed(judged: JudgedInput) -> bytes:
    parts = [
        _SealedPart(_bytes(part.path), _bytes(part.text), _bytes(part.role), part.structured)
        for part in judged.content.parts
    ]
    flags = (judged.is_admin, judged.tenant_rules, judged.gated, judged.approvals_act)
    data = msgspec.msgpack.encode(_Sealed(parts, judged.phase, *flags))
    return _PLAIN + data if len(data) < _WORTH_PACKING else _PACKED + zlib.compress(data, 1)


def _unpacked(data: bytes) -> JudgedInput:
    try:
        body = zlib.decompress(data[1:]) if data[:1] == _PACKED else data[1:]
        sealed = msgspec.msgpack.decode(body, type=_Sealed)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise CannotOpen("The input is not in a form that this release reads") from error
    parts = tuple(
        Part(_text(part.path), _text(part.text), structured=part.structured, role=_text(part.role))
        for part in sealed.parts
    )
    return JudgedInput(
        content=Content(parts),
        phase=sealed.phase,
        is_admin=sealed.is_admin,
        tenant_rules=sealed.tenant_rules,
        gated=sealed.gated,
        approvals_act=sealed.approvals_act,
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
