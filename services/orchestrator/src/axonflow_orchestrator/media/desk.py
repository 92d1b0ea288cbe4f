"""The desk where all media of a call is looked at, before rules judge it and before a model gets it."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Protocol

from axonflow_contracts.errors import Fault
from axonflow_providers import Image

from axonflow_orchestrator.media.analyzers import ImageAnalyzer
from axonflow_orchestrator.media.findings import Examined, Finding, facts_of, text_of
from axonflow_orchestrator.media.formats import NotAPicture, read_picture
from axonflow_orchestrator.media.records import Choice, MediaAnalysis, MediaItem, MediaVerdict
from axonflow_orchestrator.media.sources import AT_ONCE_BYTES, MediaSources, together

# Large files that are read at one time; more would only take turns on the processor.
_AT_ONE_TIME = 2
_OTHER_WORDS = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}

JudgeText = Callable[[str], Awaitable[set[str]]]


class Choices(Protocol):
    """Who has media governance, and what may be looked for."""

    def choice_for(self, org_id: str, tenant_id: str) -> Choice:
        """What holds for a tenant now; looks in memory only."""
        ...


class MediaDesk:
    """Proves, reads, cleans and has judged whatever is sent along.

    Args:
        choices: who has media governance.
        sources: where files come from.
        judge_text: the kinds of personal data in a text; raises a ``Fault`` where it cannot say.
        analyzer: the operator's own, if there is one.
    """

    def __init__(
        self, choices: Choices, sources: MediaSources, judge_text: JudgeText, analyzer: ImageAnalyzer | None
    ) -> None:
        self._choices = choices
        self._sources = sources
        self._judge_text = judge_text
        self._analyzer = analyzer
        self._turns = asyncio.Semaphore(_AT_ONE_TIME)

    async def analyse(self, org_id: str, tenant_id: str, media: Sequence[MediaItem]) -> MediaVerdict:
        """Look at all of it; a call without media needs nobody's leave.

        Raises:
            Fault: 400 for what is not valid media; 403 where media governance is not enabled, or where something could
                not be judged.
        """
        if not media:
            return MediaVerdict()
        started = time.perf_counter()
        choice = self._choices.choice_for(org_id, tenant_id)
        if not choice.enabled:
            raise Fault(403, "Media governance is not enabled, so media is not taken", code="MEDIA_NOT_ENABLED")
        files = await self._sources.read(media)
        examined = [await self._examine(index, item, files[index]) for index, item in enumerate(media)]
        images = tuple(Image(data=each.picture.clean, mime_type=each.picture.mime_type) for each in examined)
        findings = await together(
            self._judge(each, image, choice.allowed_analyzers) for each, image in zip(examined, images, strict=True)
        )
        results = tuple(finding.result(index) for index, finding in enumerate(findings))
        return MediaVerdict(
            analysis=MediaAnalysis(
                results=results,
                total_cost_usd=float(sum(Decimal(str(result.estimated_cost_usd)) for result in results)),
                analysis_time_ms=round((time.perf_counter() - started) * 1000),
            ),
            images=images,
            facts=facts_of(findings, results),
            texts=tuple(text for finding in findings if (text := finding.text)),
        )

    async def _examine(self, index: int, item: MediaItem, data: bytes) -> Examined:
        if len(data) <= AT_ONCE_BYTES:
            return _examined(index, item.mime_type, data)
        async with self._turns:
            return await asyncio.to_thread(_examined, index, item.mime_type, data)

    async def _judge(self, examined: Examined, image: Image, allowed: tuple[str, ...]) -> Finding:
        seen = None if self._analyzer is None else await self._analyzer.look(image, allowed)
        text = text_of(examined.metadata, seen)
        return Finding(examined, seen, frozenset(await self._judge_text(text) if text else ()))


def _examined(index: int, declared: str, data: bytes) -> Examined:
    try:
        picture, metadata = read_picture(data)
    except NotAPicture as error:
        raise Fault(400, f"media[{index}] {error}") from error
    word = declared.strip().lower()
    if _OTHER_WORDS.get(word, word) != picture.mime_type:
        raise Fault(400, f"media[{index}] is {picture.mime_type}, which is not its mime_type")
    return Examined(picture, metadata, hashlib.sha256(data).hexdigest())
