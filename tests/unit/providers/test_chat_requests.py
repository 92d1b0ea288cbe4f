"""What is sent as a chat completion: read back with the official SDK's types, for every type of endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from axonflow_providers import (
    FaultKind,
    HttpTransport,
    Image,
    Message,
    ModelRequest,
    ProviderConfig,
    ProviderFault,
    ProviderRegistry,
    Role,
    Tool,
    standard_specs,
)
from axonflow_providers.openai import FLAVOURS, base_of
from axonflow_settings import Secret
from support.chat_completions import completion, read_request
from support.provider_upstream import Asked, answering, provider_upstream

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASKED = ModelRequest(
    model="gpt-4o",
    messages=(
        Message(role=Role.SYSTEM, text="Be brief."),
        Message(role=Role.USER, text="What is this?", images=(Image(data=b"\x89PNG", mime_type="image/png"),)),
        Message(role=Role.ASSISTANT, text="A dot."),
        Message(role=Role.USER, text="And where?"),
    ),
    max_tokens=64,
    temperature=0.5,
    top_p=0.9,
    stop=("END",),
    tools=(Tool(name="look", description="Looks.", parameters=SCHEMA), Tool(name="stop_looking")),
    json_schema=SCHEMA,
    timeout_s=5.0,
    headers={"traceparent": "00-1-2-01", "Authorization": "Bearer somebody-elses"},
)


async def sent(request: ModelRequest, **config: Any) -> Asked:
    async with provider_upstream(answering(completion())) as upstream, HttpTransport() as transport:
        registry = ProviderRegistry(standard_specs(), trusted=transport, guarded=transport)
        config = {"name": "p", "type": "openai", "api_key": Secret("sk-1"), "trusted": True, **config}
        await registry.open(ProviderConfig(endpoint=upstream.url + config.pop("path", ""), **config)).complete(request)
        return upstream.asked[0]


@pytest.mark.parametrize("type_", [flavour.type for flavour in FLAVOURS])
async def test_the_sdk_reads_what_is_sent_to_every_type(type_: str) -> None:
    asked = await sent(ASKED, type=type_)
    body = read_request(asked.body)
    assert (asked.method, asked.target) == ("POST", "/v1/chat/completions")
    assert asked.headers["authorization"] == "Bearer sk-1"
    assert asked.headers["traceparent"] == "00-1-2-01"
    spoken = [message for message in body["messages"] if message["role"] != "system"]
    assert spoken[0]["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
    ]
    assert [message["role"] for message in spoken] == ["user", "assistant", "user"]
    assert (body["model"], body["stream"], body["stop"]) == ("gpt-4o", False, ["END"])
    assert (body["temperature"], body["top_p"]) == (0.5, 0.9)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["look", "stop_looking"]
    assert body["response_format"]["type"] in {"json_schema", "json_object"}
    assert [name for name in ("max_tokens", "max_completion_tokens") if body.get(name) == 64] != []
    assert not {"max_tokens", "max_completion_tokens"} <= set(body)


async def test_what_a_request_leaves_open_is_not_sent() -> None:
    request = ModelRequest(model="", messages=(Message(role=Role.USER, text="Hi"),), timeout_s=5.0)
    asked = await sent(request, model="my-model")
    assert read_request(asked.body) == {
        "model": "my-model",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
    }


async def test_a_type_without_schemas_is_told_the_schema_in_words() -> None:
    body = read_request((await sent(ASKED, type="deepseek")).body)
    assert body["response_format"] == {"type": "json_object"}
    assert '"city"' in body["messages"][0]["content"]


async def test_the_settings_change_the_dialect() -> None:
    settings = {"max_tokens_field": "max_completion_tokens", "structured_output": "words"}
    body = read_request((await sent(ASKED, type="custom", settings=settings)).body)
    assert body["max_completion_tokens"] == 64
    assert "response_format" not in body
    assert '"city"' in body["messages"][0]["content"]


async def test_the_account_goes_with_the_key() -> None:
    asked = await sent(ASKED, settings={"organization": "org-1", "project": "proj-1"})
    assert (asked.headers["openai-organization"], asked.headers["openai-project"]) == ("org-1", "proj-1")


async def test_an_endpoint_without_a_key_gets_none() -> None:
    request = ModelRequest(model="llama3.1", messages=(Message(role=Role.USER, text="Hi"),), timeout_s=5.0)
    assert "authorization" not in (await sent(request, type="ollama", api_key=None)).headers


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://ollama:11434", "http://ollama:11434/v1"),
        ("http://ollama:11434/", "http://ollama:11434/v1"),
        ("https://h.example/v1/", "https://h.example/v1"),
        ("https://h.example/openai/v1/chat/completions", "https://h.example/openai/v1"),
        ("https://h.example/chat/completions", "https://h.example/v1"),
    ],
)
def test_a_base_url_is_taken_as_people_write_it(given: str, base: str) -> None:
    assert base_of(given) == base


async def test_the_deployment_of_azure_stands_in_the_path_and_cannot_leave_it() -> None:
    azure = {"type": "azure-openai", "path": "/openai/", "settings": {"api_version": "2024-10-21"}}
    request = ModelRequest(model="../x?y=/z", messages=(Message(role=Role.USER, text="Hi"),), max_tokens=5)
    asked = await sent(request, **azure)
    assert asked.target == "/openai/deployments/..%2Fx%3Fy%3D%2Fz/chat/completions?api-version=2024-10-21"
    assert asked.headers["api-key"] == "sk-1"
    assert "authorization" not in asked.headers
    assert read_request(asked.body)["max_tokens"] == 5


@pytest.mark.parametrize(
    ("messages", "model"),
    [
        ((), "m"),
        ((Message(role=Role.USER, text="\ud800"),), "m"),
        ((Message(role=Role.ASSISTANT, text="x", images=(Image(data=b"x", mime_type="image/png"),)),), "m"),
        ((Message(role=Role.USER, text="x", images=(Image(data=b"x", mime_type="text/html"),)),), "m"),
        ((Message(role=Role.USER, text="x"),), "a\r\nb"),
    ],
    ids=["no message", "half a surrogate", "a picture by the model", "no picture", "a name over two lines"],
)
async def test_what_cannot_be_sent_is_refused_before_it_is(messages: tuple[Message, ...], model: str) -> None:
    with pytest.raises(ProviderFault) as caught:
        await sent(ModelRequest(model=model, messages=messages))
    assert caught.value.kind in {FaultKind.INVALID_REQUEST, FaultKind.UNKNOWN_MODEL}
