"""The registry: what a config must hold, in sentences without its key, and which way out it gets."""

from __future__ import annotations

from typing import Any

import pytest
from axonflow_providers import (
    ConfigInvalid,
    HttpTransport,
    ProviderConfig,
    ProviderRegistry,
    standard_specs,
)
from axonflow_settings import Secret

TRUSTED, GUARDED = HttpTransport(), HttpTransport()
REGISTRY = ProviderRegistry(standard_specs(), trusted=TRUSTED, guarded=GUARDED)


def config(**changed: Any) -> ProviderConfig:
    return ProviderConfig(**{"name": "main", "type": "openai", "api_key": Secret("sk-secret"), **changed})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "a b"}, "name"),
        ({"name": ""}, "name"),
        ({"api_key": None}, "needs an API key"),
        ({"api_key": Secret("")}, "needs an API key"),
        ({"api_key": Secret("sk-secret\r\nx: 1")}, "line break"),
        ({"endpoint": "ftp://h.example"}, "http"),
        ({"endpoint": "https://user:sk-secret@h.example"}, "credentials"),
        ({"endpoint": "https://h.example/v1?key=sk-secret"}, "query"),
        ({"model": "a\nb"}, "model"),
        ({"timeout_s": 0.0}, "timeout"),
        ({"timeout_s": float("nan")}, "timeout"),
        ({"settings": {"colour": "red"}}, "settings.colour is not known"),
        ({"settings": {"max_tokens_field": "tokens"}}, "settings.max_tokens_field"),
        ({"settings": {"organization": "a\r\nb"}}, "settings.organization"),
        ({"settings": {"organization": 7}}, "settings.organization"),
        ({"type": "custom"}, "needs an endpoint"),
        ({"type": "azure-openai"}, "needs an endpoint"),
        (
            {"type": "azure-openai", "endpoint": "https://h.example", "settings": {"api_version": "1&x=2"}},
            "settings.api_version",
        ),
    ],
)
def test_a_config_with_a_fault_is_not_opened_and_shows_no_key(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        REGISTRY.open(config(**changed))
    assert [fault for fault in caught.value.faults if said in fault]
    assert "sk-secret" not in str(caught.value)


def test_only_the_operators_endpoints_get_the_way_to_private_addresses() -> None:
    assert REGISTRY.open(config(trusted=True)).transport is TRUSTED  # type: ignore[attr-defined]
    assert REGISTRY.open(config(trusted=False)).transport is GUARDED  # type: ignore[attr-defined]


def test_every_type_is_there_once_and_is_described() -> None:
    types = [spec.type for spec in REGISTRY.specs()]
    assert len(types) == len(set(types))
    assert {"openai", "azure-openai", "mistral", "ollama", "custom", "demo"} <= set(types)
    assert all(spec.title and spec.pricing for spec in REGISTRY.specs())
    assert all(setting.help for spec in REGISTRY.specs() for setting in spec.settings)


def test_two_types_of_one_name_are_a_mistake_of_the_composition_root() -> None:
    specs = standard_specs()
    with pytest.raises(ValueError, match="openai"):
        ProviderRegistry((*specs, specs[0]), trusted=TRUSTED, guarded=GUARDED)


def test_a_type_that_nobody_gave_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        REGISTRY.open(config(type="abacus"))
