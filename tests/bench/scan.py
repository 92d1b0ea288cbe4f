"""The scan against Python's `re` over the same patterns, as ratios, interleaved in one run (a script: run it).

Every text is new to every engine: a lazily built automaton that has seen a text before would flatter itself.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections.abc import Callable

from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Phase
from axonflow_policy import Content, PolicySet, catalogue

KIB = 1024
SIZES = (KIB, 10 * KIB)
SAMPLES = 400
# `re` takes milliseconds a text, so it sees every tenth of them.
RE_EVERY = 10
# fmt: off
WORDS = (
    "the", "of", "and", "to", "in", "that", "table", "order", "select", "report", "union", "city", "account",
    "update", "grant", "password", "phone", "total", "for", "with", "customer", "please", "write", "explain",
    "function", "import", "value", "result", "server", "error", "data", "list", "set", "from", "where", "user",
    "when",
)
# fmt: on
TARGETS = {"scan 1 KB / re": 0.04, "scan 10 KB p99 / p50": 4.0}


def unseen_text(chance: random.Random, size: int) -> str:
    """Prose with numbers and punctuation, never the same twice."""
    words: list[str] = []
    length = 0
    while length < size:
        word = chance.choice(WORDS) if chance.random() < 0.7 else f"{chance.getrandbits(28):x}"
        words.append(word + chance.choice(("", "", "", ",", ".", ":")))
        length += len(words[-1]) + 1
    return " ".join(words)[:size]


def one_by_one(patterns: list[re.Pattern[str]]) -> Callable[[str], list[int]]:
    """What a scan with the standard library would be."""
    return lambda text: [index for index, pattern in enumerate(patterns) if pattern.search(text)]


def took_us(call: Callable[[str], object], text: str) -> float:
    """Processor time of one call, in microseconds."""
    start = time.thread_time_ns()
    call(text)
    return (time.thread_time_ns() - start) / 1000


def measure() -> dict[str, dict[str, float]]:
    """Median and 99th percentile in microseconds for every reader and size."""
    policy_set = PolicySet.compile(catalogue(), Posture())
    with_re = one_by_one([re.compile(policy.pattern.replace(r"\z", r"\Z")) for policy in policy_set.policies])
    chance = random.Random(7)
    readers: dict[str, Callable[[str], object]] = {
        "evaluate": lambda text: policy_set.evaluate(Content.of(text), Phase.REQUEST),
        "scan": lambda text: policy_set._engine.hits(text.encode()),
        "re": with_re,
    }
    table: dict[str, dict[str, float]] = {}
    for size in SIZES:
        times: dict[str, list[float]] = {name: [] for name in readers}
        for number in range(SAMPLES):
            for name, call in readers.items():
                if name != "re" or number % RE_EVERY == 0:
                    times[name].append(took_us(call, unseen_text(chance, size)))
        for name, values in times.items():
            values.sort()
            table[f"{name} {size // KIB} KB"] = {
                "p50_us": statistics.median(values),
                "p99_us": values[int(len(values) * 0.99)],
            }
    return table


def ratios(table: dict[str, dict[str, float]]) -> dict[str, float]:
    """The figures that targets are set for."""
    return {
        "scan 1 KB / re": table["scan 1 KB"]["p50_us"] / table["re 1 KB"]["p50_us"],
        "scan 10 KB / re": table["scan 10 KB"]["p50_us"] / table["re 10 KB"]["p50_us"],
        "evaluate 1 KB / re": table["evaluate 1 KB"]["p50_us"] / table["re 1 KB"]["p50_us"],
        "scan 10 KB p99 / p50": table["scan 10 KB"]["p99_us"] / table["scan 10 KB"]["p50_us"],
    }


def main() -> None:
    """Measure and print a table, or JSON with ``--json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = parser.parse_args().json
    table = measure()
    figures = ratios(table)
    if as_json:
        print(json.dumps({"times_us": table, "ratios": figures, "targets": TARGETS}, indent=2))
        return
    print(f"{'reader':<20}{'p50 us':>12}{'p99 us':>12}")
    for name, row in table.items():
        print(f"{name:<20}{row['p50_us']:>12.1f}{row['p99_us']:>12.1f}")
    for name, value in figures.items():
        target = f"  (target <= {TARGETS[name]})" if name in TARGETS else ""
        print(f"{name:<24}{value:>8.4f}{target}")


if __name__ == "__main__":
    main()
