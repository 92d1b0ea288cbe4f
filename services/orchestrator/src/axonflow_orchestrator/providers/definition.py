"""One provider as somebody defined it, in whatever place, and what of it is ours rather than its type's."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from axonflow_providers import ProviderConfig
from axonflow_providers.registry import ProviderSpec
from axonflow_settings import Secret

DEFAULT_TIMEOUT_S = 30
LONGEST_TIMEOUT_S = 3_600
MOST_WORDS = 100
LARGEST_NUMBER = 1_000_000
DEFAULT_WEIGHT = DEFAULT_PRIORITY = 100

# Members of ``settings`` that are about routing, for every type alike.
REGIONS, ALLOWED, DENIED = "regions", "allowed_models", "denied_models"
OURS = frozenset({REGIONS, ALLOWED, DENIED})
_REGION = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LONGEST_TEXT = 16_384  # the key file of a service account fits


class Source(StrEnum):
    """Where a definition stands; the database outranks a file, and a file the environment."""

    DATABASE = "database"
    FILE = "file"
    ENVIRONMENT = "environment"
    BUILT_IN = "built_in"


RANKS = {Source.BUILT_IN: 0, Source.ENVIRONMENT: 1, Source.FILE: 2, Source.DATABASE: 3}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A provider before it is opened.

    Attributes:
        rate_limit: calls a minute; None without a limit.
        settings: the type's own members, secret ones included as ``Secret``, and those of ``OURS``.
    """

    name: str
    type: str
    source: Source
    endpoint: str = ""
    model: str = ""
    region: str = ""
    enabled: bool = True
    priority: int = DEFAULT_PRIORITY
    weight: int = DEFAULT_WEIGHT
    rate_limit: int | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    api_key: Secret | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def config(self) -> ProviderConfig:
        """What its type's wire format is made from; only the operator's own endpoints are trusted."""
        return ProviderConfig(
            name=self.name,
            type=self.type,
            endpoint=self.endpoint,
            model=self.model,
            region=self.region,
            api_key=self.api_key,
            timeout_s=self.timeout_s,
            trusted=self.source is not Source.DATABASE,
            settings={name: value for name, value in self.settings.items() if name not in OURS},
        )

    @property
    def regions(self) -> frozenset[str]:
        """The tags that data residency is decided by: those given, and the provider's own region."""
        tags = frozenset(word.lower() for word in self.settings.get(REGIONS, ()))
        return tags | {self.region.lower()} if self.region else tags

    def words(self, name: str) -> tuple[str, ...]:
        """One of the lists of ``OURS``."""
        return tuple(self.settings.get(name, ()))

    @property
    def shown_settings(self) -> dict[str, Any]:
        """The settings that may be shown: no secret."""
        return {name: value for name, value in self.settings.items() if not isinstance(value, Secret)}

    def faults(self, spec: ProviderSpec) -> list[str]:
        """What is wrong with it, as sentences that hold no key; empty when it can be opened."""
        return [
            *_numbers(self),
            *(
                ["region must be a word such as eu-west-1"]
                if self.region and not _REGION.fullmatch(self.region)
                else ()
            ),
            *setting_faults(self.settings),
            *(spec.check(self.config) if not _unreadable(self.settings) else ()),
        ]


def setting_faults(settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with the form of ``settings``; which members a type has, its specification says."""
    if wrong := _unreadable(settings):
        return wrong
    faults = [
        f"settings.{name} must be a list of at most {MOST_WORDS} words"
        for name in sorted(OURS & settings.keys())
        if not isinstance(settings[name], list | tuple) or len(settings[name]) > MOST_WORDS or not all(settings[name])
    ]
    if not faults and not all(_REGION.fullmatch(word.lower()) for word in settings.get(REGIONS, ())):
        faults.append("settings.regions must be words such as eu or eu-west-1")
    return faults


def secret_settings(spec: ProviderSpec) -> frozenset[str]:
    """Members of a type's settings that are sealed at rest."""
    return frozenset(setting.name for setting in spec.settings if setting.secret)


def _unreadable(settings: Mapping[str, Any]) -> list[str]:
    return [
        f"settings.{str(name)[:64]} must be a text of at most {_LONGEST_TEXT} characters, a number, true, false, or a "
        "list of texts"
        for name, value in settings.items()
        if not _simple(value) and not (isinstance(value, list | tuple) and all(_text(each) for each in value))
    ]


def _simple(value: object) -> bool:
    return _text(value) or isinstance(value, bool | int | float | Secret)


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT and "\0" not in value


def _numbers(definition: Definition) -> Iterable[str]:
    for name, value in (("priority", definition.priority), ("weight", definition.weight)):
        if not 0 <= value <= LARGEST_NUMBER:
            yield f"{name} must be a whole number from 0 to {LARGEST_NUMBER}"
    if definition.rate_limit is not None and not 0 < definition.rate_limit <= LARGEST_NUMBER:
        yield f"rate_limit must be a whole number of calls a minute from 0 (no limit) to {LARGEST_NUMBER}"
    if not 0 < definition.timeout_s <= LONGEST_TIMEOUT_S:
        yield f"timeout_seconds must be from 1 to {LONGEST_TIMEOUT_S}"
