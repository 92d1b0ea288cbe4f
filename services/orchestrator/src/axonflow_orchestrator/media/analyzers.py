"""An analyser that the operator runs (``MEDIA_ANALYZER_URL``): it sees the picture, and says what no header tells.

It gets the cleaned picture as the body of a POST and answers JSON. What it does not say is not known; an answer that
does not hold to the form, or none, refuses the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_providers import Image, ProviderFault, Transport
from axonflow_settings import Secret

LARGEST_ANSWER_BYTES = 1 << 20
ASKED_HEADER = "x-axonflow-analyzers"

Score = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_.-]*$")]
Words = Annotated[tuple[Word, ...], msgspec.Meta(max_length=64)]
Text = Annotated[str, msgspec.Meta(max_length=262_144)]
Cost = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an analyser says of a picture; what is absent or null is not known.

    Attributes:
        text: what is written in the picture; it is judged like any text, and never kept.
    """

    nsfw_score: Score | None = None
    violence_score: Score | None = None
    face_count: Count | None = None
    has_biometric_data: bool | None = None
    document_type: Word | None = None
    is_sensitive_document: bool | None = None
    pii_types: Words | None = None
    text: Text | None = None
    estimated_cost_usd: Cost = 0.0


# What a tenant may choose among, and the members of an answer that each stands for.
ANALYZERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "nsfw": ("nsfw_score",),
        "violence": ("violence_score",),
        "faces": ("face_count",),
        "biometric": ("has_biometric_data",),
        "document": ("document_type", "is_sensitive_document"),
        "pii": ("pii_types",),
        "ocr": ("text",),
    }
)
_MEMBERS = tuple(member for members in ANALYZERS.values() for member in members)


def unknown_in(seen: Seen) -> tuple[str, ...]:
    """The analysers of which nothing is known."""
    return tuple(
        name for name, members in ANALYZERS.items() if all(getattr(seen, member) is None for member in members)
    )


@dataclass(frozen=True, slots=True)
class ImageAnalyzer:
    """Asks the operator's analyser.

    Attributes:
        transport: bounds the answer; the address is the operator's, and no egress rule concerns it.
        key: sent as a bearer token, where the operator gave one.
        timeout_s: for one picture.
    """

    transport: Transport
    url: str
    key: Secret
    timeout_s: float

    async def look(self, image: Image, allowed: tuple[str, ...]) -> Seen:
        """What it sees, of what the tenant allows to be looked for; an empty choice allows everything.

        Raises:
            Fault: 403, it gave no usable answer.
        """
        asked = tuple(name for name in ANALYZERS if not allowed or name in allowed)
        if not asked:
            return Seen()
        headers = {"content-type": image.mime_type, "accept": "application/json", ASKED_HEADER: ",".join(asked)}
        if self.key:
            headers["authorization"] = f"Bearer {self.key.reveal()}"
        try:
            answer = await self.transport.send(
                "POST", self.url, headers=headers, body=image.data, timeout_s=self.timeout_s
            )
        except ProviderFault as error:
            raise _unjudged(f"the analyser gave no answer ({error.kind.value})") from error
        if answer.status != 200:
            raise _unjudged(f"the analyser answered {answer.status}")
        return _only(_read(answer.body), asked)


def _read(body: bytes) -> Seen:
    try:
        return msgspec.json.decode(body, type=Seen)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _unjudged("the analyser's answer is not of the agreed form") from error


def _only(seen: Seen, asked: tuple[str, ...]) -> Seen:
    """Without members that nobody asked for."""
    wanted = {member for name in asked for member in ANALYZERS[name]}
    return msgspec.structs.replace(seen, **{member: None for member in _MEMBERS if member not in wanted})


def _unjudged(why: str) -> Fault:
    return Fault(403, f"The media cannot be judged, so the call is refused: {why}", code="MEDIA_NOT_JUDGED")
