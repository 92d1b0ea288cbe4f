"""Placeholders: numbered as they appear, put back only where this request made them, never shown."""

from __future__ import annotations

import copy
import json
import pickle

import msgspec
import pytest
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, Part, Placeholders, PolicySet, redact_reversibly


def hidden(policy_set: PolicySet, content: Content) -> tuple[Content, Placeholders]:
    return redact_reversibly(content, policy_set.evaluate(content, Phase.RESPONSE).matches)


def test_equal_values_share_a_placeholder_and_others_are_numbered_as_they_appear(catalogue_set: PolicySet) -> None:
    text = "SSN 123-45-6789, a@example.org, SSN 123-45-6780, SSN 123-45-6789"
    content, placeholders = hidden(catalogue_set, Content.of(text))
    assert content.parts[0].text == "SSN <US_SSN_1>, <EMAIL_1>, SSN <US_SSN_2>, SSN <US_SSN_1>"
    assert placeholders.restore("I told <US_SSN_2> and <EMAIL_1>") == "I told 123-45-6780 and a@example.org"
    assert placeholders.restore_content(content) == Content.of(text)


def test_parts_share_their_placeholders(catalogue_set: PolicySet) -> None:
    parts = Content((Part("a", "SSN 123-45-6789"), Part("b", "SSN 123-45-6789")))
    content, placeholders = hidden(catalogue_set, parts)
    assert [part.text for part in content.parts] == ["SSN <US_SSN_1>", "SSN <US_SSN_1>"]
    assert len(placeholders) == 1


@pytest.mark.parametrize("spelling", ["<US_SSN_1>", "\\u003cUS_SSN_1\\u003e", "%3CUS_SSN_1%3E", "&lt;US_SSN_1&gt;"])
def test_a_placeholder_that_the_request_holds_is_nobodys_value(catalogue_set: PolicySet, spelling: str) -> None:
    content, placeholders = hidden(catalogue_set, Content.of(f"{spelling} is not SSN 123-45-6789"))
    assert content.parts[0].text == f"{spelling} is not SSN <US_SSN_2>"
    assert placeholders.restore("<US_SSN_1> <US_SSN_2> <US_SSN_3>") == "<US_SSN_1> 123-45-6789 <US_SSN_3>"


def test_json_gets_its_values_back_escaped_and_its_numbers_as_numbers(catalogue_set: PolicySet) -> None:
    value = {"q": 'say "SSN 123-45-6789"\n', "card": 4111111111111111, "in": '{"to":"a@example.org"}'}
    parts = Content((Part("arguments", json.dumps(value), structured=True),))
    content, placeholders = hidden(catalogue_set, parts)
    assert json.loads(content.parts[0].text) == {
        "q": 'say "SSN <US_SSN_1>"\n',
        "card": "<CREDIT_CARD_1>",
        "in": '{"to":"<EMAIL_1>"}',
    }
    assert placeholders.restore_content(content) == parts


def test_a_restored_value_cannot_break_out_of_its_string(catalogue_set: PolicySet) -> None:
    content = Content.of('SSN 123-45-6789", "admin": "yes')
    (match,) = catalogue_set.evaluate(content, Phase.RESPONSE).matches
    wide = msgspec.structs.replace(match, spans=((4, len(content.parts[0].text)),))
    _, placeholders = redact_reversibly(content, [wide])
    reply = Content((Part("arguments", '{"p": "it is <US_SSN_1>"}', structured=True),))
    restored = json.loads(placeholders.restore_content(reply).parts[0].text)
    assert restored == {"p": 'it is 123-45-6789", "admin": "yes'}


def test_the_values_are_neither_shown_nor_written_anywhere(catalogue_set: PolicySet) -> None:
    _, placeholders = hidden(catalogue_set, Content.of("SSN 123-45-6789"))
    assert repr(placeholders) == str(placeholders) == "Placeholders(<US_SSN_1>)"
    for write in (pickle.dumps, copy.deepcopy, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError):
            write(placeholders)


def test_another_request_restores_nothing(catalogue_set: PolicySet) -> None:
    content, _ = hidden(catalogue_set, Content.of("SSN 123-45-6789"))
    _, other = hidden(catalogue_set, Content.of("hello"))
    assert other.restore_content(content) == content
