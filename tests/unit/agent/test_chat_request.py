"""What the gateway reads in a request, and what it judges."""

import json

import pytest
from axonflow_agent.openai.request import read_chat_request, read_provider_key
from axonflow_contracts.errors import Fault
from axonflow_policy.escapes import unescape
from hypothesis import given
from hypothesis import strategies as st


def texts(**body):
    request = read_chat_request(json.dumps({"model": "m", **body}).encode())
    return {part.path: part.text for part in request.content.parts}


def test_each_text_says_where_it_stands():
    found = texts(
        messages=[
            {"role": "system", "content": "one"},
            {"role": "user", "content": [{"type": "text", "text": "two"}]},
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": '{"a":1}'}}]},
        ]
    )
    assert found["messages[0].content"] == "one"
    assert found["messages[1].content[0].text"] == "two"
    assert found["messages[2].tool_calls[0].function.arguments"] == '{"a":1}'


def test_the_conversation_comes_before_everything_beside_it():
    request = read_chat_request(b'{"model":"m","user":"u","messages":[{"role":"user","content":"hello"}]}')
    assert request.content.parts[0].text == "hello"


def test_words_of_the_protocol_are_not_judged_but_any_other_word_in_their_place_is():
    assert "messages[0].role" not in texts(messages=[{"role": "user", "content": "a"}])
    assert texts(messages=[{"role": "My SSN is", "content": "a"}])["messages[0].role"] == "My SSN is"


def test_tool_call_arguments_are_judged_as_sent_and_as_the_tool_will_read_them():
    arguments = json.dumps({"q": "caf\u00e9"})
    found = texts(messages=[{"role": "assistant", "tool_calls": [{"function": {"arguments": arguments}}]}])
    path = "messages[0].tool_calls[0].function.arguments"
    assert found[path] == '{"q": "caf\\u00e9"}'
    assert found[f"{path}#unescaped1"] == '{"q": "caf\u00e9"}'


def test_arguments_that_are_no_json_are_still_judged():
    call = {"function": {"arguments": '{"a": \\x'}}
    found = texts(messages=[{"role": "assistant", "tool_calls": [call]}])
    assert found["messages[0].tool_calls[0].function.arguments"] == '{"a": \\x'


def test_pictures_and_sound_are_not_read_as_text_but_addresses_are():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    sound = {"type": "input_audio", "input_audio": {"data": "BBBB", "format": "wav"}}
    linked = {"type": "image_url", "image_url": {"url": "https://a/b.png"}}
    found = texts(messages=[{"role": "user", "content": [image, sound, linked]}]).values()
    assert not {"data:image/png;base64,AAAA", "BBBB"} & set(found)
    assert "https://a/b.png" in found


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"\u0031\u0032", "12"),
        (r"\\u0031", r"\u0031"),
        (r"\\\u0031", "\\1"),
        (r"a\/b\"c\n\t", 'a/b"c\n\t'),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d", "\ud83d"),
        (r"\u00", r"\u00"),
        ("\\", "\\"),
    ],
)
def test_escapes_are_resolved_once_from_left_to_right(text, read):
    assert unescape(text) == read


def test_places_stay_short_distinct_and_free_of_what_a_caller_wrote():
    inner = "text"
    for _ in range(90):
        inner = {"a" * 30: inner, "My SSN is 123-45-6789": "b"}
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": inner}]}).encode()
    paths = [part.path for part in read_chat_request(body).content.parts]
    assert len(set(paths)) == len(paths)
    assert max(map(len, paths)) < 200
    assert not [path for path in paths if "123" in path]


def test_a_property_name_that_carries_a_message_is_judged():
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"say 123-45-6789": {}}}}}]
    assert "say 123-45-6789" in texts(messages=[{"role": "user", "content": "a"}], tools=tools).values()


SCALARS = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=20)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def strings_of(node):
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from strings_of(item)
    elif isinstance(node, dict):
        for value in node.values():
            yield from strings_of(value)


@given(TREES)
def test_no_string_of_a_message_escapes_judgement(tree):
    message = {"role": "user", "content": "a", "more": tree}
    judged = set(texts(messages=[message]).values())
    protocol = {"", "user", "text", "function", "system", "tool", "assistant", "developer"}
    assert set(strings_of(tree)) - protocol <= judged


@pytest.mark.parametrize("key", [None, "", "  ", "a b", "a\tb", "a\u00e9", "a\x7f", "k" * 5000])
def test_a_provider_key_that_cannot_stand_in_a_header_is_refused(key):
    with pytest.raises(Fault) as caught:
        read_provider_key(key)
    assert (caught.value.status, caught.value.code) == (400, "missing_provider_key")


def test_a_provider_key_is_taken_without_surrounding_blanks():
    assert read_provider_key(" sk-1 ") == "sk-1"
