"""What a provider's reply says of itself: the model that answered and the tokens it took."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec
from axonflow_pricing import Usage

UNKNOWN_MODEL = "other"
# No call takes more; a larger number is a fault or a trick, and its cost would fit no column.
_MOST_TOKENS = 10**9
# What may become a label of a metric: a name of the form that providers give, never free text.
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,99}")


class UnreadableReply(Exception):
    """A success whose body is not the JSON it must be."""


class Told(NamedTuple):
    """What the reply told.

    Attributes:
        model: the name it gives, or empty.
        usage: tokens; zero where it told none, or none that can be.
        note: empty, ``missing`` without any usage, ``implausible`` when a number of it was not taken as told.
    """

    model: str
    usage: Usage
    note: str = ""

    @property
    def label(self) -> str:
        """The model's name where it may stand in a metric, else ``other``."""
        return self.model if _MODEL_NAME.fullmatch(self.model) else UNKNOWN_MODEL


class _Reply(msgspec.Struct, frozen=True):
    model: Any = None
    usage: Any = None


def told_by(body: bytes) -> Told:
    """Read model and tokens leniently: the reply is relayed as it is, whatever shape these have.

    Raises:
        UnreadableReply: ``body`` is not JSON.
    """
    try:
        reply = msgspec.json.decode(body, type=_Reply)
    except msgspec.ValidationError:
        # JSON, but of another shape: the provider's own business, relayed as it is and counted as nothing.
        return Told("", Usage(), "missing")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableReply from error
    model = reply.model if isinstance(reply.model, str) else ""
    if not isinstance(reply.usage, dict):
        return Told(model, Usage(), "missing")
    details = reply.usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    counts = [
        _count(number) for number in (reply.usage.get("prompt_tokens"), reply.usage.get("completion_tokens"), cached)
    ]
    prompt, completion, cached_prompt = (count or 0 for count in counts)
    usage = Usage(prompt=prompt, completion=completion, cached=cached_prompt)
    return Told(model, usage, "implausible" if None in counts else "")


def _count(number: object) -> int | None:
    """``number`` as a count of tokens; None when it is none."""
    if number is None:
        return 0
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= _MOST_TOKENS:
        return None
    return int(number) if number == int(number) else None
