"""The policy scan beside Python's `re` and google-re2, one by one; a script too: ``python -m bench.scan``.

Readers take turns, text by text, and every text is new to every reader: a lazily built automaton that has seen a text
before would flatter itself.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from collections.abc import Callable
from random import Random

import msgspec
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, Policy, PolicySet, TenantRules, catalogue
from axonflow_policy.engines import Re2Engine, regexp

from bench import scan_texts
from bench.scan_report import scan_lines
from bench.scan_results import Cell, ScanResults
from bench.scan_texts import KIB, MIB
from bench.slow_re import LimitedRe
from bench.written_policies import written_policies

TENANT_POLICIES = 10


@dataclasses.dataclass(frozen=True, slots=True)
class ScanPlan:
    """How much is measured.

    Attributes:
        sizes: of texts, in bytes, with how many texts of each.
        written: policies beside the catalogue's, for each set.
        large: policies of a set that only 1 KB is scanned with, or 0.
        tail_texts: texts of 10 KB for the 99th percentile.
        flood: bytes of the shorter flood; the longer has ten times as many.
        limit_s: for Python's `re`, of one text.
    """

    sizes: tuple[tuple[int, int], ...] = ((100, 200), (KIB, 200), (10 * KIB, 60), (100 * KIB, 8))
    written: tuple[int, ...] = (0, 900)
    large: int = 4_000
    tail_texts: int = 400
    flood: int = MIB
    limit_s: float = 5.0


SHORT_SCAN = ScanPlan(
    sizes=((100, 20), (KIB, 20), (10 * KIB, 10)), written=(0,), large=0, tail_texts=40, flood=32 * KIB, limit_s=1.0
)

_LAYER = 2_500
# For ten thousand policies beside a hundred.
LARGE_TARGET = 3.0
TARGETS = {
    "scan 1 KB / re": 0.04,
    "scan 10 KB p99 / p50": 4.0,
    "10 000 policies / 100": 3.0,
    "ten times a flood / the flood, slowest kind": 12.0,
}
_TEXTS: dict[str, Callable[[Random, int], str]] = {"benign": scan_texts.benign, "hostile": scan_texts.hostile}
# `re` takes up to a second a text, so it sees few of them.
_FEW_FOR_RE = 3
_ONE_IN = 20


def measure(plan: ScanPlan | None = None) -> ScanResults:
    """Everything of the plan."""
    plan = plan or ScanPlan()
    chance = Random(7)
    sets = [PolicySet.compile([*catalogue(), *written_policies(count)], Posture()) for count in plan.written]
    cells = [cell for one in sets for cell in _cells(one, plan, chance)]
    figures = {**_figures(cells), **_tail(sets[0], plan, chance)}
    large = _large(sets[0], plan, chance) if plan.large else {}
    figures |= large
    floods = _floods(sets[0], plan)
    figures["ten times a flood / the flood, slowest kind"] = max(
        longer / max(shorter, 1e-3) for shorter, longer in floods.values()
    )
    return ScanResults(
        limit_s=plan.limit_s,
        flood=plan.flood,
        layer_us=_layer(sets[0], plan, chance),
        large=plan.large,
        cells=cells,
        redos_us=_redos(plan),
        floods_s=floods,
        ratios=figures,
        targets={**TARGETS, **dict.fromkeys(large, LARGE_TARGET)},
    )


def took_us(call: Callable[[str], object], text: str) -> float:
    """Processor time of one call, in microseconds."""
    start = time.thread_time_ns()
    call(text)
    return (time.thread_time_ns() - start) / 1000


def _scan(policy_set: PolicySet) -> Callable[[str], object]:
    return lambda text: policy_set._engine.hits(text.encode())


def _evaluate(policy_set: PolicySet) -> Callable[[str], object]:
    return lambda text: policy_set.evaluate(Content.of(text), Phase.REQUEST)


def _re2(policies: tuple[Policy, ...]) -> Callable[[str], object]:
    one_by_one = Re2Engine([regexp(policy.pattern) for policy in policies])
    return lambda text: one_by_one.hits(text.encode())


def _cells(policy_set: PolicySet, plan: ScanPlan, chance: Random) -> list[Cell]:
    policies = policy_set.policies
    readers = {"scan": _scan(policy_set), "evaluate": _evaluate(policy_set), "re2": _re2(policies)}
    cells = []
    with LimitedRe([policy.pattern for policy in policies], plan.limit_s) as slow:
        for name, make in _TEXTS.items():
            for size, count in plan.sizes:
                times: dict[str, list[float]] = {reader: [] for reader in readers}
                slow_us: list[float | None] = []
                for number in range(count):
                    for reader, call in readers.items():
                        times[reader].append(took_us(call, make(chance, size)))
                    if (number % _ONE_IN == 0 or number < _FEW_FOR_RE) and None not in slow_us:
                        slow_us.append(slow.took_us(make(chance, size)))
                known = [value for value in slow_us if value is not None]
                re_us = None if None in slow_us else statistics.median(known)
                medians = {f"{reader}_us": statistics.median(values) for reader, values in times.items()}
                cells.append(Cell(policies=len(policies), text=name, size=size, re_us=re_us, **medians))
    return cells


def _figures(cells: list[Cell]) -> dict[str, float]:
    found = {}
    for cell in cells:
        if cell.policies == cells[0].policies and cell.text == "benign" and cell.size in {KIB, 10 * KIB} and cell.re_us:
            found[f"scan {cell.size // KIB} KB / re"] = cell.scan_us / cell.re_us
            found[f"evaluate {cell.size // KIB} KB / re"] = cell.evaluate_us / cell.re_us
            found[f"scan {cell.size // KIB} KB / re2"] = cell.scan_us / cell.re2_us
    return found


def _tail(policy_set: PolicySet, plan: ScanPlan, chance: Random) -> dict[str, float]:
    call = _scan(policy_set)
    times = sorted(took_us(call, scan_texts.benign(chance, 10 * KIB)) for _ in range(plan.tail_texts))
    return {"scan 10 KB p99 / p50": times[int(len(times) * 0.99)] / statistics.median(times)}


def _layer(policy_set: PolicySet, plan: ScanPlan, chance: Random) -> float:
    """What a tenant's own policies add to a scan of 1 KB."""
    joined = _scan(policy_set.joined(TenantRules.compile(written_policies(TENANT_POLICIES))))
    alone = _scan(policy_set)
    pairs = [
        [took_us(call, scan_texts.benign(chance, KIB)) for call in (joined, alone)] for _ in range(plan.tail_texts)
    ]
    with_layer, without = (statistics.median(times) for times in zip(*pairs, strict=True))
    return float(with_layer - without)


