"""Interleaved rounds: every contender in each, so that what slows the machine for a minute slows them all."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence

from bench.contenders import Contender, Stage
from bench.machine import Cores
from bench.tools import HERE, WORDS, Tools


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often.

    Attributes:
        rounds: times each contender is measured.
        seconds: of one closed-loop measurement.
        warm_seconds: of load before the first round.
        latency_rounds: times each one's latency is measured.
        latency_seconds: of one open-loop measurement.
        connections: callers at once in the closed loop; enough that the measured core always has work while a batch of
            audit rows is on its way to the disk.
        rate: requests a second in the open loop.
        prompt_chars: length of a prompt; each text is sent once.
    """

    rounds: int = 5
    seconds: float = 4.0
    warm_seconds: float = 2.0
    latency_rounds: int = 5
    latency_seconds: float = 4.0
    connections: int = 64
    rate: float = 100.0
    prompt_chars: int = 1024


SHORT = Plan(rounds=2, seconds=1.0, warm_seconds=0.5, latency_rounds=1, latency_seconds=1.5)


@dataclasses.dataclass(frozen=True, slots=True)
class Throughput:
    """One contender in one round.

    Attributes:
        requests_per_s: answered 200.
        cpu_us: of the process, user and system, for each request.
        others_share: of the measured core, taken by processes that are not ours; how noisy it was.
    """

    requests_per_s: float
    cpu_us: float
    others_share: float


@dataclasses.dataclass(frozen=True, slots=True)
class Latency:
    """One contender in one round, in milliseconds, at the plan's rate."""

    p50_ms: float
    p99_ms: float


@dataclasses.dataclass(slots=True)
class Results:
    """By contender, one measurement a round; index by round to compare within one."""

    throughput: dict[str, list[Throughput]] = dataclasses.field(default_factory=dict)
    latency: dict[str, list[Latency]] = dataclasses.field(default_factory=dict)
    memory_mib: dict[str, float] = dataclasses.field(default_factory=dict)
    answered: dict[str, int] = dataclasses.field(default_factory=dict)
    failed: dict[str, int] = dataclasses.field(default_factory=dict)


class Bench:
    """Drives the load generator against a stage."""

    def __init__(self, tools: Tools, cores: Cores, plan: Plan, say: Callable[[str], None]) -> None:
        self._tools, self._cores, self._plan, self._say = tools, cores, plan, say
        self.results = Results()

    def run(self, stage: Stage) -> Results:
        plan = self._plan
        for contender in stage.contenders:
            self._load(contender, seconds=plan.warm_seconds, connections=plan.connections)
        for number in range(plan.rounds):
            self._say(f"throughput, round {number + 1} of {plan.rounds}")
            for contender in _rotated(stage.contenders, number):
                self.results.throughput.setdefault(contender.name, []).append(self._throughput(contender))
        for number in range(plan.latency_rounds):
            self._say(f"latency, round {number + 1} of {plan.latency_rounds}")
            for contender in _rotated([stage.direct, *stage.contenders], number):
                self.results.latency.setdefault(contender.name, []).append(self._latency(contender))
        for contender in stage.contenders:
            self.results.memory_mib[contender.name] = contender.memory_mib()
        return self.results

    def _throughput(self, contender: Contender) -> Throughput:
        cpu_s, busy_s, began = contender.cpu_s(), self._cores.busy_s(), time.monotonic()
        told = self._load(contender, seconds=self._plan.seconds, connections=self._plan.connections)
        took_s = time.monotonic() - began
        cpu_s, busy_s = contender.cpu_s() - cpu_s, self._cores.busy_s() - busy_s
        done = max(1, int(told["requests"]))
        return Throughput(done / told["seconds"], cpu_s / done * 1e6, max(0.0, (busy_s - cpu_s) / took_s))

    def _latency(self, contender: Contender) -> Latency:
        plan = self._plan
        told = self._load(contender, seconds=plan.latency_seconds, connections=16, rate=plan.rate)
        return Latency(told["p50_ms"], told["p99_ms"])

    def _load(self, contender: Contender, *, seconds: float, connections: int, rate: float = 0.0) -> dict[str, float]:
        command = [
            *self._tools.load(),
            *("-address", f"127.0.0.1:{contender.port}", "-words", str(WORDS)),
            *("-seconds", str(seconds), "-connections", str(connections)),
            *("-rate", str(rate), "-chars", str(self._plan.prompt_chars)),
        ]
        environ = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        with self._cores.for_around():
            done = subprocess.run(
                command, env=environ, capture_output=True, text=True, check=True, timeout=seconds * 10 + 60
            )
        told: dict[str, float] = json.loads(done.stdout)
        for tally, key in ((self.results.answered, "requests"), (self.results.failed, "failures")):
            tally[contender.name] = tally.get(contender.name, 0) + int(told[key])
        return told


def _rotated(contenders: Sequence[Contender], by: int) -> list[Contender]:
    """The same order, begun elsewhere, so that nobody always follows the same neighbour."""
    start = by % len(contenders)
    return [*contenders[start:], *contenders[:start]]
