"""What of a proxied request reaches a model: the query, and the few members of ``context`` that shape the call.

The agent judges and masks exactly these texts, and the orchestrator sends exactly these; so both read them here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from axonflow_contracts.errors import Fault

ROLES = ("system", "user", "assistant")
MOST_TURNS, MOST_TOOLS, MOST_STOPS = 200, 128, 8
MOST_TOKENS = 1_000_000
_SCALARS = ("model", "max_tokens", "temperature", "top_p", "stop")


class Turn(msgspec.Struct, frozen=True):
    """One earlier message of the conversation."""

    role: str
    content: str


class ToolDefinition(msgspec.Struct, frozen=True):
    """A function that the model may ask for; ``parameters`` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = {}


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A proxied request as a model gets it.

    Attributes:
        provider: the one that the request names, or empty.
        model: the one that it names, or empty.
        strict: whether another provider may answer where the named one cannot; None is the operator's default.
        json_schema: the answer must be JSON of this schema; empty is any object.
    """

    query: str
    system: str = ""
    turns: tuple[Turn, ...] = ()
    tools: tuple[ToolDefinition, ...] = ()
    json_schema: Mapping[str, Any] | None = None
    stop: tuple[str, ...] = ()
    provider: str = ""
    model: str = ""
    strict: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None


class Text(NamedTuple):
    """One text that a model reads.

    ``structured`` texts are JSON.
    """

    path: str
    text: str
    role: str
    structured: bool


def prompt_of(query: str, context: Mapping[str, Any]) -> Prompt:
    """The prompt of a request.

    SDK wrappers put the arguments of their own call into ``context.parameters``; its numbers count where the context
    itself says nothing, and whatever else stands there is not sent.

    Raises:
        Fault: 400, a member is not what it may be.
    """
    given = _scalars(context)
    schema = context.get("json_schema")
    if schema is None and (asked := context.get("response_format")) is not None:
        schema = _schema_of(asked)
    return Prompt(
        query=query,
        system=_text(context, "system_prompt") or _text(context, "system"),
        turns=_read(context, "messages", tuple[Turn, ...], MOST_TURNS, check=_check_roles),
        tools=_read(context, "tools", tuple[ToolDefinition, ...], MOST_TOOLS, convert=_plain_tools),
        json_schema=_mapping(schema, "json_schema"),
        stop=_stops(given.get("stop")),
        provider=_text(context, "provider").strip(),
        model=(_text(given, "model") or _text(context, "model_preference")).strip(),
        strict=_flag(context, "strict_provider"),
        max_tokens=_whole(given, "max_tokens", MOST_TOKENS),
        temperature=_number(given, "temperature", 2.0),
        top_p=_number(given, "top_p", 1.0),
    )


def texts_of(prompt: Prompt) -> tuple[Text, ...]:
    """Every text of ``prompt`` that a model reads, the query first, each under a path of its own."""
    return tuple(_texts(prompt))


def with_texts(prompt: Prompt, texts: Mapping[str, str]) -> Prompt:
    """``prompt`` with the texts at these paths replaced, as masking does."""
    if not texts:
        return prompt
    turns = tuple(
        Turn(turn.role, texts.get(f"context.messages[{index}].content", turn.content))
        for index, turn in enumerate(prompt.turns)
    )
    tools = tuple(
        msgspec.json.decode(changed, type=ToolDefinition) if (changed := texts.get(f"context.tools[{index}]")) else tool
        for index, tool in enumerate(prompt.tools)
    )
    schema = texts.get("context.json_schema")
    return msgspec.structs.replace(
        prompt,
        query=texts.get("query", prompt.query),
        system=texts.get("context.system_prompt", prompt.system),
        turns=turns,
        tools=tools,
        stop=tuple(texts.get(f"context.stop[{index}]", word) for index, word in enumerate(prompt.stop)),
        json_schema=prompt.json_schema if schema is None else msgspec.json.decode(schema),
    )


def _texts(prompt: Prompt) -> Iterator[Text]:
    yield Text("query", prompt.query, "user", structured=False)
    if prompt.system:
        yield Text("context.system_prompt", prompt.system, "system", structured=False)
    for index, turn in enumerate(prompt.turns):
        yield Text(f"context.messages[{index}].content", turn.content, turn.role, structured=False)
    for index, tool in enumerate(prompt.tools):
        yield Text(f"context.tools[{index}]", msgspec.json.encode(tool).decode(), "definition", structured=True)
    if prompt.json_schema:
        schema = msgspec.json.encode(prompt.json_schema).decode()
        yield Text("context.json_schema", schema, "definition", structured=True)
    for index, word in enumerate(prompt.stop):
        yield Text(f"context.stop[{index}]", word, "user", structured=False)


def _scalars(context: Mapping[str, Any]) -> dict[str, Any]:
    below = context.get("parameters")
    found = {name: below[name] for name in _SCALARS if name in below} if isinstance(below, Mapping) else {}
    lent = {name: value for name, value in found.items() if isinstance(value, str | int | float | list)}
    return {**lent, **{name: context[name] for name in _SCALARS if context.get(name) is not None}}


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Fault(400, f"context.{name} must be a string")
    return value


def _flag(members: Mapping[str, Any], name: str) -> bool | None:
    value = members.get(name)
    if value is not None and not isinstance(value, bool):
        raise Fault(400, f"context.{name} must be true or false")
    return value


def _whole(members: Mapping[str, Any], name: str, most: int) -> int | None:
    value = members.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise Fault(400, f"context.{name} must be a whole number from 1 to {most}")
    return value


def _number(members: Mapping[str, Any], name: str, most: float) -> float | None:
    value = members.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise Fault(400, f"context.{name} must be a number from 0 to {most:g}")
    return float(value)


def _mapping(value: Any, name: str) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise Fault(400, f"context.{name} must be an object")
    return value


def _stops(value: Any) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else value or []
    if not isinstance(words, list) or len(words) > MOST_STOPS or not all(isinstance(word, str) for word in words):
        raise Fault(400, f"context.stop must be a string, or a list of at most {MOST_STOPS}")
    return tuple(word for word in words if word)


def _schema_of(asked: Any) -> Any:
    """The schema in OpenAI's ``response_format``; any object for ``json_object``."""
    if not isinstance(asked, Mapping) or asked.get("type") not in {"text", "json_object", "json_schema"}:
        raise Fault(400, "context.response_format must be an object of type text, json_object or json_schema")
    if asked["type"] == "text":
        return None
    named = asked.get("json_schema")
    return named.get("schema", {}) if isinstance(named, Mapping) else {}


def _plain_tools(value: Any) -> Any:
    """OpenAI nests a definition below ``function``; both forms are taken."""
    if not isinstance(value, list):
        return value
    return [each.get("function", each) if isinstance(each, Mapping) else each for each in value]


def _check_roles(turns: tuple[Turn, ...]) -> None:
    if any(turn.role not in ROLES for turn in turns):
        raise Fault(400, f"context.messages: role must be one of {', '.join(ROLES)}")


def _read(
    context: Mapping[str, Any], name: str, kind: Any, most: int, *, check: Any = None, convert: Any = None
) -> Any:
    value = context.get(name)
    if value is None:
        return ()
    try:
        made = msgspec.convert(convert(value) if convert else value, kind)
    except msgspec.ValidationError as error:
        raise Fault(400, f"context.{name}: {error}") from error
    if len(made) > most:
        raise Fault(400, f"context.{name} may have at most {most} members")
    if check is not None:
        check(made)
    return made
