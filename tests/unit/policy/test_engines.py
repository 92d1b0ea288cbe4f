"""The engines below a set: the same answer from both, dumps that are checked, hashes that are stable."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest
from axonflow_contracts.posture import Lever, Posture
from axonflow_contracts.verdicts import Action, Phase
from axonflow_policy import Content, Policy, PolicySet, catalogue
from axonflow_policy.engines import Re2Engine, portable, regexp
from axonflow_policy.proving import samples, unproven

IDS = ("sys_pii_ssn", "sys_pii_email", "sys_pii_iban")
ROWS = [policy for policy in catalogue() if policy.id in IDS]
WITHOUT_HYPERSCAN = f"""
import sys
sys.modules["hyperscan"] = None
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, PolicySet, catalogue
policy_set = PolicySet.compile([row for row in catalogue() if row.id in {IDS}], Posture())
evaluation = policy_set.evaluate(Content.of("SSN 123-45-6789, mail a@example.org"), Phase.REQUEST)
print(policy_set.engine, [(match.policy_id, match.spans) for match in evaluation.matches], policy_set.dump() == b"")
"""


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def needs_vectorscan(policy_set: PolicySet) -> None:
    if policy_set.engine != "vectorscan":
        pytest.skip("hyperscan has no wheel for this machine")


def test_without_hyperscan_re2_finds_the_same() -> None:
    evaluation = PolicySet.compile(ROWS, Posture()).evaluate(
        Content.of("SSN 123-45-6789, mail a@example.org"), Phase.REQUEST
    )
    expected = [(match.policy_id, match.spans) for match in evaluation.matches]
    assert run(WITHOUT_HYPERSCAN) == f"re2 {expected} True"


def test_a_dump_is_loaded_and_judges_the_same() -> None:
    compiled = PolicySet.compile(ROWS, Posture())
    needs_vectorscan(compiled)
    loaded = PolicySet.compile(ROWS, Posture(), dump=compiled.dump())
    content = Content.of("SSN 123-45-6789")
    assert (compiled.compiled_from_dump, loaded.compiled_from_dump) == (False, True)
    assert loaded.evaluate(content, Phase.REQUEST) == compiled.evaluate(content, Phase.REQUEST)


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d[:-9] + bytes([d[-9] ^ 1]) + d[-8:], lambda _: b"garbage"]
)
def test_a_damaged_dump_is_passed_over_and_the_set_compiled(damage) -> None:  # type: ignore[no-untyped-def]
    compiled = PolicySet.compile(ROWS, Posture())
    needs_vectorscan(compiled)
    again = PolicySet.compile(ROWS, Posture(), dump=damage(compiled.dump()))
    assert not again.compiled_from_dump
    assert again.evaluate(Content.of("SSN 123-45-6789"), Phase.REQUEST).verdict == "blocked"


def test_a_dump_of_other_patterns_is_passed_over() -> None:
    other = PolicySet.compile(ROWS[:1], Posture())
    needs_vectorscan(other)
    assert not PolicySet.compile(ROWS, Posture(), dump=other.dump()).compiled_from_dump


@pytest.mark.parametrize(
    ("source", "finds"), [(r"ab\z", False), ("ab$", False), ("(?m)ab$", True), (r"[$]ab\n", False)]
)
def test_a_line_break_is_not_the_end_of_a_text(source: str, finds: bool) -> None:
    row = msgspec.structs.replace(ROWS[0], pattern=source, validator=None)
    compiled = PolicySet.compile([row], Posture())
    for text in ("ab\n", "ab\ncd", "ab\n\n"):
        assert bool(compiled.evaluate(Content.of(text), Phase.REQUEST).matches) is finds
    assert compiled.evaluate(Content.of("$ab\n" if "[" in source else "cd\nab"), Phase.REQUEST).matches


def test_the_dump_key_depends_on_the_patterns_alone() -> None:
    compiled = PolicySet.compile(ROWS, Posture())
    assert compiled.dump_key != PolicySet.compile(ROWS[1:], Posture()).dump_key
    renamed = [msgspec.structs.replace(row, name="another name") for row in ROWS]
    assert compiled.dump_key == PolicySet.compile(renamed, Posture()).dump_key


def test_the_hash_is_the_same_in_another_process() -> None:
    code = (
        "from axonflow_contracts.posture import Posture\nfrom axonflow_policy import PolicySet, catalogue\n"
        "print(PolicySet.compile([row for row in catalogue() if row.category == 'pii-us'], Posture()).hash)"
    )
    rows = [row for row in catalogue() if row.category == "pii-us"]
    assert run(code) == PolicySet.compile(rows, Posture()).hash


@pytest.mark.parametrize(
    "posture", [Posture(global_levers={Lever.PII: Action.WARN}), Posture(skip_categories=frozenset({"pii-us"}))]
)
def test_the_hash_covers_the_effective_actions(posture: Posture) -> None:
    compiled = PolicySet.compile(ROWS, Posture())
    assert compiled.with_posture(posture).hash != compiled.hash


def test_the_hash_covers_every_field_of_a_row() -> None:
    changed = [msgspec.structs.replace(ROWS[0], reason="another reason"), *ROWS[1:]]
    assert PolicySet.compile(changed, Posture()).hash != PolicySet.compile(ROWS, Posture()).hash


def test_a_space_class_means_the_same_to_both_engines() -> None:
    assert portable(r"a\sb[\s,]\S\\s") == rb"a[\x09-\x0d ]b[\x09-\x0d ,][^\x09-\x0d ]\\s"


@pytest.mark.parametrize("text", ["a\x0bb", "x\ny", "tail\n", "é 123-45-6789", "\x00123-45-6789\xff"])
def test_both_engines_agree_on_odd_bytes(text: str) -> None:
    rows = [(r"a\sb", "1"), (r"x.y", "2"), (r"tail$", "3"), (r"\b\d{3}-\d{2}-\d{4}\b", "4"), (r"(?i)[^a-z]\d", "5")]
    policies = [
        Policy(
            id=name,
            name=name,
            category="custom",
            severity=ROWS[0].severity,
            priority=1,
            pattern=pattern,
            reason=name,
            action=Action.LOG,
        )
        for pattern, name in rows
    ]
    compiled = PolicySet.compile(policies, Posture())
    re2_engine = Re2Engine([regexp(pattern) for pattern, _ in rows])
    found = {match.policy_id for match in compiled.evaluate(Content.of(text), Phase.REQUEST).matches}
    assert found == {rows[index][1] for index in re2_engine.hits(text.encode("utf-8"))}


def test_a_pattern_that_the_database_misses_is_named_unproven() -> None:
    patterns = [(source, regexp(source)) for source in (r"abc", r"\bx\d+y\b", r"[^*]{2}q|r?s+t")]
    honest = Re2Engine([compiled for _, compiled in patterns])
    assert unproven(honest.hits, patterns) == []
    assert unproven(lambda data: [hit for hit in honest.hits(data) if hit != 1], patterns) == [1]


def test_a_pattern_that_no_text_can_be_made_for_is_left_to_re2() -> None:
    source = r"[[:alpha:]]{3}\d"
    assert unproven(Re2Engine([regexp(source)]).hits, [(source, regexp(source))]) == [0]


def test_what_this_machine_misses_is_left_to_re2_and_still_found(catalogue_set: PolicySet) -> None:
    # The pattern of Vectorscan's issue 358: a semicolon before an unbounded class that holds it.
    needs_vectorscan(catalogue_set)
    row = msgspec.structs.replace(ROWS[0], pattern=r";(?: |/[^*]*/)*DROP", validator=None)
    compiled = PolicySet.compile([row], Posture())
    for offset in range(0, 140, 7):
        text = "a" * offset + "; DROP" + "b" * 70
        assert compiled.evaluate(Content.of(text), Phase.REQUEST).matches, (offset, compiled.judged_by_re2)


@pytest.mark.parametrize(
    "source",
    [r"(?:ab|\db)", "ab", r"(?:@){2}", r"c(\d)", r"(?:(1))?ab", r"(?:ab|\db)\z", r"ab$", r"(?m)ab$", r"ab\b"],
)
def test_what_ends_with_the_text_is_found_at_every_length(source: str) -> None:
    rows = [
        msgspec.structs.replace(ROWS[0], id=i, pattern=p, validator=None) for i, p in (("p", source), ("q", r"\s@c"))
    ]
    compiled = PolicySet.compile(rows, Posture())
    found = {"(?:@){2}": "@@", r"c(\d)": "c7"}.get(source, "ab")
    missed = [n for n in range(140) if not compiled.evaluate(Content.of("x" * n + found), Phase.REQUEST).matches]
    assert missed == [], compiled.judged_by_re2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_pattern_of_the_catalogue_is_missed_on_this_machine(catalogue_set: PolicySet, seed: int) -> None:
    patterns = [(policy.pattern, regexp(policy.pattern)) for policy in catalogue_set.policies]
    assert unproven(catalogue_set._engine.hits, patterns, seed) == []


def test_texts_are_made_for_every_pattern_of_the_catalogue() -> None:
    for policy in catalogue():
        compiled = regexp(policy.pattern)
        assert any(compiled.search(text) for text in samples(policy.pattern)), policy.id
