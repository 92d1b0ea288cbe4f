"""Looking at a provider, and trying it with a short prompt, which is judged and recorded first, without its text."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import msgspec
from axonflow_contracts.caller import Caller
from axonflow_contracts.errors import Fault
from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_governance import PolicySource
from axonflow_governance.changes import Author
from axonflow_governance.errors import JudgementFailed
from axonflow_policy import Content, PolicySet
from axonflow_providers import Message, ModelRequest, ProviderFault, Role

from axonflow_orchestrator.providers.configured import OPENING_FAULTS, ConfiguredProvider
from axonflow_orchestrator.providers.finding import Found
from axonflow_orchestrator.providers.health import UNHEALTHY
from axonflow_orchestrator.providers.probing import Prober
from axonflow_orchestrator.providers.records import ProviderHealth, Row, Trial, TrialResult
from axonflow_orchestrator.providers.service import ProviderService
from axonflow_orchestrator.providers.source import unusable
from axonflow_orchestrator.routing.models import provider_permits

PROMPT = "Reply with the single word: ready"
WITHHELD = "[withheld: policies do not let this answer pass as it is]"
LONGEST_PROMPT = 500
LONGEST_MODEL = 256
LARGEST_ANSWER_TOKENS = 256
LONGEST_SHOWN = 2_000
FRESH_S = 30.0
LONGEST_TRIAL_S = 25.0  # the agent waits for 30


@dataclass(frozen=True, slots=True)
class Trials:
    """Calls of one provider that somebody asks for."""

    service: ProviderService
    prober: Prober
    policies: PolicySource

    async def look(self, name: str, named_tenant: str | None, caller: Caller) -> ProviderHealth:
        """How one does; asked now unless it was a moment ago.

        Raises:
            Fault: 404, 409 for a name that several tenants use, 503.
        """
        found = await self.service.find(name, named_tenant, caller)
        try:
            provider = self._opened(found)
        except OPENING_FAULTS as error:
            return ProviderHealth(status=UNHEALTHY, message=unusable(error))
        book = self.service.book
        if book.age_s(provider.id, provider.version) >= FRESH_S:
            await self.prober.look(provider)
        return book.of(provider.id, provider.version) or ProviderHealth()

    async def ask(self, name: str, trial: Trial, author: Author) -> TrialResult:
        """Have its model answer a prompt of ours, or a short one of the caller's.

        Raises:
            Fault: 400 for a prompt or model that is not taken, 403 for a prompt that policies stop, 404, 409, 503 where
                it cannot be judged or recorded.
        """
        if trial.prompt is not None and not 0 < len(trial.prompt) <= LONGEST_PROMPT:
            raise Fault(400, f"prompt must be 1 to {LONGEST_PROMPT} characters")
        if trial.model is not None and not (0 < len(trial.model) <= LONGEST_MODEL and trial.model.isprintable()):
            raise Fault(400, f"model must be 1 to {LONGEST_MODEL} printable characters")
        found = await self.service.find(name, trial.tenant_id, author.caller)
        model = trial.model or found.model
        try:
            provider = self._opened(found)
        except OPENING_FAULTS as error:
            return _failed(name, model, unusable(error), 0.0)
        model = model or provider.default_model
        if not provider_permits(provider, model):
            raise Fault(400, "This provider's allowed_models and denied_models do not let this model be asked")
        refused_by: tuple[str, ...] = ()
        judges = None if trial.prompt is None else await self._judges(author.caller)
        if trial.prompt is not None and judges is not None:
            refused_by = _stopped(judges, trial.prompt, Phase.REQUEST)
        own = trial.prompt is not None
        await self.service.changes.keep_trial(
            author, name=name, type_=found.type, model=model, own_prompt=own, refused_by=refused_by
        )
        if refused_by:
            raise Fault(403, "Policies do not let this prompt be sent; a test needs none of its own")
        result = await self._asked(provider, model, trial.prompt or PROMPT)
        if judges is not None and result.success and _stopped(judges, str(result.response), Phase.RESPONSE):
            return msgspec.structs.replace(result, response=WITHHELD)
        return result

    async def _judges(self, caller: Caller) -> PolicySet:
        """The policies that a caller's own text is held to, as in a proxied call."""
        try:
            found = await self.policies.with_tenant_rules(caller.org_id, caller.tenant_id)
        except JudgementFailed:
            found = None
        if found is None:
            raise Fault(503, "The prompt cannot be judged now", headers={"Retry-After": "1"})
        return found

    async def _asked(self, provider: ConfiguredProvider, model: str, prompt: str) -> TrialResult:
        timeout_s = min(LONGEST_TRIAL_S, provider.config.timeout_s)
        request = ModelRequest(
            model=model,
            messages=(Message(role=Role.USER, text=prompt),),
            max_tokens=LARGEST_ANSWER_TOKENS,
            timeout_s=timeout_s,
        )
        began = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_s + 1):
                reply = await provider.provider.complete(request)
        except ProviderFault as fault:
            return _failed(provider.name, model, str(fault), _since(began))
        except TimeoutError:
            return _failed(provider.name, model, "The provider does not answer in time", _since(began))
        latency_ms = _since(began)
        self.service.book.note(provider, healthy=True)
        return TrialResult(
            success=True,
            provider=provider.name,
            model=reply.model,
            latency_ms=latency_ms,
            response=reply.text[:LONGEST_SHOWN],
        )

    def _opened(self, found: Found) -> ConfiguredProvider:
        opener = self.service.opener
        return opener.row(found) if isinstance(found, Row) else opener.deployment(found)


def _failed(name: str, model: str, error: str, latency_ms: float) -> TrialResult:
    return TrialResult(
        success=False, provider=name, model=model, latency_ms=latency_ms, response=msgspec.UNSET, error=error
    )


def _stopped(judges: PolicySet, text: str, phase: Phase) -> tuple[str, ...]:
    """The policies that keep a text from passing as it is; a failure of ours stops it too."""
    judged = judges.evaluate(Content.of(text), phase)
    if judged.verdict is Verdict.ALLOWED:
        return ()
    return tuple({match.policy_id for match in judged.matches}) or ("unjudged",)


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)
