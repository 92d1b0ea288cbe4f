"""How long a scan takes on this machine, beside the same patterns one by one; ratios, measured in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, Policy, PolicySet
from axonflow_policy.engines import Re2Engine, regexp
from axonflow_policy.folding import fold

_ROUNDS = 7
_SIZES = (100, 1_000, 10_000, 100_000)
_TEXTS = {
    "benign": "The report compares three vendors and asks which of them could deliver before the end of March. ",
    "hostile": "4111 1111 1111 1112 ' OR 1 = 1 -- a@b.example 10.0.0.1 ((((((((((aaaaaaaaaaaa ",
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One text of one size.

    Attributes:
        scan_us: median time of a whole evaluation, in microseconds.
        one_by_one_us: median time of looking for each pattern with re2, in microseconds.
        ratio: the first by the second, median over the rounds.
    """

    text: str
    size: int
    policies: int
    scan_us: float
    one_by_one_us: float
    ratio: float


def measure(policies: Sequence[Policy], posture: Posture) -> list[Row]:
    """Every text in every size."""
    policy_set = PolicySet.compile(policies, posture)
    one_by_one = Re2Engine([regexp(policy.pattern) for policy in policy_set.policies])
    rows = []
    for name, sentence in _TEXTS.items():
        for size in _SIZES:
            text = (sentence * (size // len(sentence) + 1))[:size]
            content, data = Content.of(text), fold(text)
            scans, others = [], []
            for _ in range(_ROUNDS):
                scans.append(_us(lambda c=content: policy_set.evaluate(c, Phase.REQUEST)))  # type: ignore[misc]
                others.append(_us(lambda d=data: one_by_one.hits(d)))  # type: ignore[misc]
            ratios = [scan / other for scan, other in zip(scans, others, strict=True)]
            row = Row(
                text=name,
                size=size,
                policies=len(policy_set.policies),
                scan_us=round(median(scans), 1),
                one_by_one_us=round(median(others), 1),
                ratio=round(median(ratios), 4),
            )
            rows.append(row)
    return rows


def lines(rows: Sequence[Row]) -> list[str]:
    """The table for people."""
    head = f"{'text':<8} {'bytes':>8} {'policies':>8} {'scan us':>12} {'re2 us':>12} {'ratio':>8}"
    return [
        head,
        *(
            f"{row.text:<8} {row.size:>8} {row.policies:>8} {row.scan_us:>12} {row.one_by_one_us:>12} {row.ratio:>8}"
            for row in rows
        ),
    ]


def _us(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1_000_000
