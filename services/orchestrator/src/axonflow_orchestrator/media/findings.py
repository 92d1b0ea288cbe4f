"""What was found of one image, put into the contract's words: the result, the facts for rules, the warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from axonflow_policy.media_rules import NSFW_LIMIT, VIOLENCE_LIMIT

from axonflow_orchestrator.media.analyzers import Seen, unknown_in
from axonflow_orchestrator.media.formats import MOST_TEXT_BYTES, Metadata, Picture
from axonflow_orchestrator.media.records import ImageResult

LOCATION = "location"
_TOLD = ("has_pii", "has_extracted_text", "extracted_text_length", "sha256_hash")


class Examined(NamedTuple):
    """One file, read."""

    picture: Picture
    metadata: Metadata
    sha256: str


class Finding(NamedTuple):
    """All that is known of one image.

    Attributes:
        seen: None where no analyser is set up.
        pii: kinds of personal data in its texts.
    """

    examined: Examined
    seen: Seen | None
    pii: frozenset[str]

    @property
    def text(self) -> str:
        """What is written beside and in the picture."""
        return text_of(self.examined.metadata, self.seen)

    @property
    def pii_types(self) -> tuple[str, ...]:
        """Kinds of personal data, from texts, from the analyser, and from the file's position."""
        found = self.pii | set((self.seen and self.seen.pii_types) or ())
        return tuple(sorted(found | {LOCATION} if self.examined.metadata.has_position else found))

    def result(self, index: int) -> ImageResult:
        """In the words of a reply."""
        seen, text = self.seen or Seen(), self.text
        return ImageResult(
            media_index=index,
            sha256_hash=self.examined.sha256,
            has_faces=bool(seen.face_count),
            face_count=seen.face_count or 0,
            nsfw_score=seen.nsfw_score or 0.0,
            violence_score=seen.violence_score or 0.0,
            has_biometric_data=bool(seen.has_biometric_data),
            content_safe=_is_safe(seen) is True,
            document_type=seen.document_type,
            is_sensitive_document=bool(seen.is_sensitive_document),
            has_pii=bool(self.pii_types),
            pii_types=self.pii_types,
            has_extracted_text=bool(text),
            extracted_text_length=len(text),
            estimated_cost_usd=seen.estimated_cost_usd,
            warnings=tuple(self._warnings()),
        )

    def _warnings(self) -> Iterator[str]:
        metadata, trailing = self.examined.metadata, self.examined.picture.trailing_bytes
        if self.seen is None:
            yield "No analyser is set up: what is in the picture is not known, nor that it is safe"
        elif unknown := unknown_in(self.seen):
            yield f"Not analysed: {', '.join(unknown)}"
        if metadata.has_position:
            yield "The file said where the picture was taken, which is personal data; the model does not get it"
        if metadata.texts:
            yield "The file held text beside the picture; the model does not get it"
        if not metadata.is_whole:
            yield f"The file held more than {MOST_TEXT_BYTES} bytes of text beside the picture; the rest was not read"
        if trailing:
            yield f"{trailing} bytes followed the end of the picture; the model does not get them"


def text_of(metadata: Metadata, seen: Seen | None) -> str:
    """All text of one image, a line for each place it stood in."""
    return "\n".join([*metadata.texts, *([seen.text] if seen is not None and seen.text else [])])


def facts_of(findings: Sequence[Finding], results: Sequence[ImageResult]) -> Mapping[str, Any]:
    """By name behind ``media.``: a value for each image of which it is known, and no name without any."""
    facts: dict[str, Any] = {name: [getattr(result, name) for result in results] for name in _TOLD}
    facts["count"] = len(findings)
    facts["mime_type"] = [finding.examined.picture.mime_type for finding in findings]
    facts["pii_types"] = [kind for finding in findings for kind in finding.pii_types]
    facts["has_pii_beyond_location"] = [bool(set(finding.pii_types) - {LOCATION}) for finding in findings]
    looked = [finding.seen for finding in findings if finding.seen is not None]
    for name in ("nsfw_score", "violence_score", "face_count", "has_biometric_data", "document_type"):
        facts[name] = [value for seen in looked if (value := getattr(seen, name)) is not None]
    facts["is_sensitive_document"] = [
        seen.is_sensitive_document for seen in looked if seen.is_sensitive_document is not None
    ]
    facts["has_faces"] = [count > 0 for count in facts["face_count"]]
    facts["content_safe"] = [safe for seen in looked if (safe := _is_safe(seen)) is not None]
    return {name: value for name, value in facts.items() if value != []}


def _is_safe(seen: Seen) -> bool | None:
    if seen.nsfw_score is None or seen.violence_score is None:
        return None
    return seen.nsfw_score <= NSFW_LIMIT and seen.violence_score <= VIOLENCE_LIMIT
