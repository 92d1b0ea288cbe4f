"""The one table that a person reads, and the same figures as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from bench.contenders import DIRECT
from bench.ratios import Ratio, Spread
from bench.rounds import Latency, Plan, Results, Throughput
from bench.scan_report import scan_lines
from bench.scan_results import ScanResults

_WIDTH = 24


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """All that a run has found.

    Attributes:
        machine: what it ran on.
        scan: the policy scan, beside other matchers.
        rows: by gateway, audit rows found in its database.
        lacking: what this machine could not measure, and why.
    """

    machine: dict[str, Any]
    plan: Plan
    results: Results
    scan: ScanResults
    ratios: Sequence[Ratio]
    rows: dict[str, int]
    lacking: Sequence[str]

    def text(self) -> str:
        sections = (self._machine(), self._throughput(), self._latency(), self._scan(), self._ratios(), self._notes())
        return "\n\n".join("\n".join(lines) for lines in sections)

    def document(self) -> dict[str, Any]:
        return {
            "machine": self.machine,
            "plan": dataclasses.asdict(self.plan),
            "results": dataclasses.asdict(self.results),
            "scan": dataclasses.asdict(self.scan),
            "ratios": [{**dataclasses.asdict(ratio), "met": ratio.met} for ratio in self.ratios],
            "audit_rows": self.rows,
            "lacking": list(self.lacking),
        }

    def _machine(self) -> list[str]:
        return [", ".join(f"{name} {value}" for name, value in self.machine.items())]

    def _throughput(self) -> list[str]:
        plan, found = self.plan, self.results.throughput
        title = (
            f"Closed loop, {plan.connections} connections, {plan.rounds} interleaved rounds of {plan.seconds:g} s, "
            f"prompts of {plan.prompt_chars} characters that were never sent before; median (least - most)"
        )
        lines = [
            title,
            f"{'':{_WIDTH}}{'requests/s':>26}{'CPU µs/request':>24}{'core taken by others':>26}{'MiB':>8}",
        ]
        for name, rounds in found.items():
            rate, cpu, others = (_spread(rounds, figure) for figure in (_rate, _cpu, _others))
            lines.append(
                f"{name:{_WIDTH}}{_show(rate, '.0f'):>26}{_show(cpu, '.0f'):>24}{_show(others, '.0%'):>26}"
                f"{self.results.memory_mib[name]:>8.0f}"
            )
        return lines

    def _latency(self) -> list[str]:
        plan, found = self.plan, self.results.latency
        title = (
            f"Open loop, {plan.rate:g} requests/s, {plan.latency_rounds} interleaved rounds of "
            f"{plan.latency_seconds:g} s; milliseconds, and what is added to the upstream in the same round"
        )
        lines = [
            title,
            f"{'':{_WIDTH}}{'p50':>24}{'added p50':>24}{'p99':>24}{'added p99':>24}",
        ]
        for name, rounds in found.items():
            cells = [_spread(rounds, _p50), _added(found, name, _p50), _spread(rounds, _p99), _added(found, name, _p99)]
            lines.append(f"{name:{_WIDTH}}" + "".join(f"{_show(cell, '.2f'):>24}" for cell in cells))
        return lines

    def _scan(self) -> list[str]:
        return scan_lines(self.scan)

    def _ratios(self) -> list[str]:
        lines = ["Ratios within a round, and their targets", f"{'':64}{'ratio':>24}{'target':>10}"]
        for ratio in self.ratios:
            target = "" if ratio.target is None else f"{'≥' if ratio.at_least else '≤'} {ratio.target:g}"
            verdict = {True: "met", False: "NOT MET", None: ""}[ratio.met]
            label = f"{ratio.what}: {ratio.of} ÷ {ratio.over}"
            lines.append(f"{label:64}{_show(ratio.spread, '.3f'):>24}{target:>10}  {verdict}")
        return lines

    def _notes(self) -> list[str]:
        lines = []
        for name, count in self.rows.items():
            answered = self.results.answered[name]
            lines.append(f"{name}: {answered} answers, {count} audit rows, {self.results.failed[name]} failures")
        return [*lines, *(f"not measured: {text}" for text in self.lacking)]


def _rate(one: Throughput) -> float:
    return one.requests_per_s


def _cpu(one: Throughput) -> float:
    return one.cpu_us


def _others(one: Throughput) -> float:
    return one.others_share


def _p50(one: Latency) -> float:
    return one.p50_ms


def _p99(one: Latency) -> float:
    return one.p99_ms


def _spread(rounds: Sequence[Any], figure: Callable[[Any], float]) -> Spread:
    return Spread.of([figure(one) for one in rounds])


def _added(found: dict[str, list[Latency]], name: str, figure: Callable[[Latency], float]) -> Spread:
    return Spread.of([figure(one) - figure(direct) for one, direct in zip(found[name], found[DIRECT], strict=True)])


def _show(spread: Spread, form: str) -> str:
    if spread.least == spread.most:
        return f"{spread.median:{form}}"
    return f"{spread.median:{form}} ({spread.least:{form}} - {spread.most:{form}})"
