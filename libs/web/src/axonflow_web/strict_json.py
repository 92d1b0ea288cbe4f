"""JSON that means the same to everyone who reads it.

Scanner, service and provider must see one text: whatever two readers could take differently is refused with 400.
"""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

import msgspec
from axonflow_contracts.errors import Fault

MAX_DEPTH = 100
MAX_VALUES = 200_000  # members and elements of one body: at worst, all of them keys, about 0.5 s of CPU
_MOST_DIGITS = 310  # of a whole number with its sign; the largest double has 309

_decode = msgspec.json.Decoder().decode

_BRACKETS_ONLY = bytes(set(range(256)) - set(b"[]{}"))
_STEP = bytes({91: 1, 123: 1, 93: 255, 125: 255}.get(byte, byte) for byte in range(256))  # as signed: +1 and -1


def check(data: bytes) -> None:
    """Refuse a body that `loads` would refuse.

    Raises:
        Fault: 400 with a sentence that says what is wrong.
    """
    loads(data)


def loads(data: bytes) -> Any:
    """Decode a body strictly.

    Refused: text that is not UTF-8, duplicate keys at any depth (after unescaping), nesting deeper than
    `MAX_DEPTH`, more than `MAX_VALUES` members and elements, lone surrogates, NaN and Infinity, numbers outside
    the range of a double. RFC 8259 leaves each of these to the reader (sections 4, 6, 8.2 and 9).

    Raises:
        Fault: 400 with a sentence that says what is wrong.
    """
    _bound(data)
    try:
        _scan(data.decode())  # first: what it refuses would cost the decoder more
        value = _decode(data)
    except _Duplicate as error:
        raise Fault(400, "Invalid request body: a JSON object has the same key twice") from error
    except _OutOfRange as error:
        raise _number_out_of_range() from error
    except UnicodeDecodeError as error:
        raise Fault(400, "Invalid request body: the JSON text is not valid UTF-8") from error
    except msgspec.ValidationError as error:
        raise _number_out_of_range() from error
    except RecursionError as error:
        raise _too_deep() from error
    except (msgspec.DecodeError, ValueError) as error:
        raise _not_json() from error
    return value


class _Duplicate(Exception):
    """An object has one key twice."""


class _OutOfRange(Exception):
    """A whole number that no double comes near."""


def _unique(pairs: list[tuple[str, Any]]) -> None:
    # The parsed value is thrown away: the hook only counts, so that values need not be kept.
    if len(dict(pairs)) != len(pairs):
        raise _Duplicate


def _digits(number: str) -> int:
    # Its value is not wanted here: a long number is quadratic work.
    if len(number) > _MOST_DIGITS:
        raise _OutOfRange
    return 0


# Looks, and keeps nothing; json.loads would build one a body.
_scan = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_digits, parse_float=len).decode


def _bound(data: bytes) -> None:
    """Refuse what would cost much CPU, by counting bytes before anything is parsed."""
    openers = data.count(b"[") + data.count(b"{")
    separators = data.count(b",") + data.count(b":")
    if openers <= MAX_DEPTH and separators + openers <= MAX_VALUES:
        return
    structure = _outside_strings(data)
    # Each value but the first follows a comma or opens with a bracket; a member's colon would count it twice.
    if structure.count(b",") + structure.count(b"[") + structure.count(b"{") > MAX_VALUES:
        raise Fault(400, f"Invalid request body: more than {MAX_VALUES} JSON values")
    if structure.count(b"]") + structure.count(b"}") > structure.count(b"[") + structure.count(b"{"):
        raise _not_json()
    steps = memoryview(structure.translate(_STEP, _BRACKETS_ONLY)).cast("b")
    if max(accumulate(steps), default=0) > MAX_DEPTH:
        raise _too_deep()


def _outside_strings(data: bytes) -> bytes:
    """The text without its strings; right for valid JSON, and the parser refuses the rest."""
    if b"\\" in data:
        # Left to right, so a quote that survives the second step is not escaped.
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    if data.count(b'"') > 4 * MAX_VALUES:
        raise Fault(400, f"Invalid request body: more than {MAX_VALUES} JSON values")
    return b"".join(data.split(b'"')[::2])


def _not_json() -> Fault:
    return Fault(400, "Invalid request body: not valid JSON")


def _number_out_of_range() -> Fault:
    return Fault(400, "Invalid request body: a number is out of range")


def _too_deep() -> Fault:
    return Fault(400, f"Invalid request body: JSON nested deeper than {MAX_DEPTH} levels")
