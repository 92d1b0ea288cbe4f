"""The types of provider that a deployment has, put together by its composition root; nothing registers itself."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable

from axonflow_providers.addresses import LONGEST_MODEL, endpoint_fault, header_safe
from axonflow_providers.protocol import Provider, ProviderConfig, Transport

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_LONGEST_TIMEOUT_S = 3_600.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that a type takes beside endpoint, model, region and key.

    Attributes:
        help: what it is, for an administrator.
        secret: to be sealed at rest and never shown; in a config it is a ``Secret``.
    """

    name: str
    help: str
    secret: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A type of provider.

    Attributes:
        type: the word on the wire (``azure-openai``).
        open: makes the live side; asks nothing.
        default_endpoint: base URL where a config names none; empty where there is none or the type works it out.
        default_model: answers where neither a request nor the config names a model; empty where there is none.
        pricing: the provider's key in the price table.
        needs_key: it cannot be called without ``api_key``.
        needs_endpoint: it cannot be called without ``endpoint``.
        settings: what ``ProviderConfig.settings`` may hold.
        rules: further faults of a config, as sentences.
    """

    type: str
    title: str
    open: Callable[[ProviderConfig, Transport], Provider]
    default_endpoint: str = ""
    default_model: str = ""
    pricing: str
    needs_key: bool = True
    needs_endpoint: bool = False
    settings: tuple[Setting, ...] = ()
    rules: Callable[[ProviderConfig], list[str]] = lambda _config: []

    def check(self, config: ProviderConfig) -> list[str]:
        """What is wrong with a config, as sentences that never hold a key; empty when it can be opened."""
        return [*self._faults(config), *self.rules(config)]

    def _faults(self, config: ProviderConfig) -> Iterable[str]:
        if not _NAME.fullmatch(config.name):
            yield "The name must be 1 to 100 letters, digits, dots, hyphens or underscores, the first a letter or digit"
        if config.endpoint and (wrong := endpoint_fault(config.endpoint)):
            yield wrong
        if self.needs_endpoint and not config.endpoint:
            yield f"{self.title} needs an endpoint"
        if self.needs_key and not config.api_key:
            yield f"{self.title} needs an API key"
        if config.api_key and not header_safe(config.api_key.reveal()):
            yield "The API key holds a line break or a character outside ASCII"
        if len(config.model) > LONGEST_MODEL or not header_safe(config.model):
            yield "The model is no name that a provider could have"
        if not 0 < config.timeout_s <= _LONGEST_TIMEOUT_S:
            yield f"The timeout must be more than 0 and at most {_LONGEST_TIMEOUT_S:.0f} seconds"
        known = {setting.name for setting in self.settings}
        for name in config.settings:
            if name not in known:
                yield f"settings.{name[:64]} is not known; there are {', '.join(sorted(known)) or 'none'}"


class ConfigInvalid(ValueError):
    """A config that cannot be opened.

    Attributes:
        faults: sentences for an administrator; none holds a key.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class ProviderRegistry:
    """Specifications by type, and the one way to a live provider."""

    def __init__(self, specs: Iterable[ProviderSpec], *, trusted: Transport, guarded: Transport) -> None:
        """Keep the specifications.

        Args:
            specs: all types, each once.
            trusted: for endpoints that the operator gave: private addresses may be dialled.
            guarded: for all others, under the egress rules (rulings section 8).
        """
        self._specs: dict[str, ProviderSpec] = {}
        for spec in specs:
            if spec.type in self._specs:
                raise ValueError(f"two types of provider are called {spec.type}")
            self._specs[spec.type] = spec
        self._trusted = trusted
        self._guarded = guarded

    def specs(self) -> tuple[ProviderSpec, ...]:
        """All of them, in the order given."""
        return tuple(self._specs.values())

    def spec(self, type_: str) -> ProviderSpec:
        """The specification of one type.

        Raises:
            KeyError: there is no such type.
        """
        return self._specs[type_]

    def open(self, config: ProviderConfig) -> Provider:
        """The live side of a config. Nothing is dialled; it holds no connection of its own and needs no closing.

        Raises:
            KeyError: there is no such type.
            ConfigInvalid: the config has faults; all of them, as ``ProviderSpec.check`` says them.
        """
        spec = self._specs[config.type]
        if faults := spec.check(config):
            raise ConfigInvalid(faults)
        return spec.open(config, self._trusted if config.trusted else self._guarded)
