"""What of a proxied request reaches a model: read once, judged and masked by path, and put together again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from axonflow_contracts.errors import Fault
from axonflow_contracts.prompt import Prompt, ToolDefinition, Turn, prompt_of, texts_of, with_texts
from hypothesis import given
from hypothesis import strategies as st

CONTEXT: dict[str, Any] = {
    "provider": " openai ",
    "model": "gpt-4o",
    "strict_provider": True,
    "system_prompt": "Be brief.",
    "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day"}],
    "tools": [
        {"type": "function", "function": {"name": "find", "description": "Finds", "parameters": {"type": "object"}}}
    ],
    "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
    "stop": ["END"],
    "max_tokens": 64,
    "temperature": 0,
    "secret_note": "never sent",
}
PROMPT = prompt_of("Who am I?", CONTEXT)


def test_every_text_that_is_sent_is_judged_and_nothing_else() -> None:
    found = {each.path: each.text for each in texts_of(PROMPT)}
    assert found["query"] == "Who am I?"
    assert found["context.messages[1].content"] == "Good day"
    assert set(found) == {
        "query",
        "context.system_prompt",
        "context.messages[0].content",
        "context.messages[1].content",
        "context.tools[0]",
        "context.json_schema",
        "context.stop[0]",
    }
    assert "never sent" not in msgspec.json.encode(PROMPT).decode()


@given(st.text(), st.text(), st.lists(st.text(), max_size=3), st.lists(st.text(min_size=1), max_size=3))
def test_replacing_all_texts_replaces_them_all(query: str, system: str, said: list[str], stops: list[str]) -> None:
    prompt = Prompt(query=query, system=system, turns=tuple(Turn("user", text) for text in said), stop=tuple(stops))
    texts = texts_of(prompt)
    masked = with_texts(prompt, {each.path: f"[{number}]" for number, each in enumerate(texts)})
    assert [each.text for each in texts_of(masked)] == [f"[{number}]" for number in range(len(texts))]
    assert with_texts(prompt, {each.path: each.text for each in texts}) == prompt


def test_masked_definitions_stay_what_they_are() -> None:
    tool = msgspec.json.encode(ToolDefinition("find", "[REDACTED]")).decode()
    masked = with_texts(PROMPT, {"context.tools[0]": tool, "context.json_schema": '{"type":"[REDACTED]"}'})
    assert masked.tools == (ToolDefinition("find", "[REDACTED]"),)
    assert masked.json_schema == {"type": "[REDACTED]"}
    assert masked.query == PROMPT.query


def test_a_wrappers_own_arguments_count_where_the_context_is_silent() -> None:
    given = {
        "parameters": {"max_tokens": 5, "temperature": 1.5, "tools": "not sent", "model": "theirs"},
        "model": "ours",
    }
    prompt = prompt_of("x", given)
    assert (prompt.max_tokens, prompt.temperature, prompt.model, prompt.tools) == (5, 1.5, "ours", ())


@pytest.mark.parametrize(
    "context",
    [
        {"provider": 1},
        {"strict_provider": "yes"},
        {"max_tokens": 0},
        {"max_tokens": True},
        {"max_tokens": 1.5},
        {"temperature": 3},
        {"temperature": float("nan")},
        {"top_p": "1"},
        {"stop": ["a"] * 9},
        {"stop": [1]},
        {"messages": "hello"},
        {"messages": [{"role": "root", "content": "x"}]},
        {"messages": [{"role": "user"}]},
        {"tools": [{"description": "no name"}]},
        {"json_schema": []},
        {"response_format": {"type": "xml"}},
    ],
    ids=lambda context: msgspec.json.encode(context).decode()[:40],
)
def test_a_member_that_cannot_be_sent_is_refused_by_name(context: dict[str, Any]) -> None:
    with pytest.raises(Fault) as refused:
        prompt_of("x", context)
    assert refused.value.status == 400
    assert next(iter(context)) in refused.value.message
