"""Answers in JSON from formats without a switch for it: by a tool that must be called, or by asking in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axonflow_providers.json_answers import encoded
from axonflow_providers.protocol import ModelRequest, ToolCall

ANSWER_TOOL = "give_answer"
ANSWER_TOOL_DESCRIPTION = "Gives the whole answer. Always call it, exactly once."
_FENCE = "```"


def object_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """``schema`` as the arguments of a tool, which are always an object."""
    return {"type": "object", **schema}


def by_tool(request: ModelRequest) -> bool:
    """Whether a tool can carry the answer: it is an object, and no tool of the caller's competes."""
    return (
        request.json_schema is not None and not request.tools and request.json_schema.get("type", "object") == "object"
    )


def in_words(request: ModelRequest) -> str:
    """The demand for JSON as a sentence of the system; empty when the request makes none."""
    if request.json_schema is None:
        return ""
    if not request.json_schema:
        return "Answer with one JSON object and nothing else: no explanation, no code fence."
    schema = encoded(dict(request.json_schema)).decode()
    return f"Answer with JSON of the following schema and nothing else: no explanation, no code fence.\n{schema}"


def unfenced(text: str) -> str:
    """The text without the code fence that models put around JSON against all advice."""
    body = text.strip()
    if len(body) < 2 * len(_FENCE) or not (body.startswith(_FENCE) and body.endswith(_FENCE)):
        return text
    language, newline, inside = body[len(_FENCE) : -len(_FENCE)].partition("\n")
    return inside.strip() if newline and language.strip().lower() in {"", "json"} else text


def carried(calls: tuple[ToolCall, ...]) -> str | None:
    """The answer that the tool carried; None when the model did not call it."""
    return next((call.arguments for call in calls if call.name == ANSWER_TOOL), None)
