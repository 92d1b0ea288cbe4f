"""Which models may be asked, and which provider may plausibly serve one that a request names. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from axonflow_orchestrator.routing.ports import Configured
from axonflow_orchestrator.routing.wishes import Wish

# Models that only their maker's own services serve: a name of them is nothing for a server of open models.
_MAKERS = {
    "openai": ("gpt-3*", "gpt-4*", "gpt-5*", "chatgpt-*", "o1*", "o3*", "o4*", "davinci-*", "text-davinci-*"),
    "anthropic": ("claude*",),
    "google": ("gemini*", "models/gemini*", "text-bison*", "chat-bison*"),
}
_OPENAI_TUNED = "ft:*"
_MISTRAL = ("mistral*", "ministral*", "mixtral*", "magistral*", "codestral*", "devstral*", "pixtral*", "open-mi*")
# `us.anthropic.claude-…`, `amazon.nova-…`, and ARNs of profiles.
_BEDROCK = ("arn:aws*", "*anthropic.*", "*amazon.*", "*meta.*", "*mistral.*", "*cohere.*", "*ai21.*", "*deepseek.*")
_CLOSED_FAMILIES = tuple(glob for globs in _MAKERS.values() for glob in globs)
_GOOGLE = (*_MAKERS["google"], "gemma*")
_FAMILIES = {
    "openai": (*_MAKERS["openai"], _OPENAI_TUNED),
    "anthropic": _MAKERS["anthropic"],
    "gemini": _GOOGLE,
    "vertex": (*_GOOGLE, "publishers/*", "projects/*"),
    "mistral": _MISTRAL,
    "deepseek": ("deepseek*",),
    "bedrock": _BEDROCK,
    "azure-openai": (),  # a deployment's name says nothing, so only names that were written down are tried
}
_ANY = frozenset({"demo", "openrouter"})


def matches(model: str, glob: str) -> bool:
    """Whether ``*`` of ``glob`` can stand for what ``model`` has there; case does not count, time is linear."""
    text = model.casefold()
    first, *rest = glob.casefold().split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first):
        return False
    position = len(first)
    for piece in middle:
        found = text.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return len(text) - position >= len(last) and text.endswith(last)


def any_matches(model: str, globs: Iterable[str]) -> bool:
    """Whether one of ``globs`` fits."""
    return any(matches(model, glob) for glob in globs)


@dataclasses.dataclass(frozen=True, slots=True)
class ModelLists:
    """What the deployment allows; empty allows any, and denying is stronger."""

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()

    def permit(self, model: str, wish: Wish) -> bool:
        """Whether deployment and policies let ``model`` be asked, whoever serves it."""
        if any_matches(model, (*self.denied, *wish.denied_models)):
            return False
        if self.allowed and not any_matches(model, self.allowed):
            return False
        return wish.allowed_models is None or any_matches(model, wish.allowed_models)


def provider_permits(provider: Configured, model: str) -> bool:
    """Whether a provider's own lists let ``model`` be asked."""
    if any_matches(model, provider.denied_models):
        return False
    return not provider.allowed_models or any_matches(model, provider.allowed_models)


def may_serve(provider: Configured, model: str) -> bool:
    """Whether a provider may plausibly serve ``model``: it says so itself, or its kind is known to."""
    if model == provider.default_model or any_matches(model, provider.allowed_models):
        return True
    if provider.type in _ANY:
        return True
    family = _FAMILIES.get(provider.type)
    # The rest are servers of open models, which may serve anything but what only its maker does.
    return any_matches(model, family) if family is not None else not any_matches(model, _CLOSED_FAMILIES)
