"""In which order providers are asked: each strategy puts those that may answer into an order, the best first. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from axonflow_orchestrator.routing.wishes import Candidate


class Strategy(StrEnum):
    """Legal values of ``LLM_ROUTING_STRATEGY`` (orchestrator contract section 3.2)."""

    WEIGHTED = "weighted"
    ROUND_ROBIN = "round_robin"
    FAILOVER = "failover"
    COST_OPTIMIZED = "cost_optimized"
    LEAST_LATENCY = "least_latency"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What strategies go by.

    Attributes:
        weights: each candidate's share by provider name, of any scale.
        default: ``DEFAULT_LLM_PROVIDER``.
        turn: how often this organisation was routed before.
        cost: USD per 1 000 tokens.
        latency_ms: a moving average, None where none was measured lately.
        busy: calls in flight.
        chance: a number from 0 to below 1, another each time.
    """

    weights: Mapping[str, float]
    default: str
    turn: int
    cost: Callable[[Candidate], float]
    latency_ms: Callable[[Candidate], float | None]
    busy: Callable[[Candidate], int]
    chance: Callable[[], float]


def ordered(strategy: Strategy, candidates: Sequence[Candidate], facts: Facts) -> tuple[tuple[Candidate, ...], str]:
    """``candidates`` in the order of ``strategy``, and why the first is first; there must be one."""
    by_name = sorted(candidates, key=lambda candidate: candidate.provider.name)
    return _ORDERS[strategy](by_name, facts)


def _weighted(candidates: list[Candidate], facts: Facts) -> tuple[tuple[Candidate, ...], str]:
    """A random order in which each place is drawn by weight from those that are left (Efraimidis and Spirakis)."""
    weights = [max(0.0, facts.weights.get(candidate.provider.name, 1.0)) for candidate in candidates]
    total = sum(weights)
    if total <= 0:
        weights, total = [1.0] * len(candidates), float(len(candidates))

    def key(index: int) -> tuple[bool, float]:
        # Weight 0 comes after everybody else, in a random order of its own.
        draw = math.log(1.0 - facts.chance())
        return (weights[index] > 0, draw / weights[index] if weights[index] > 0 else draw)

    keys = [key(index) for index in range(len(candidates))]
    order = sorted(range(len(candidates)), key=lambda index: keys[index], reverse=True)
    first = order[0]
    share = weights[first] / total
    reason = f"weighted: {candidates[first].provider.name} {share:.2g} of 1.0"
    return tuple(candidates[index] for index in order), reason


def _round_robin(candidates: list[Candidate], facts: Facts) -> tuple[tuple[Candidate, ...], str]:
    start = facts.turn % len(candidates)
    order = (*candidates[start:], *candidates[:start])
    return order, f"round robin: {order[0].provider.name}, {start + 1} of {len(order)}"


def _failover(candidates: list[Candidate], facts: Facts) -> tuple[tuple[Candidate, ...], str]:
    def rank(candidate: Candidate) -> tuple[bool, float, int]:
        provider = candidate.provider
        return (provider.name != facts.default, -facts.weights.get(provider.name, 1.0), -provider.priority)

    order = tuple(sorted(candidates, key=rank))
    name = order[0].provider.name
    return order, f"failover: {name} is the default" if name == facts.default else f"failover: {name} comes first"


def _cost_optimized(candidates: list[Candidate], facts: Facts) -> tuple[tuple[Candidate, ...], str]:
    order = tuple(sorted(candidates, key=facts.cost))
    return order, f"cheapest of {len(order)}: {order[0].provider.name}"


def _least_latency(candidates: list[Candidate], facts: Facts) -> tuple[tuple[Candidate, ...], str]:
    """The fastest first; one that nobody measured lately is tried by one call at a time, before the fastest."""

    def rank(candidate: Candidate) -> tuple[int, float, float]:
        measured = facts.latency_ms(candidate)
        if measured is not None:
            return (1, measured, facts.chance())
        return (0 if facts.busy(candidate) == 0 else 2, 0.0, facts.chance())

    order = tuple(sorted(candidates, key=rank))
    measured = facts.latency_ms(order[0])
    name = order[0].provider.name
    if measured is None:
        return order, f"least latency: {name} was not measured lately"
    return order, f"least latency: {name} at {measured:.0f} ms"


_ORDERS = {
    Strategy.WEIGHTED: _weighted,
    Strategy.ROUND_ROBIN: _round_robin,
    Strategy.FAILOVER: _failover,
    Strategy.COST_OPTIMIZED: _cost_optimized,
    Strategy.LEAST_LATENCY: _least_latency,
}
