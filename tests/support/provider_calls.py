"""Model requests, and a provider opened upon one scripted answer, for tests of wire formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from axonflow_providers.protocol import (
    HttpAnswer,
    Image,
    Message,
    ModelRequest,
    Provider,
    ProviderFault,
    Role,
    Tool,
)
from hypothesis import strategies as st

PNG = b"\x89PNG\r\n\x1a\nPIC"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = Tool(name="weather", description="Tells the weather.", parameters=SCHEMA)
PROMPT = "my card is 4111-prompt"


def asking(*messages: Message, model: str = "", **more: Any) -> ModelRequest:
    """A request; of one word when no message is given."""
    return ModelRequest(model=model, messages=messages or (Message(role=Role.USER, text=PROMPT),), **more)


def said(role: Role, text: str, *images: Image) -> Message:
    return Message(role=role, text=text, images=images)


def full_request(model: str) -> ModelRequest:
    """System messages apart from each other, turns of one role in a row, a picture, a tool, every number."""
    return asking(
        said(Role.SYSTEM, "Be brief."),
        said(Role.USER, "Hello"),
        said(Role.ASSISTANT, "Hi"),
        said(Role.SYSTEM, "Be kind."),
        said(Role.USER, "What is this?", Image(data=PNG, mime_type="image/png")),
        said(Role.USER, "And the weather?"),
        model=model,
        max_tokens=77,
        temperature=0.5,
        stop=("END",),
        tools=(TOOL,),
        headers={"traceparent": "00-1-2-01"},
    )


class Wire:
    """A transport that answers what it is told and keeps what was sent."""

    def __init__(self, answer: HttpAnswer | Callable[[str, str], HttpAnswer]) -> None:
        self.answer = answer
        self.sent: list[tuple[str, str, Mapping[str, str], bytes]] = []

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", timeout_s: float
    ) -> HttpAnswer:
        assert timeout_s > 0
        self.sent.append((method, url, headers, body))
        return self.answer if isinstance(self.answer, HttpAnswer) else self.answer(method, url)


async def fault_of(provider: Provider, request: ModelRequest | None = None) -> ProviderFault:
    """The fault that a call ends in; it never repeats the prompt."""
    with pytest.raises(ProviderFault) as caught:
        await provider.complete(request or asking())
    assert PROMPT not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def like(sample: Any) -> st.SearchStrategy[Any]:
    """Values near ``sample``: anything may stand in the place of any part of it, and any key may be missing."""
    if isinstance(sample, dict):
        near: st.SearchStrategy[Any] = st.fixed_dictionaries(
            {}, optional={name: like(value) for name, value in sample.items()}
        )
    elif isinstance(sample, list):
        near = st.lists(like(sample[0]), max_size=2) if sample else st.just([])
    else:
        near = st.just(sample)
    return st.one_of(near, near, near, json_values)
