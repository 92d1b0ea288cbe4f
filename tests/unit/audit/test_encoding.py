"""Rows as JSON: what PostgreSQL cannot hold is escaped and flagged, and the file's line gives the rows back."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from axonflow_audit import AuditEntry, AuditRow, LlmCallRow, MatchedPolicy
from axonflow_audit.encoding import LONGEST_TEXT, decode, encode

NOW = datetime(2025, 3, 4, 5, 6, 7, 890_123, tzinfo=UTC)


def decision(**fields):
    return AuditRow(
        **{
            "org_id": "o",
            "created_at": NOW,
            "id": "d1",
            "decision_id": "d1",
            "plane": "openai_compat",
            "verdict": "allowed",
            **fields,
        }
    )


def call(**fields):
    return LlmCallRow(**{"org_id": "o", "created_at": NOW, "id": "d1", "decision": "allow", **fields})


def stored(entry):
    return [(table, json.loads(row)) for table, row in encode(entry).rows]


def test_a_decision_and_its_details_become_one_object_a_row():
    rows = stored(AuditEntry(decision(cost_usd=Decimal("0.00000123")), (call(total_tokens=5),)))
    assert [table for table, _ in rows] == ["audit_logs", "llm_call_audits"]
    assert rows[0][1]["created_at"] == "2025-03-04T05:06:07.890123Z"
    assert Decimal(rows[0][1]["cost_usd"]) == Decimal("0.00000123")
    assert rows[0][1]["input_flagged"] is False
    assert rows[1][1]["total_tokens"] == 5


def test_a_matched_policy_keeps_the_origin_of_its_action():
    policy = MatchedPolicy(policy_id="sys_pii_ssn", action="block", origin="env:PII_ACTION")
    ((_, row),) = stored(AuditEntry(decision(matched_policies=(policy,))))
    assert row["matched_policies"][0]["origin"] == "env:PII_ACTION"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a\x00b", "a\\u0000b"), ("a\ud800b", "a\\ud800b"), ("\udfff", "\\udfff"), ("é\x00", "é\\u0000")],
)
def test_text_that_postgres_cannot_hold_is_escaped_and_flagged(text, escaped):
    ((_, row),) = stored(AuditEntry(decision(query=text)))
    assert row["query"] == escaped
    assert row["input_flagged"] is True


@pytest.mark.parametrize("text", ["plain", "\x01\x1f\x7f", "\u202e", "\U0001f600", "a\\u0000b", "'; DROP TABLE x; --"])
def test_text_that_postgres_can_hold_is_left_alone(text):
    ((_, row),) = stored(AuditEntry(decision(query=text)))
    assert row["query"] == text
    assert row["input_flagged"] is False


def test_structured_fields_are_cleaned_in_depth_and_in_keys():
    policies = (MatchedPolicy(policy_id="p\x00"),)
    ((_, row),) = stored(
        AuditEntry(decision(matched_policies=policies, metadata={"k\x00": ["v\ud800", {"x": "\x00"}]}))
    )
    assert row["matched_policies"][0]["policy_id"] == "p\\u0000"
    assert row["metadata"] == {"k\\u0000": ["v\\ud800", {"x": "\\u0000"}]}
    assert row["input_flagged"] is True


def test_a_cleaned_model_call_is_marked_in_its_metadata():
    _, (_, row) = stored(AuditEntry(decision(), (call(model="m\x00", metadata={"source": "openai_compat"}),)))
    assert row["model"] == "m\\u0000"
    assert row["metadata"] == {"source": "openai_compat", "altered": True}


def test_an_overlong_text_is_cut_and_flagged():
    ((_, row),) = stored(AuditEntry(decision(user_id="x" * 10_000)))
    assert len(row["user_id"]) == LONGEST_TEXT
    assert row["input_flagged"] is True


def test_metadata_that_is_too_deep_or_too_big_or_no_json_is_given_up_and_not_the_row():
    deep: dict[str, object] = {}
    inner = deep
    for _ in range(100_000):
        inner["a"] = {}
        inner = inner["a"]
    for metadata in (deep, {"big": "x" * 2_000_000}):
        ((_, row),) = stored(AuditEntry(decision(metadata=metadata)))
        assert row["metadata"] == {}
        assert row["input_flagged"] is True
        assert row["decision_id"] == "d1"


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        encode(AuditEntry(decision(created_at=NOW.replace(tzinfo=None))))


def test_a_line_of_the_file_has_the_contract_members_and_no_second_line():
    entry = AuditEntry(decision(verdict="blocked", query="x\ny\r\u2028", user_id="u", client_id="c"), (call(),))
    line = encode(entry).line()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    parsed = json.loads(line)
    assert parsed["type"] == "audit"
    assert parsed["timestamp"] == "2025-03-04T05:06:07.890123Z"
    assert parsed["severity"] == "warning"
    assert (parsed["user_id"], parsed["client_id"]) == ("u", "c")
    assert list(parsed["details"]) == ["audit_logs", "llm_call_audits"]


def test_what_goes_through_the_file_is_what_would_have_gone_to_postgres():
    encoded = encode(AuditEntry(decision(query="é\x00", cost_usd=Decimal("1.5")), (call(), call(id="d2"))))
    replayed = decode(encoded.line().rstrip(b"\n"))
    assert replayed is not None
    assert replayed.rows == encoded.rows
    assert replayed.line() == encoded.line()


def test_a_line_cut_anywhere_is_not_taken_for_an_entry():
    line = encode(AuditEntry(decision(), (call(),))).line().rstrip(b"\n")
    assert decode(line) is not None
    for end in range(len(line)):
        assert decode(line[:end]) is None


@pytest.mark.parametrize("line", [b"", b"null", b"{}", b'{"details":{}}', b"\xff\xfe", b"[1]", b"  "])
def test_other_lines_are_not_entries(line):
    assert decode(line) is None