def _large(policy_set: PolicySet, plan: ScanPlan, chance: Random) -> dict[str, float]:
    """The catalogue with written policies as layers beside it, ``plan.large`` in all.

    In one database they would compile for many minutes: beyond some thousands, Vectorscan's time grows faster.
    """
    written = written_policies(plan.large - len(policy_set.policies))
    joined = policy_set
    for start in range(0, len(written), _LAYER):
        joined = joined.joined(TenantRules.compile(written[start : start + _LAYER]))
    large, small = _scan(joined), _scan(policy_set)
    pairs = [[took_us(call, scan_texts.benign(chance, KIB)) for call in (large, small)] for _ in range(plan.tail_texts)]
    of_large, of_small = (statistics.median(times) for times in zip(*pairs, strict=True))
    return {f"{plan.large} policies / {len(policy_set.policies)}": of_large / of_small}


def _redos(plan: ScanPlan) -> dict[str, tuple[float, float | None]]:
    found = {}
    (row,) = written_policies(1)
    for pattern in scan_texts.REDOS_PATTERNS:
        policy_set = PolicySet.compile([msgspec.structs.replace(row, pattern=pattern)], Posture())
        ours = took_us(_evaluate(policy_set), scan_texts.backtracking(scan_texts.REDOS_SIZE))
        with LimitedRe([pattern], plan.limit_s) as slow:
            found[pattern] = (ours, slow.took_us(scan_texts.backtracking(scan_texts.REDOS_SIZE_FOR_RE)))
    return found


def _floods(policy_set: PolicySet, plan: ScanPlan) -> dict[str, tuple[float, float]]:
    call = _evaluate(policy_set)
    return {
        kind: (
            took_us(call, scan_texts.flood(kind, plan.flood)) / 1e6,
            took_us(call, scan_texts.flood(kind, plan.flood * 10)) / 1e6,
        )
        for kind in scan_texts.FLOODS
    }


def main() -> None:
    """Measure the scan alone and print its tables, or JSON with ``--json``."""
    parser = argparse.ArgumentParser(prog="python -m bench.scan", description=__doc__)
    parser.add_argument("--short", action="store_true", help="seconds; shows that it runs, not how fast it is")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    arguments = parser.parse_args()
    results = measure(SHORT_SCAN if arguments.short else ScanPlan())
    if arguments.json:
        print(json.dumps(dataclasses.asdict(results), indent=1))
    else:
        print(
            "\n".join(
                [*scan_lines(results), "", *(f"{name:48}{value:10.4f}" for name, value in results.ratios.items())]
            )
        )


if __name__ == "__main__":
    main()
