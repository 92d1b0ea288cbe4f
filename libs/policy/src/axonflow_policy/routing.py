"""Where tenant rules let a call go: what every matching ``route`` action says, as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

# Contract, orchestrator section 3.2; models and regions are ours. `provider` is the short word for the preferred one.
_LISTS = ("allowed_providers", "allowed_models", "denied_models", "regions")
_TEXTS = ("preferred_provider", "provider", "reason", "message")
LONGEST_NAME = 200
MOST_NAMES = 100


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """What all matching routes allow together. None has no opinion; empty allows nothing.

    Attributes:
        allowed_providers: providers' names.
        preferred_provider: of the route with the highest priority that prefers an allowed one; empty for none.
        allowed_models: models' names; one that ends in ``*`` stands for all that begin so. Case does not count.
        denied_models: as ``allowed_models``; a model in both is denied.
        regions: where the provider may be.
        reason: one phrase for people.
    """

    allowed_providers: tuple[str, ...] | None
    preferred_provider: str
    allowed_models: tuple[str, ...] | None
    denied_models: tuple[str, ...]
    regions: tuple[str, ...] | None
    reason: str

    def allows_model(self, model: str) -> bool:
        """Whether a call may go to ``model``."""
        if any(_within(model, name) for name in self.denied_models):
            return False
        return self.allowed_models is None or any(_within(model, name) for name in self.allowed_models)


class Route(NamedTuple):
    """One matching action.

    Attributes:
        rank: of its rule; the least comes first.
        reason: of its rule, where the action gives none.
    """

    rank: tuple[int, str]
    reason: str
    config: Mapping[str, Any]


def problem_of(config: Mapping[str, Any]) -> str:
    """What is wrong with the config of a ``route`` action, empty for nothing."""
    for name, value in config.items():
        if name in _LISTS:
            if not _are_names(value):
                return f"config.{name} must be a list of 1 to {MOST_NAMES} names"
        elif name not in _TEXTS:
            return f"there is no config.{name}; there are {', '.join((*_LISTS, *_TEXTS))}"
        elif not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
            return f"config.{name} must be a text of 1 to {LONGEST_NAME} characters"
    return ""


def says_where(config: Mapping[str, Any]) -> bool:
    """Whether a ``route`` action sends a call anywhere at all."""
    return any(name in config for name in (*_LISTS, "preferred_provider", "provider"))


def routing_of(routes: Iterable[Route]) -> Routing | None:
    """All routes as one, or None without any."""
    found = sorted(routes, key=lambda route: route.rank)
    if not found:
        return None
    providers = _common(found, "allowed_providers", _same)
    preferred = (str(route.config.get("preferred_provider") or route.config.get("provider") or "") for route in found)
    reasons = (str(route.config.get("reason") or route.config.get("message") or route.reason) for route in found)
    return Routing(
        allowed_providers=providers,
        preferred_provider=next((each for each in preferred if each and (providers is None or each in providers)), ""),
        allowed_models=_common(found, "allowed_models", _narrower),
        denied_models=tuple(dict.fromkeys(name for route in found for name in route.config.get("denied_models", ()))),
        regions=_common(found, "regions", _same_word),
        reason="; ".join(dict.fromkeys(reasons)),
    )


def _common(routes: Iterable[Route], member: str, meet: Callable[[str, str], str]) -> tuple[str, ...] | None:
    """What all lists under ``member`` allow; ``meet`` is what two names allow together, empty for nothing."""
    lists = [tuple(route.config[member]) for route in routes if member in route.config]
    if not lists:
        return None
    common = tuple(dict.fromkeys(lists[0]))
    for other in lists[1:]:
        met = (meet(one, another) for one in common for another in other)
        common = tuple(dict.fromkeys(name for name in met if name))
    return common


def _same(one: str, other: str) -> str:
    return one if one == other else ""


def _same_word(one: str, other: str) -> str:
    return one if one.casefold() == other.casefold() else ""


def _narrower(one: str, other: str) -> str:
    if _within(one, other):
        return one
    return other if _within(other, one) else ""


def _within(name: str, wider: str) -> bool:
    name, wider = name.casefold(), wider.casefold()
    return name.startswith(wider[:-1]) if wider.endswith("*") else name == wider


def _are_names(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and 0 < len(value) <= MOST_NAMES
        and all(isinstance(each, str) and each.strip() and len(each) <= LONGEST_NAME for each in value)
    )
