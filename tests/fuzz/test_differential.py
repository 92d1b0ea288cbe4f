"""The short form of the differential run, and proof that it sees an engine that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from axonflow_contracts.verdicts import Action
from axonflow_policy import Content, PolicySet, engines, policy_set

from fuzz import differential, reference
from fuzz.generator import Case, cases

SHORT_CASES, PER_SET = 2_000, 8
FIRST_SEED = 1_000_000  # away from those of `make fuzz`, which starts at 1


def test_engine_and_reference_agree_on_generated_sets_and_inputs() -> None:
    done = differential.run(SHORT_CASES, FIRST_SEED, per_set=PER_SET)
    assert [difference.text() for difference in done.differences] == []
    assert done.counts["cases"] >= SHORT_CASES
    assert done.counts["sets on re2"] > 50
    if engines.HAS_VECTORSCAN:
        assert done.counts["sets on vectorscan"] > 50
    verdicts = {name for name in done.counts if name.startswith("sampled: ")}
    assert len(verdicts) == 5, "every verdict must occur, or the run shows little"


def misses_every_second_text(monkeypatch: pytest.MonkeyPatch) -> None:
    hits = engines.Re2Engine.hits
    monkeypatch.setattr(engines.Re2Engine, "hits", lambda self, data: hits(self, data) if len(data) % 2 else [])


def ranks_by_id_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_set, "_rank", lambda match: (match.policy_id, match.path))


def never_asks_a_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = policy_set._compiled
    monkeypatch.setattr(policy_set, "_compiled", lambda *given: compiled(*given)._replace(validator=None))


def forgets_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PolicySet, "with_overrides", lambda self, _overrides: self)


def moves_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    merged = policy_set.merged_spans
    monkeypatch.setattr(policy_set, "merged_spans", lambda spans: [(start, end + 1) for start, end in merged(spans)])


@pytest.mark.parametrize(
    "fault",
    [misses_every_second_text, ranks_by_id_alone, never_asks_a_validator, forgets_overrides, moves_spans],
)
def test_a_faulty_engine_is_seen(monkeypatch: pytest.MonkeyPatch, fault: Callable[[Any], None]) -> None:
    fault(monkeypatch)
    assert differential.run(2_000, FIRST_SEED, most=1).differences


def test_the_reproducer_is_small_and_can_be_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    moves_spans(monkeypatch)
    (found,) = differential.run(2_000, FIRST_SEED, most=1).differences
    again = msgspec.json.decode(found.text().splitlines()[-1].encode(), type=Case)
    assert differential.differs(again) == found.complaints
    assert (len(again.rows), len(again.content.parts)) == (1, 1)
    assert len(again.content.parts[0].text) < 20


def test_adding_a_stricter_policy_never_weakens_a_verdict_of_a_generated_set() -> None:
    strength = {"allowed": 0, "redacted": 1, "needs_approval": 2, "blocked": 3}
    for seed in range(FIRST_SEED, FIRST_SEED + 60):
        several = [msgspec.structs.replace(case, engine="re2") for case in cases(seed, 10)]
        template = several[0].rows[0]
        stricter = msgspec.structs.replace(template, id="stricter", action=Action.BLOCK, enabled=True, validator=None)
        before = differential.compile_set(several[0])
        after = differential.compile_set(msgspec.structs.replace(several[0], rows=(*several[0].rows, stricter)))
        assert before is not None
        assert after is not None
        for case in several:
            verdicts = [
                compiled.with_posture(case.posture)
                .with_overrides(case.overrides)
                .evaluate(case.content, case.phase, is_admin=case.is_admin)
                .verdict
                for compiled in (before, after)
            ]
            assert strength[verdicts[0]] <= strength[verdicts[1]]


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + 40))
def test_the_order_of_parts_and_rows_does_not_matter(seed: int) -> None:
    for case in cases(seed, 5):
        turned = Content(case.content.parts[::-1])
        judged = [
            reference.judge(rows, case.posture, case.overrides, content, case.phase, is_admin=case.is_admin)
            for rows, content in ((case.rows, case.content), (case.rows[::-1], turned))
        ]
        assert judged[0] == judged[1]
        compiled = differential.compile_set(msgspec.structs.replace(case, rows=case.rows[::-1], engine="re2"))
        assert compiled is not None
        assert differential.complaints(compiled, msgspec.structs.replace(case, content=turned)) == ()
