"""Scripted providers and a clock that a test moves, for routing without a network or a database."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from axonflow_orchestrator.routing.asking import Asker, Surroundings
from axonflow_orchestrator.routing.breaker import Thresholds
from axonflow_orchestrator.routing.retrying import RetryRules
from axonflow_orchestrator.routing.standing import Standings, Tallies
from axonflow_orchestrator.routing.wishes import Candidate
from axonflow_providers import (
    FaultKind,
    Message,
    ModelReply,
    ModelRequest,
    ProviderConfig,
    ProviderFault,
    Role,
    TokenUsage,
)
from axonflow_telemetry.call_series import CallSeries
from prometheus_client import CollectorRegistry

ORG, TENANT = "acme-bank", "tellers"
PROMPT = (Message(role=Role.USER, text="hello"),)

Step = ProviderFault | Exception | str | Callable[[], Any]


def fault(kind: FaultKind, **more: Any) -> ProviderFault:
    return ProviderFault(kind, f"it said {kind.value}", **more)


class Scripted:
    """A provider that does what its script says, and answers once that is over."""

    def __init__(self, *script: Step, then: Step = "fine") -> None:
        self.script = list(script)
        self.then = then
        self.asked: list[ModelRequest] = []
        self.config = ProviderConfig(name="scripted", type="custom")

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        step = self.script.pop(0) if self.script else self.then
        if callable(step):
            step = await step()
        if isinstance(step, Exception):
            raise step
        return ModelReply(text=str(step), model=request.model, usage=TokenUsage(prompt=3, completion=4))

    async def probe(self, timeout_s: float) -> None: ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Configured:
    """A configured provider with defaults."""

    name: str
    type: str = "custom"
    provider: Any = dataclasses.field(default_factory=Scripted)
    default_model: str = "own-model"
    enabled: bool = True
    priority: int = 100
    weight: int = 100
    rate_limit: int | None = None
    regions: frozenset[str] = frozenset()
    allowed_models: tuple[str, ...] = ()
    denied_models: tuple[str, ...] = ()
    pricing: str = ""
    org_id: str = ""
    timeout_s: float = 30.0
    endpoint: str = ""

    @property
    def id(self) -> str:
        return f"environment:{self.name}"

    @property
    def config(self) -> ProviderConfig:
        return ProviderConfig(name=self.name, type=self.type, endpoint=self.endpoint, timeout_s=self.timeout_s)


@dataclasses.dataclass
class Seen:
    status: str = "unknown"
    last_checked: datetime | None = None


@dataclasses.dataclass
class Source:
    """Providers as they are given, and what was told of their health."""

    providers: Sequence[Configured] = ()
    heard: list[tuple[str, bool]] = dataclasses.field(default_factory=list)
    seen: dict[str, Seen] = dataclasses.field(default_factory=dict)

    async def providers_for(self, _org_id: str, _tenant_id: str, *, named: str = "") -> tuple[Configured, ...]:  # noqa: ARG002 - the port's
        return tuple(self.providers)

    def on_health(self, provider: Any, *, healthy: bool, message: str = "") -> None:  # noqa: ARG002 - the port's
        self.heard.append((provider.name, healthy))

    def health_of(self, provider: Any) -> Seen:
        return self.seen.get(provider.name, Seen())


class Clock:
    """Stands still until it is moved; sleeping moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Limit:
    """A limiter that refuses for so long; 0 lets everything pass."""

    def __init__(self, wait_s: float = 0.0) -> None:
        self.wait_s = wait_s

    async def admit(self, _candidate: Candidate) -> float | None:
        return self.wait_s or None


class Bench:
    """An asker with everything around it within reach."""

    def __init__(self, *, rules: RetryRules | None = None, most_at_once: int = 8, **thresholds: Any) -> None:
        self.clock = Clock()
        self.source = Source()
        self.tallies = Tallies()
        self.registry = CollectorRegistry()
        self.limit = Limit()
        self.chance = 1.0
        self.rules = rules or RetryRules()
        self.standings = Standings(Thresholds(**thresholds), self.rules, most_at_once, self.clock)
        self.around = Surroundings(
            providers=self.source,
            tallies=self.tallies,
            series=CallSeries(self.registry),
            limiter=self.limit,
            clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: self.chance,
            slot_wait_s=0.01,
        )
        self.asker = Asker(self.standings, self.rules, self.around)

    async def ask(self, provider: Configured, *, last_resort: bool = False, timeout_s: float = 30.0) -> Any:
        candidate = Candidate(provider=provider, model="gpt-4o", org_id=ORG, tenant_id=TENANT, last_resort=last_resort)
        return await self.asker.attempt(candidate, ModelRequest(model="", messages=PROMPT, timeout_s=timeout_s))

    def calls(self, provider: str, status: str) -> float:
        """What the Prometheus page counts."""
        labels = {"provider": provider, "status": status}
        return self.registry.get_sample_value("axonflow_orchestrator_llm_calls_total", labels) or 0.0
