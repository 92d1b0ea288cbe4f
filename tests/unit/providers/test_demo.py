"""The built-in provider: says what it is, the same every time, within limits, and in JSON when JSON is asked."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from axonflow_pricing import Usage, default_prices
from axonflow_providers import (
    Finish,
    HttpTransport,
    Message,
    ModelReply,
    ModelRequest,
    ProviderConfig,
    ProviderRegistry,
    Role,
    estimated_tokens,
    standard_specs,
)
from hypothesis import given
from hypothesis import strategies as st


async def ask(text: str = "What is the weather in Paris today?", **asked: Any) -> ModelReply:
    # Transports that are never opened: the demo dials nobody.
    registry = ProviderRegistry(standard_specs(), trusted=HttpTransport(), guarded=HttpTransport())
    provider = registry.open(ProviderConfig(name="demo", type="demo"))
    await provider.probe(1.0)
    return await provider.complete(
        ModelRequest(model="gpt-4o", messages=(Message(role=Role.USER, text=text),), **asked)
    )


async def test_it_says_that_it_is_no_model_and_how_to_get_one() -> None:
    reply = await ask()
    assert "built-in demo provider" in reply.text
    assert "OPENAI_API_KEY" in reply.text
    assert "7 words" in reply.text
    assert reply.finish is Finish.STOP
    assert reply.model == "demo"


async def test_it_answers_alike_every_time() -> None:
    assert await ask() == await ask()


async def test_it_costs_nothing_and_counts_all_the_same() -> None:
    usage = (await ask()).usage
    assert usage.estimated
    assert usage.prompt > 0
    assert usage.completion > 0
    spec = next(spec for spec in standard_specs() if spec.type == "demo")
    cost = default_prices().cost(spec.pricing, "demo", Usage(prompt=usage.prompt, completion=usage.completion))
    assert (cost.usd, cost.estimated) == (0, False)


@given(st.text(alphabet="abc xyz", max_size=200))
async def test_it_never_repeats_a_request_whole(text: str) -> None:
    words = text.split()
    quoted = (await ask(text)).text.partition('begins with "')[2].partition(" …")[0].split()
    assert len(quoted) <= len(words) // 2


@pytest.mark.parametrize("most", [1, 7, 20])
async def test_it_stops_at_the_limit_of_tokens(most: int) -> None:
    reply = await ask("Grüße aus Köln: 日本語 " * 5, max_tokens=most)
    assert 0 < estimated_tokens(reply.text) <= most
    assert reply.finish is Finish.LENGTH


CITY = {"type": "object", "properties": {"zip": {"type": "string", "minLength": 5}}, "required": ["zip"]}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        CITY,
        {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "age": {"type": "integer", "minimum": 18},
                "share": {"type": "number", "exclusiveMaximum": 0},
                "debt": {"type": "integer", "maximum": -3},
                "ok": {"type": "boolean"},
                "nothing": {"type": "null"},
                "maybe": {"type": ["null", "string"]},
                "colour": {"enum": ["red", "green"]},
                "kind": {"const": "demo"},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
                "city": {"$ref": "#/$defs/city"},
                "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                "left_out": {"type": "string"},
            },
            "required": [
                *("name", "age", "share", "debt", "ok", "nothing", "maybe"),
                *("colour", "kind", "tags", "city", "either", "undeclared"),
            ],
            "$defs": {"city": CITY},
        },
    ],
    ids=["any object", "an object", "one text", "every simple type"],
)
async def test_it_answers_in_json_of_the_schema(schema: dict[str, Any]) -> None:
    value = json.loads((await ask(json_schema=schema)).text)
    assert isinstance(value, dict)
    assert "left_out" not in value
    jsonschema.validate(value, schema)


async def test_a_schema_without_end_has_an_answer() -> None:
    tree = {
        "type": "object",
        "required": ["l", "r"],
        "properties": {"l": {"$ref": "#/$defs/t"}, "r": {"$ref": "#/$defs/t"}},
    }
    assert json.loads((await ask(json_schema={**tree, "$defs": {"t": tree}})).text)
