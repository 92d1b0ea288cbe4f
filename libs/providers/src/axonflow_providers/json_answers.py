"""What every wire format needs of an answer: strict JSON, counts that can be, and faults with our own words."""

from __future__ import annotations

import datetime as dt
import email.utils
import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from axonflow_providers.protocol import FaultKind, HttpAnswer, ProviderFault, TokenUsage

T = TypeVar("T")

LONGEST_RETRY_AFTER_S = 3_600.0
# Error bodies and usage are small; whatever is larger is not worth the memory of reading it.
_LARGEST_ASIDE_BYTES = 65_536
# No call takes more; a larger number is a fault or a trick, and its cost would fit no column.
_MOST_TOKENS = 10**9
_LONGEST_CODE = 64
_NOT_CODE = re.compile(r"[^A-Za-z0-9_.-]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,255}")
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")

_MESSAGES = {
    FaultKind.CREDENTIALS: "The provider did not accept the credentials",
    FaultKind.UNKNOWN_MODEL: "The provider has no such model at this address",
    FaultKind.INVALID_REQUEST: "The provider did not understand the request",
    FaultKind.TOO_LONG: "The request is longer than the model takes",
    FaultKind.CONTENT_FILTER: "The provider's own content policy refused the request",
    FaultKind.RATE_LIMITED: "The provider's rate limit is reached",
    FaultKind.QUOTA: "The account at the provider has no quota left",
    FaultKind.OVERLOADED: "The provider is overloaded",
    FaultKind.SERVER: "The provider failed",
    FaultKind.UNREACHABLE: "The provider cannot be reached",
    FaultKind.TIMEOUT: "The provider did not answer in time",
    FaultKind.MALFORMED: "The provider's answer is not what its interface promises",
    FaultKind.REFUSED_ADDRESS: "The provider's address may not be called",
}
# Statuses that mean more than their class: RFC 9110, and 529 (Anthropic) and 524 (in front of many) besides.
_KINDS = {
    401: FaultKind.CREDENTIALS,
    402: FaultKind.QUOTA,
    403: FaultKind.CREDENTIALS,
    404: FaultKind.UNKNOWN_MODEL,
    405: FaultKind.UNKNOWN_MODEL,
    407: FaultKind.CREDENTIALS,
    408: FaultKind.TIMEOUT,
    409: FaultKind.OVERLOADED,
    410: FaultKind.UNKNOWN_MODEL,
    413: FaultKind.TOO_LONG,
    425: FaultKind.OVERLOADED,
    429: FaultKind.RATE_LIMITED,
    503: FaultKind.OVERLOADED,
    504: FaultKind.TIMEOUT,
    524: FaultKind.TIMEOUT,
    529: FaultKind.OVERLOADED,
}


def succeeded(answer: HttpAnswer) -> bool:
    """Whether the status says that the body is a reply."""
    return 200 <= answer.status < 300


def kind_of(status: int) -> FaultKind:
    """How a call failed, by the status alone; a redirect is no answer of an API."""
    if status in _KINDS:
        return _KINDS[status]
    if 400 <= status < 500:
        return FaultKind.INVALID_REQUEST
    return FaultKind.SERVER if status >= 500 else FaultKind.MALFORMED


def fault(kind: FaultKind, answer: HttpAnswer, *, code: object = "", usage: TokenUsage | None = None) -> ProviderFault:
    """A fault of ``kind`` in our words, with what the answer's status and headers add.

    Args:
        kind: what went wrong.
        answer: where it was seen.
        code: the provider's own code, of whatever type and length it sent.
        usage: what the answer counted all the same.
    """
    return ProviderFault(
        kind,
        f"{_MESSAGES[kind]} (status {answer.status})",
        status=answer.status,
        code=cleaned_code(code),
        retry_after_s=None if succeeded(answer) else retry_after_s(answer.headers),
        usage=usage,
    )


def message_of(kind: FaultKind) -> str:
    """The sentence for a fault without an answer."""
    return _MESSAGES[kind]


def encoded(value: object) -> bytes:
    """``value`` as JSON for a request's body.

    Raises:
        ProviderFault: ``INVALID_REQUEST``: it holds what JSON cannot, such as half of a surrogate pair.
    """
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError, OverflowError):
        # Without a cause: the encoder's own error may quote the prompt.
        raise ProviderFault(FaultKind.INVALID_REQUEST, "The request holds what JSON cannot carry") from None


def decoded(answer: HttpAnswer, type_: type[T]) -> T:
    """The body as ``type_``, strictly; fields that it does not name are skipped without being kept.

    Raises:
        ProviderFault: ``MALFORMED``: no JSON, cut off, too deep, or of another shape.
    """
    try:
        return msgspec.json.decode(answer.body, type=type_)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError):
        # Without a cause: the decoder's own error may quote the body.
        raise fault(FaultKind.MALFORMED, answer) from None


def error_object(answer: HttpAnswer) -> dict[str, Any]:
    """The JSON object of an error body; empty when it is none, or too large to be one. Never raises."""
    return small_object(answer.body)


def small_object(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """A small JSON object beside the matter, such as usage; empty when it is anything else. Never raises."""
    if not 0 < memoryview(raw).nbytes <= _LARGEST_ASIDE_BYTES:
        return {}
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError):
        return {}
    return value if isinstance(value, dict) else {}


def inner(value: object, name: str) -> dict[str, Any]:
    """The object at ``name`` inside ``value``; empty when there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def token_count(value: object) -> int | None:
    """``value`` as a count of tokens; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_TOKENS:
        return None
    return int(value) if value == int(value) else None


def cleaned_code(value: object) -> str:
    """A provider's code as at most 64 characters of ``[A-Za-z0-9_.-]``; empty when it is neither text nor number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = value[:_LONGEST_CODE] if isinstance(value, str) else str(value) if abs(value) < 10**18 else ""
    return _NOT_CODE.sub("", text)


def cleaned_name(value: object, otherwise: str = "") -> str:
    """A model's name or an id as the provider sent it; ``otherwise`` where it is none, such as a whole sentence."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else otherwise


def retry_after_s(headers: Mapping[str, str], now: dt.datetime | None = None) -> float | None:
    """``Retry-After`` as seconds from ``now``, from 0 to an hour; None without one that can be read.

    Both forms of RFC 9110 section 10.2.3; ``retry-after-ms``, which some providers send, is more exact and comes first.
    """
    milliseconds, text = headers.get("retry-after-ms", "").strip(), headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(milliseconds):
        return min(float(milliseconds) / 1_000, LONGEST_RETRY_AFTER_S)
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_RETRY_AFTER_S)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    wait_s = (moment - (now or dt.datetime.now(dt.UTC))).total_seconds()
    return min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S) if math.isfinite(wait_s) else None
