"""Masks: exact spans, one mask for overlapping ones, last four digits where the contract keeps them."""

# ruff: noqa: RUF001 # full-width text is what these tests are about

from __future__ import annotations

import pytest
from axonflow_contracts.verdicts import Action, Phase, Severity
from axonflow_policy import Content, Match, Part, PolicySet, redact_content, redact_excerpt, redact_text, redaction_kind


def match(policy_id: str, *spans: tuple[int, int], category: str = "pii-global", priority: int = 50) -> Match:
    return Match(
        policy_id=policy_id,
        name=policy_id,
        category=category,
        severity=Severity.HIGH,
        priority=priority,
        action=Action.REDACT,
        origin="stored",
        reason="",
        path="text",
        spans=spans,
    )


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("SSN 123-45-6789.", "SSN XXX-XX-6789."),
        ("ssn １２３-４５-６７８９!", "ssn XXX-XX-6789!"),
        ("card 4111 1111 1111 1111", "card ****-****-****-1111"),
        ("call +1 415 555 2671 now", "call ***-***-2671 now"),
        ("mail jane@example.org", "mail [REDACTED:email]"),
        ("from 91.198.174.192", "from [REDACTED:ip_address]"),
        ("DOB: 1980-01-31", "DOB: [REDACTED:dob]"),
        ("passport no X1234567", "passport no [REDACTED:passport]"),
        ("bank account: 021000021 1234567890", "bank account: ****7890"),
        ("password = 'Tr0ub4dor&3x'", "password = '[REDACTED:password_assign]'"),
        ("ＳＳＮ é 🙂 123-45-6789 ü", "ＳＳＮ é 🙂 XXX-XX-6789 ü"),
        ("Aadhaar 5872 9301 8461", "Aadhaar XXXX XXXX 8461"),
        ("PAN BNZPK7421R!", "PAN BN******1R!"),
        ("123-45-6789 BNZPK7421R 123-45-6789", "XXX-XX-6789 BN******1R XXX-XX-6789"),
        ("pay meera.k@okaxis now", "pay mee***@okaxis now"),
        ("GSTIN 27AAPFU0939F1ZV", "GSTIN [REDACTED:gstin]"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [REDACTED:iban]"),
        ("NRIC S8530214J", "NRIC [REDACTED:singapore_nric]"),
        ("NIK 3174052811900003", "NIK [REDACTED:indonesia_nik]"),
        ("nothing here", "nothing here"),
    ],
)
def test_a_response_is_masked_exactly_where_it_was_found(catalogue_set: PolicySet, text: str, redacted: str) -> None:
    assert redact_text(text, catalogue_set.evaluate(Content.of(text), Phase.RESPONSE).matches) == redacted


def test_overlapping_spans_become_one_mask_of_the_first() -> None:
    assert redact_text("0123456789", [match("sys_pii_email", (2, 6)), match("sys_pii_dob", (4, 9))]) == (
        "01[REDACTED:email]9"
    )


def test_of_spans_that_start_together_the_longer_names_the_mask() -> None:
    matches = [match("sys_pii_email", (0, 3)), match("sys_pii_dob", (0, 5))]
    assert redact_text("abcdef", matches) == redact_text("abcdef", matches[::-1]) == "[REDACTED:dob]f"


def test_of_equal_spans_the_higher_priority_names_the_mask() -> None:
    matches = [match("sys_pii_email", (0, 3)), match("sys_pii_dob", (0, 3), priority=60)]
    assert redact_text("abc", matches) == redact_text("abc", matches[::-1]) == "[REDACTED:dob]"


def test_neighbouring_spans_keep_masks_of_their_own() -> None:
    assert redact_text("aabb", [match("sys_pii_email", (0, 2), (2, 4))]) == "[REDACTED:email][REDACTED:email]"


def test_too_few_digits_are_not_shown_at_all() -> None:
    assert redact_text("1234", [match("sys_pii_ssn", (0, 4))]) == "[REDACTED:ssn]"


def test_content_is_masked_part_by_part(catalogue_set: PolicySet) -> None:
    parts = (
        Part("messages[0].content", "SSN 123-45-6789"),
        Part("messages[1].content", "hello"),
        Part("tool.arguments", '{"mail": "a@example.org"}', structured=True),
        Part("tool.numbers", '{"ssn": "1", "card": 4111111111111111}', structured=True),
    )
    matches = catalogue_set.evaluate(Content(parts), Phase.RESPONSE).matches
    assert [part.text for part in redact_content(Content(parts), matches).parts] == [
        "SSN XXX-XX-6789",
        "hello",
        '{"mail": "[REDACTED:email]"}',
        '{"ssn": "1", "card": "****-****-****-1111"}',
    ]


def test_an_excerpt_masks_personal_data_whatever_its_action_and_keeps_statements(catalogue_set: PolicySet) -> None:
    text = "x'; DROP TABLE users;-- mail jane@example.org, SSN 123-45-6789"
    matches = catalogue_set.evaluate(Content.of(text), Phase.REQUEST).matches
    assert redact_excerpt(text, matches) == "x'; DROP TABLE users;-- mail [REDACTED:email], SSN XXX-XX-6789"


def test_an_excerpt_is_masked_before_it_is_cut(catalogue_set: PolicySet) -> None:
    text = "a" * 490 + " SSN 123-45-6789"
    matches = catalogue_set.evaluate(Content.of(text), Phase.REQUEST).matches
    excerpt = redact_excerpt(text, matches)
    assert len(excerpt) == 500
    assert "123" not in excerpt


@pytest.mark.parametrize(
    ("policy_id", "kind"),
    [("sys_pii_ssn", "ssn"), ("sys_code_aws_key", "aws_key"), ("sys_sqli_sleep", "sqli_sleep"), ("mine", "mine")],
)
def test_a_mask_is_named_after_its_policy(policy_id: str, kind: str) -> None:
    assert redaction_kind(policy_id) == kind
