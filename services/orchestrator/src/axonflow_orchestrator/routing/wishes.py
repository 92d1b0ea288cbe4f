"""What a call asks of routing, what it is told, and what became of one candidate."""

from __future__ import annotations

import dataclasses

from axonflow_providers import ModelReply, ProviderFault

from axonflow_orchestrator.routing.ports import Configured


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Where a call may go, and where it would like to.

    Attributes:
        provider: the one that the request names.
        model: the one that the request names.
        strict: whether nobody else may answer; None leaves it to the deployment.
        preferred_provider: the one that a tenant's policy prefers.
        allowed_providers: the only ones that policies allow; None for any, empty for none.
        allowed_models: the only ones that policies allow, as globs; None for any, empty for none.
        denied_models: those that policies deny, as globs; stronger than allowing.
        regions: policies want a provider with one of these tags; None for any, empty for none.
        max_candidates: the chosen one and its fallbacks.
    """

    org_id: str
    tenant_id: str
    provider: str = ""
    model: str = ""
    strict: bool | None = None
    preferred_provider: str = ""
    allowed_providers: tuple[str, ...] | None = None
    allowed_models: tuple[str, ...] | None = None
    denied_models: tuple[str, ...] = ()
    regions: tuple[str, ...] | None = None
    max_candidates: int = 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A provider that may be asked, and the model to ask it for.

    Attributes:
        org_id, tenant_id: for whom.
        last_resort: nobody healthy is left, so it is asked although it is not healthy, now and then.
    """

    provider: Configured
    model: str
    org_id: str
    tenant_id: str
    last_resort: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Whom to ask.

    Attributes:
        candidates: the chosen one, then those to turn to if it fails.
        reason: why the first was chosen, for people.
        strategy: the deployment's word for it.
        excluded: providers that may not answer, and why; never one of the candidates.
    """

    candidates: tuple[Candidate, ...]
    reason: str
    strategy: str
    excluded: tuple[tuple[str, str], ...] = ()


class NoRoute(Exception):
    """Nobody may answer.

    Attributes:
        reason: why, for people.
        excluded: each provider, and why it may not.
    """

    def __init__(self, reason: str, excluded: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.excluded = excluded


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One call of a provider.

    Attributes:
        started_ms: since the attempt began.
        outcome: ``success``, or the kind of fault.
        status: the provider's HTTP status; 0 where it is not known.
    """

    started_ms: float
    latency_ms: float
    outcome: str
    status: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of one candidate: a reply or a fault, never both.

    Attributes:
        tries: calls that were made; empty where the provider was not asked at all.
        latency_ms: waiting between tries included.
    """

    candidate: Candidate
    reply: ModelReply | None = None
    fault: ProviderFault | None = None
    tries: tuple[Try, ...] = ()
    latency_ms: float = 0.0

    @property
    def may_have_run(self) -> bool:
        """Whether a model may have worked, and cost money, in any of the tries; also one that gave no reply."""
        return self.reply is not None or any(one.outcome in _MAY_HAVE_RUN for one in self.tries)


_MAY_HAVE_RUN = frozenset({"timeout", "malformed"})
