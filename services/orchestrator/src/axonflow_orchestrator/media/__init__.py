"""Media governance: what is sent along with a prompt is proven, read, cleaned and judged before a model sees it."""

from axonflow_policy.media_rules import MEDIA_RULES as SYSTEM_RULES

from axonflow_orchestrator.media.desk import MediaDesk
from axonflow_orchestrator.media.records import ImageResult, MediaAnalysis, MediaItem, MediaVerdict

__all__ = ["SYSTEM_RULES", "ImageResult", "MediaAnalysis", "MediaDesk", "MediaItem", "MediaVerdict"]
