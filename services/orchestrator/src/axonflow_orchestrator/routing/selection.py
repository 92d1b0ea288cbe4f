"""Who may answer a call, and in which order: exclusions, then policy, then the request, then the strategy. Pure.

Orchestrator contract section 3.2. Residency and deny lists hold for every candidate alike, so that no fallback leaves
them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from axonflow_orchestrator.routing.models import ModelLists, may_serve, provider_permits
from axonflow_orchestrator.routing.ports import Configured
from axonflow_orchestrator.routing.strategies import Facts, Strategy, ordered
from axonflow_orchestrator.routing.wishes import Candidate, NoRoute, Route, Wish

DISABLED, NOT_ALLOWED, REGION, NO_MODEL, MODEL_DENIED = (
    "disabled",
    "not allowed by policy",
    "region",
    "no model",
    "model denied",
)
NOT_CONFIGURED = "not configured"
_LONGEST_WORD = 80


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The deployment's rules.

    Attributes:
        lists: models of the whole deployment.
        strict: whether a call that says nothing of it may be answered by its first provider alone.
    """

    strategy: Strategy
    lists: ModelLists = dataclasses.field(default_factory=ModelLists)
    strict: bool = False

    def route(
        self, providers: Sequence[Configured], wish: Wish, ails: Callable[[Configured], str], facts: Facts
    ) -> Route:
        """Choose.

        Args:
            providers: all that the tenant may use, each name once.
            wish: what the call asks for.
            ails: why a provider is not healthy; empty where it is.
            facts: what strategies go by.

        Raises:
            NoRoute: nobody may answer.
        """
        eligible, excluded = self._eligible(providers, wish)
        strict = self.strict if wish.strict is None else wish.strict
        if strict:
            eligible = _bound(eligible, excluded, wish)
        ailing = {each.provider.name: why for each in eligible if (why := ails(each.provider))}
        pool = [each for each in eligible if each.provider.name not in ailing]
        if pool:
            excluded |= ailing
        else:
            pool = [dataclasses.replace(each, last_resort=True) for each in eligible]
        order, reason = self._ordered(pool, wish, excluded, facts)
        return Route(
            candidates=order[: 1 if strict else max(1, wish.max_candidates)],
            reason=f"nobody is healthy; {reason}" if order[0].last_resort else reason,
            strategy=self.strategy.value,
            excluded=tuple(sorted(excluded.items())),
        )

    def _eligible(self, providers: Iterable[Configured], wish: Wish) -> tuple[list[Candidate], dict[str, str]]:
        """Those that rules let answer, and why the others may not."""
        found: list[Candidate] = []
        excluded: dict[str, str] = {}
        asked_denied = bool(wish.model) and not self.lists.permit(wish.model, wish)
        for provider in providers:
            model = _model_for(provider, wish)
            why = _barred(provider, wish)
            if not why and asked_denied:
                why = MODEL_DENIED  # whoever asks for a denied model is told so, not given another one
            if not why and not model:
                why = NO_MODEL
            if not why and not (provider_permits(provider, model) and self.lists.permit(model, wish)):
                why = MODEL_DENIED
            if why:
                excluded[provider.name] = why
            else:
                found.append(Candidate(provider=provider, model=model, org_id=wish.org_id, tenant_id=wish.tenant_id))
        if not found:
            told = "; ".join(f"{name}: {why}" for name, why in excluded.items()) or "none is configured"
            denied = f"model {_word(wish.model)} is not allowed; " if asked_denied else ""
            raise NoRoute(f"{denied}no provider may answer ({told})", tuple(sorted(excluded.items())))
        return found, excluded

    def _ordered(
        self, pool: Sequence[Candidate], wish: Wish, excluded: dict[str, str], facts: Facts
    ) -> tuple[tuple[Candidate, ...], str]:
        by_name = {each.provider.name: each for each in pool}
        head: dict[str, str] = {}
        notes: list[str] = []
        for name, phrase in (
            (wish.preferred_provider, "preferred by policy"),
            (wish.provider, "named by the request"),
        ):
            if name in by_name:
                head.setdefault(name, phrase)
            elif name:
                notes.append(f"{_word(name)}, {phrase}, is out ({excluded.get(name, NOT_CONFIGURED)})")
        rest = [each for name, each in by_name.items() if name not in head]
        serving = [each for each in rest if not wish.model or each.model == wish.model]
        others = [each for each in rest if each not in serving]
        order = [by_name[name] for name in head]
        because = next((f"{name} is {phrase}" for name, phrase in head.items()), "")
        for group in (serving, others):
            if group:
                sorted_group, why = ordered(self.strategy, group, facts)
                order += sorted_group
                because = because or why
        first = order[0]
        if notes:
            because = f"{'; '.join(notes)}: failover to {first.provider.name} ({because})"
        if wish.model and first.model != wish.model:
            because += f"; it answers with {first.model}, since it does not serve {_word(wish.model)}"
        return tuple(order), because


def _barred(provider: Configured, wish: Wish) -> str:
    if not provider.enabled:
        return DISABLED
    if wish.allowed_providers is not None and provider.name not in wish.allowed_providers:
        return NOT_ALLOWED
    if wish.regions is not None:
        wanted = {region.casefold() for region in wish.regions}
        if wanted.isdisjoint(tag.casefold() for tag in provider.regions):
            return REGION
    return ""


def _model_for(provider: Configured, wish: Wish) -> str:
    """The asked model where the provider may serve it, or was named together with it; else its own."""
    if wish.model and (provider.name == wish.provider or may_serve(provider, wish.model)):
        return wish.model
    return provider.default_model


def _bound(eligible: list[Candidate], excluded: dict[str, str], wish: Wish) -> list[Candidate]:
    """Under ``strict``: policy's choice or the request's alone, where there is one.

    Raises:
        NoRoute: the one that the request names may not answer.
    """
    for name in (wish.preferred_provider, wish.provider):
        named = [each for each in eligible if each.provider.name == name]
        if named:
            return named
    if wish.provider:
        why = excluded.get(wish.provider, NOT_CONFIGURED)
        reason = f"{_word(wish.provider)} is out ({why}), and the request wants nobody else"
        raise NoRoute(reason, tuple(sorted(excluded.items())))
    return eligible


def _word(text: str) -> str:
    """A caller's own word as people may read it."""
    return "".join(character if character.isprintable() else "?" for character in text[:_LONGEST_WORD])
