"""Asks the engine and the reference the same, and makes the smallest case of an answer that differs."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_policy import Content, PolicySet, TenantRules, engines
from axonflow_policy.policy_set import InvalidPolicy

from fuzz import generator, reference
from fuzz.generator import Case

INPUTS_PER_SET = 20


class Difference(NamedTuple):
    """Where the two part, as sentences, and the smallest case that still shows it."""

    case: Case
    complaints: tuple[str, ...]

    def text(self) -> str:
        """For people: what differs, and how to see it again."""
        document = msgspec.json.encode(self.case, enc_hook=dict, order="deterministic").decode()
        return "\n".join(
            [
                *self.complaints,
                "reproduce with: PYTHONPATH=tests .venv/bin/python -m fuzz --replay FILE, FILE holding",
                document,
            ]
        )


def compile_set(case: Case) -> PolicySet | None:
    """The case's rows on the case's engine; None when Vectorscan does not take one of the patterns.

    An even number of rows stands in two layers, as a tenant's do over the shared ones: the answer must be the same.
    """
    rows = tuple(sorted(case.rows, key=lambda row: row.id))
    if case.engine == "re2":
        patterns = tuple(engines.regexp(row.pattern) for row in rows)
        cut = len(rows) if len(rows) % 2 else len(rows) // 2
        engine = engines.Re2Engine(patterns[:cut])
        shared = PolicySet(rows[:cut], patterns[:cut], Posture(), engine, compiled_from_dump=False)
        return shared.joined(TenantRules(rows[cut:], patterns[cut:], engines.Re2Engine(patterns[cut:])))
    try:
        return PolicySet.compile(rows, Posture(), keep_disabled=True)
    except InvalidPolicy:
        return None


def complaints(compiled: PolicySet, case: Case) -> tuple[str, ...]:
    """What the engine says otherwise than the reference."""
    view = compiled.with_posture(case.posture).with_overrides(case.overrides)
    said = view.evaluate(case.content, case.phase, is_admin=case.is_admin)
    meant = reference.judge(case.rows, case.posture, case.overrides, case.content, case.phase, is_admin=case.is_admin)
    found = [f"the engine failed: {said.failure}"] if said.failure else []
    found += [
        f"{name}: the engine says {one!r}, the reference {other!r}"
        for name, one, other in (
            ("verdict", said.verdict, meant.verdict),
            ("reason", said.reason, meant.reason),
            ("matches", [m.policy_id for m in said.matches], [m.policy_id for m in meant.matches]),
            ("hash", said.policy_set_hash, view.hash),
        )
        if one != other
    ]
    if not found:
        found = [
            f"{one.policy_id} at {one.path}, {field}: the engine says {getattr(one, field)!r}, "
            f"the reference {getattr(other, field)!r}"
            for one, other in zip(said.matches, meant.matches, strict=True)
            for field in one.__struct_fields__
            if getattr(one, field) != getattr(other, field)
        ]
    return tuple(found)


def differs(case: Case) -> tuple[str, ...]:
    """The complaints of a single case, compiled for itself."""
    compiled = compile_set(case)
    return () if compiled is None else complaints(compiled, case)


def smaller(case: Case) -> Iterator[Case]:
    """The case with a row, an override, a part, a lever or a piece of a text left out."""
    replace = msgspec.structs.replace
    for place in range(len(case.rows)):
        if len(case.rows) > 1:
            yield replace(case, rows=case.rows[:place] + case.rows[place + 1 :])
    for name in case.overrides:
        yield replace(case, overrides={key: value for key, value in case.overrides.items() if key != name})
    if case.posture != Posture():
        yield replace(case, posture=Posture())
    parts = case.content.parts
    for place, part in enumerate(parts):
        if len(parts) > 1:
            yield replace(case, content=Content(parts[:place] + parts[place + 1 :]))
        for size in (32, 8, 3, 1):
            for start in range(0, len(part.text), size):
                shorter = replace(part, text=part.text[:start] + part.text[start + size :])
                yield replace(case, content=Content((*parts[:place], shorter, *parts[place + 1 :])))


def smallest(case: Case) -> Difference:
    """Leave out whatever can be left out while the two still differ."""
    found = differs(case)
    while (less := next(((c, why) for c in smaller(case) if (why := differs(c))), None)) is not None:
        case, found = less
    return Difference(case, found)


class Run(NamedTuple):
    """What a run did, and what it found."""

    counts: Counter[str]
    differences: list[Difference]


def run(
    wanted: int, seed: int, *, per_set: int = INPUTS_PER_SET, most: int = 5, tell: Callable[[str], None] | None = None
) -> Run:
    """At least ``wanted`` cases from ``seed`` on, until ``most`` differences are known."""
    counts: Counter[str] = Counter(cases=0)
    differences: list[Difference] = []
    for number in itertools.count(seed):
        if counts["cases"] >= wanted or len(differences) >= most:
            return Run(counts, differences)
        several = list(generator.cases(number, per_set))
        compiled = compile_set(several[0])
        if compiled is None:
            counts["sets that Vectorscan refuses"] += 1
            continue
        counts["sets"] += 1
        counts[f"sets on {compiled.engine}"] += 1
        for case in several:
            counts["cases"] += 1
            if complaints(compiled, case):
                differences.append(smallest(case))
                break
        _tally(counts, compiled, several)
        if tell is not None and counts["sets"] % 500 == 0:
            tell(f"{counts['cases']} cases, {len(differences)} differences")
    raise AssertionError("unreachable")


def _tally(counts: Counter[str], compiled: PolicySet, several: list[Case]) -> None:
    """Which verdicts a set's first cases came to: a run in which nothing matches would show nothing."""
    for case in several[:4]:
        view = compiled.with_posture(case.posture).with_overrides(case.overrides)
        evaluation = view.evaluate(case.content, case.phase, is_admin=case.is_admin)
        counts[f"sampled: {evaluation.verdict}"] += 1
        counts["sampled: with a match"] += bool(evaluation.matches)


def say(text: str) -> None:
    """Progress, for a terminal or a log."""
    print(f"fuzz: {text}", file=sys.stderr, flush=True)
