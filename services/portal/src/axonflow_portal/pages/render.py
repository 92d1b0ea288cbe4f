"""Jinja2 with the page vocabulary: everything escaped, a name that a template lacks is an error."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from axonflow_portal.pages import words
from axonflow_portal.record import views as record_views
from axonflow_portal.record import words as record_words

PACKAGE = Path(__file__).resolve().parent.parent
STATIC = PACKAGE / "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around every page."""

    org_id: str
    mode: str
    version: str
    allowed_hosts: tuple[str, ...]
    style_version: str


def style_version() -> str:
    """A short digest of the stylesheet, so that a new release is never shown in an old dress."""
    return hashlib.sha256((STATIC / "portal.css").read_bytes()).hexdigest()[:12]


def code_spans(text: str) -> Markup:
    """Escaped text in which backquoted stretches become code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped on this line


def breakable(identifier: str) -> Markup:
    """An escaped identifier that a narrow column breaks after an underscore and nowhere else."""
    return Markup(str(escape(identifier)).replace("_", "_<wbr>"))  # noqa: S704 - escaped on this line


def segment(text: str) -> str:
    """Text as one segment of a path."""
    return quote(text, safe="")


class Templates:
    """Renders pages; holds the environment and the frame."""

    def __init__(self, frame: Frame) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(PACKAGE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(frame=frame, severities=words.SEVERITY_NAMES, tiers=words.TIER_NAMES, here="")
        self._environment.filters.update(
            action_name=words.ACTION_NAMES.__getitem__,
            action_meaning=words.ACTION_MEANINGS.__getitem__,
            severity_name=words.SEVERITY_NAMES.__getitem__,
            category_name=words.category_name,
            origin_phrase=words.origin_phrase,
            is_moved=words.is_moved,
            sentence=words.sentence,
            breakable=breakable,
            code_spans=code_spans,
            day=words.day,
            instant=words.instant,
        )
        self._environment.globals.update(
            verdicts=record_words.VERDICT_NAMES, planes=record_words.PLANE_NAMES, windows=record_words.WINDOW_NAMES
        )
        self._environment.filters.update(
            segment=segment,
            verdict_name=record_words.verdict_name,
            plane_name=record_words.plane_name,
            scope_name=lambda scope: record_words.SCOPE_NAMES.get(scope, scope),
            ago=record_words.ago,
            minute=record_words.minute,
            counted=record_words.counted,
            milliseconds=record_words.milliseconds,
            excerpt=record_words.excerpt,
            places=record_words.places,
            headline=record_views.headline,
        )

    def page(self, name: str, status: int = 200, **content: Any) -> HTMLResponse:
        """One rendered template as a response."""
        return HTMLResponse(self._environment.get_template(name).render(content), status_code=status)
