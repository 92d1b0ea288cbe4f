"""What media governance takes, finds and keeps, in the contract's words (orchestrator section 1.12)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from axonflow_providers import Image


class MediaItem(msgspec.Struct, frozen=True, kw_only=True):
    """One member of a request's ``media``."""

    source: Literal["base64", "url"]
    base64_data: str | None = None
    url: str | None = None
    mime_type: str


class ImageResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one image; the numbers are 0 and the flags false where nothing looked, which a warning says.

    Attributes:
        sha256_hash: of the file as it was received.
        content_safe: true only where both scores are known and low.
        has_extracted_text: text was found, in the file's metadata or by an analyser in the picture.
        pii_types: kinds of personal data found in that text or by an analyser; ``location`` is a GPS position.
    """

    media_index: int
    sha256_hash: str
    has_faces: bool = False
    face_count: int = 0
    nsfw_score: float = 0.0
    violence_score: float = 0.0
    has_biometric_data: bool = False
    content_safe: bool = False
    document_type: str | None = None
    is_sensitive_document: bool = False
    has_pii: bool = False
    pii_types: tuple[str, ...] = ()
    has_extracted_text: bool = False
    extracted_text_length: int = 0
    estimated_cost_usd: float = 0.0
    warnings: tuple[str, ...] = ()


class MediaAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """``media_analysis`` of a reply."""

    results: tuple[ImageResult, ...] = ()
    total_cost_usd: float = 0.0
    analysis_time_ms: int = 0


class MediaVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk found.

    Attributes:
        images: what may be sent to a model: the pictures without their metadata.
        facts: by name behind ``media.``, for rules; what nothing looked at is not among them.
        texts: all text found in and beside the pictures, for the policy engine.
    """

    analysis: MediaAnalysis = MediaAnalysis()
    images: tuple[Image, ...] = ()
    facts: Mapping[str, Any] = {}
    texts: tuple[str, ...] = ()

    @property
    def recorded(self) -> Mapping[str, Any]:
        """What the ``media`` member of an audit row's metadata holds, and the export reads: no picture and no text."""
        found: dict[str, Any] = msgspec.to_builtins(self.analysis)
        return found


class Choice(msgspec.Struct, frozen=True):
    """What a tenant chose, as processes hold it."""

    enabled: bool
    allowed_analyzers: tuple[str, ...]


class MediaConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``media_governance_config``; without one, the defaults, changed by nobody."""

    tenant_id: str
    enabled: bool
    allowed_analyzers: tuple[str, ...] = ()
    updated_at: datetime | None = None
    updated_by: str = ""


class ConfigChange(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a change; what is absent or null stays."""

    enabled: bool | None = None
    allowed_analyzers: tuple[str, ...] | None = None


class MediaStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What this deployment can do."""

    available: bool
    enabled_by_default: bool
    per_tenant_control: bool
    tier: str
