"""What is judged of a question and an answer, what is masked in them, and what must stay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from axonflow_agent.mcp.content import as_json, message_content, question, rows_content
from axonflow_agent.mcp.exfiltration import Limits
from axonflow_agent.mcp.masking import Masker, changed
from axonflow_contracts.posture import Lever, Posture
from axonflow_contracts.verdicts import Action, Phase
from axonflow_policy import Content, PolicySet, catalogue
from hypothesis import given
from hypothesis import strategies as st

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.text(max_size=12))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def redacting() -> PolicySet:
    posture = Posture(mode="MCP", mode_levers={Lever.PII: Action.REDACT})
    return PolicySet.compile(catalogue(), posture)


def masker(policy_set: PolicySet, content: Content, phase: Phase = Phase.RESPONSE) -> Masker:
    return Masker(policy_set, phase, policy_set.evaluate(content, phase).matches)


def texts(content: Content) -> dict[str, str]:
    return {part.path: part.text for part in content.parts}


def test_every_part_of_a_question_is_judged_in_its_own_form() -> None:
    parameters = {"city": "Oslo", "n": 7, "rate": 1.5, "on": True, "none": None, "in": [{"a": "b"}], "a b": "c"}
    found = texts(question("crm", "SELECT 1", parameters))
    assert found == {
        "statement": "SELECT 1",
        "parameters.city": "Oslo",
        "parameters.n": "7",
        "parameters.rate": "1.5",
        "parameters.in": '[{"a": "b"}]',
        "parameters.{6}#key": "a b",
        "parameters.{6}": "c",
        "connector_type": "crm",
    }


def test_a_question_s_parameters_are_masked_in_their_own_form(redacting: PolicySet) -> None:
    parameters: dict[str, Any] = {
        "mail": "to ann@example.com", "card": 4111111111111111, "deep": {"m": ["ann@example.com"], "n": 1}, "ok": 5,
    }  # fmt: skip
    asked = question("crm", "find ann@example.com", parameters)
    made = masker(redacting, asked, Phase.REQUEST)
    assert made.text("statement", "find ann@example.com") == "find [REDACTED:email]"
    assert made.parameters(parameters) == {
        "mail": "to [REDACTED:email]",
        "card": "****-****-****-1111",
        "deep": {"m": ["[REDACTED:email]"], "n": 1},
        "ok": 5,
    }
    assert made.findings == 4


def test_a_parameter_s_name_is_masked_and_stays_one_of_its_own(redacting: PolicySet) -> None:
    parameters = {"ann@example.com": 1, "bob@example.com": 2}
    made = masker(redacting, question("crm", "find", parameters), Phase.REQUEST)
    assert made.parameters(parameters) == {"[REDACTED:email]": 1, "[REDACTED:email] (1)": 2}


@pytest.mark.parametrize(
    "row",
    [
        {"note": "first\nsecond ann@example.com"},
        {"note": 'said "ann@example.com"'},
        {"note": "ann\\u0040example.com"},
        {"note": json.dumps({"inner": json.dumps({"mail": "ann@example.com"})})},
        {"ann@example.com": 1},
    ],
)
def test_no_form_of_an_address_stays_in_a_row(redacting: PolicySet, row: dict[str, Any]) -> None:
    made = masker(redacting, rows_content([row]))
    assert made.has_work
    masked = made.rows([row])
    assert "example.com" not in as_json(masked.rows)
    assert masked.fields


def test_rows_that_hold_nothing_are_the_same_objects(redacting: PolicySet) -> None:
    rows = [{"a": 1}, {"mail": "ann@example.com"}]
    masked = masker(redacting, rows_content(rows)).rows(rows)
    assert masked.rows[0] is rows[0]
    assert masked.fields == ("data[1].mail",)


def test_a_message_that_only_looks_like_json_is_masked_as_text(redacting: PolicySet) -> None:
    for message, expected in (
        ("{not json: ann@example.com", "{not json: [REDACTED:email]"),
        ('{"m": "ann@example.com"}', '{"m": "[REDACTED:email]"}'),
    ):
        assert masker(redacting, message_content(message)).text("message", message) == expected


@given(row=VALUES)
def test_masking_keeps_the_shape_of_whatever_it_is_given(redacting: PolicySet, row: Any) -> None:
    made = masker(redacting, rows_content([row]))
    if not made.has_work:
        return
    [after] = made.rows([row]).rows
    assert json.loads(as_json(after)) == after
    assert isinstance(after, (type(row), str))


def test_paths_of_changes_are_those_of_the_masked_value() -> None:
    before = {"a": [1, {"b": 2}], "c": "x", "d": None}
    after = {"a": [1, {"b": "y"}], "[REDACTED]": "x", "d": None}
    assert list(changed(before, after, "data[0]")) == ["data[0].a[1].b", "data[0].[REDACTED]"]


@pytest.mark.parametrize(
    ("limits", "answer", "broken"),
    [
        (Limits(5, 100), (5, 100), "none"),
        (Limits(5, 100), (6, 101), "rows"),
        (Limits(5, 100), (5, 101), "bytes"),
        (Limits(0, 0), (10**9, 10**9), "none"),
    ],
)
def test_a_limit_is_the_last_allowed_number_and_zero_is_none(
    limits: Limits, answer: tuple[int, int], broken: str
) -> None:
    found = limits.check(*answer)
    assert (found.limit_type, found.exceeded, found.within_limits) == (broken, broken != "none", broken == "none")
