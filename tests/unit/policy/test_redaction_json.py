"""Structured parts and payloads: JSON keeps its shape and every byte that no finding touches, payloads their form."""

from __future__ import annotations

import base64
import json
import time

import pytest
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, Match, Part, PolicySet, redact_content
from axonflow_policy.encoded import redacted_payload
from axonflow_policy.json_redaction import json_edits
from axonflow_policy.masks import Piece, edited, masked


def redacted(policy_set: PolicySet, text: str, *, structured: bool = True) -> str:
    def judge(content: Content) -> tuple[Match, ...]:
        return policy_set.evaluate(content, Phase.RESPONSE).matches

    content = Content((Part("arguments", text, structured=structured),))
    return redact_content(content, judge(content), judge=judge).parts[0].text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('{ "a" : [ {"mail":"a@example.org"} , 1.0 ] }', '{ "a" : [ {"mail":"[REDACTED:email]"} , 1.0 ] }'),
        ('{"card": 4111111111111111, "n": 1e3}', '{"card": "****-****-****-1111", "n": 1e3}'),
        ('{"SSN \\u0031\\u0032\\u0033-45-6789 \\u00e9\\n": null}', '{"SSN XXX-XX-6789 \\u00e9\\n": null}'),
        ('{"a@example.org": 1, "b@example.org": 2}', '{"[REDACTED:email]": 1, "[REDACTED:email] (2)": 2}'),
        ('{"a@example.org": {"a@example.org": 1}}', '{"[REDACTED:email]": {"[REDACTED:email]": 1}}'),
        ('"\\"a@example.org\\""', '"\\"[REDACTED:email]\\""'),
        ('"\\ud83d\\ude42 a@example.org \\ud83d\\ude42"', '"\\ud83d\\ude42 [REDACTED:email] \\ud83d\\ude42"'),
        ('{"a":"\\ud800 a@example.org"}', '{"a":"\\ud800 [REDACTED:email]"}'),
        ('{"routing": "021000021", "account": "1234567890"}', '{"routing": "****0021", "account": "****7890"}'),
        ("4111111111111111", '"****-****-****-1111"'),
        ('{"card": 4111111111111111.0, "n": 1.5e10}', '{"card": "[REDACTED:credit_card]", "n": 1.5e10}'),
        ('{"card": 4.111111111111111e15}', '{"card": "[REDACTED:credit_card]"}'),
    ],
)
def test_only_the_token_concerned_changes(catalogue_set: PolicySet, text: str, made: str) -> None:
    assert redacted(catalogue_set, text) == made


def test_names_that_look_alike_when_masked_are_told_apart_in_linear_time() -> None:
    def seconds(count: int) -> float:
        names = [f"{number:06}@example.org" for number in range(count)]
        text = json.dumps(dict.fromkeys(names, 1))
        spans = [(text.index(names[0]) + place * 24, text.index(names[0]) + place * 24 + 18) for place in range(count)]
        pieces = [Piece(start, end, "sys_pii_email") for start, end in spans]
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            edits = json_edits(text, pieces, masked)
            best = min(best, time.process_time() - started)
        assert len(json.loads(edited(text, edits))) == count
        return best

    # Linear work takes 8 times as long for 8 times the names, quadratic 64 times.
    assert seconds(8_000) / max(seconds(1_000), 0.002) < 24


def test_json_in_a_string_of_json_stays_json(catalogue_set: PolicySet) -> None:
    inner = '{"to": "a@example.org", "card": 4111111111111111, "s": "\\u0031\\"é"}'
    outer = json.dumps({"body": inner, "other": "é"})
    assert redacted(catalogue_set, outer) == json.dumps(
        {
            "body": '{"to": "[REDACTED:email]", "card": "****-****-****-1111", "s": "\\u0031\\"é"}',
            "other": "é",
        }
    )


def test_what_was_no_json_goes_as_a_whole(catalogue_set: PolicySet) -> None:
    assert redacted(catalogue_set, '{"mail": "a@example.org"') == '"[REDACTED]"'


TOLD = "the SSN of Jane is 123-45-6789 ~~?>"
MASKED = "the SSN of Jane is XXX-XX-6789 ~~?>"


@pytest.mark.parametrize("before", ["", "data:text/plain;base64,", "see "])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_payload_is_redacted_inside_and_keeps_its_alphabet(catalogue_set: PolicySet, before: str, encode) -> None:  # type: ignore[no-untyped-def]
    text = before + encode(TOLD.encode()).decode()
    assert redacted(catalogue_set, text, structured=False) == before + encode(MASKED.encode()).decode()
    assert json.loads(redacted(catalogue_set, json.dumps([text]))) == [before + encode(MASKED.encode()).decode()]


def test_hexadecimal_keeps_its_prefix_and_case(catalogue_set: PolicySet) -> None:
    text = "0x" + TOLD.encode().hex().upper()
    assert redacted(catalogue_set, text, structured=False) == "0x" + MASKED.encode().hex().upper()


def test_a_payload_without_padding_stays_without(catalogue_set: PolicySet) -> None:
    text = base64.b64encode(TOLD.encode()).decode().rstrip("=")
    again = redacted(catalogue_set, text, structured=False)
    assert base64.b64decode(again + "=" * (-len(again) % 4)).decode() == MASKED
    assert "=" not in again


def test_a_payload_that_is_no_text_is_masked_as_a_whole() -> None:
    assert redacted_payload(base64.b64encode(b"\xff\xfe123-45-6789").decode(), lambda _: "x") is None


def test_a_payload_is_masked_as_a_whole_where_nobody_can_look_inside(catalogue_set: PolicySet) -> None:
    content = Content.of("see " + base64.b64encode(TOLD.encode()).decode() + " there")
    matches = catalogue_set.evaluate(content, Phase.RESPONSE).matches
    assert redact_content(content, matches).parts[0].text == "see [REDACTED:ssn] there"
