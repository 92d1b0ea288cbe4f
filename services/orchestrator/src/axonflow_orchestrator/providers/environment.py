"""The providers that the environment configures (orchestrator contract section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from axonflow_settings import Secret

from axonflow_orchestrator.provider_settings import KEYS, ProviderSettings
from axonflow_orchestrator.providers.definition import DEFAULT_TIMEOUT_S, Definition, Source


def environment_definitions(settings: ProviderSettings) -> tuple[Definition, ...]:
    """One for each provider whose key, region or address is set, called as its type."""
    return tuple(_found(settings))


def key_faults(settings: ProviderSettings) -> list[str]:
    """Keys that are given twice."""
    return [
        f"{field.upper()} and {field.upper()}_FILE are both set: give one of them"
        for field in KEYS
        if getattr(settings, field) is not None and getattr(settings, f"{field}_file") is not None
    ]


def _found(settings: ProviderSettings) -> Iterator[Definition]:
    if key := settings.key("openai_api_key"):
        base = settings.openai_base_url or (f"{settings.openai_endpoint}/v1" if settings.openai_endpoint else "")
        yield _definition("openai", key, endpoint=base, model=settings.openai_model)
    if key := settings.key("anthropic_api_key"):
        yield _definition("anthropic", key, endpoint=settings.anthropic_base_url, model=settings.anthropic_model)
    if key := settings.key("google_api_key"):
        yield _definition("gemini", key, model=settings.google_model)
    if key := settings.key("azure_openai_api_key"):
        yield _definition(
            "azure-openai",
            key,
            endpoint=settings.azure_openai_endpoint,
            model=settings.azure_openai_deployment,
            settings={"api_version": settings.azure_openai_api_version},
        )
    if key := settings.key("mistral_api_key"):
        yield _definition("mistral", key, endpoint=_versioned(settings.mistral_endpoint), model=settings.mistral_model)
    if settings.bedrock_region:
        yield _definition(
            "bedrock",
            None,
            model=settings.bedrock_model,
            region=settings.bedrock_region,
            settings=_aws(settings),
        )
    if settings.ollama_endpoint:
        yield _definition(
            "ollama",
            None,
            endpoint=_versioned(settings.ollama_endpoint),
            model=settings.ollama_model,
            timeout_s=settings.ollama_timeout_s,
        )


def _definition(type_: str, key: Secret | None, **fields: Any) -> Definition:
    given: Mapping[str, Any] = {"timeout_s": DEFAULT_TIMEOUT_S, **fields}
    return Definition(name=type_, type=type_, source=Source.ENVIRONMENT, api_key=key, **given)


def _versioned(endpoint: str) -> str:
    """An address as it is commonly written, with the path of the interface that is spoken there."""
    return f"{endpoint}/v1" if endpoint and not urlsplit(endpoint).path else endpoint


def _aws(settings: ProviderSettings) -> dict[str, Any]:
    given = {
        "access_key_id": settings.aws_access_key_id,
        "secret_access_key": settings.key("aws_secret_access_key"),
        "session_token": settings.key("aws_session_token"),
    }
    return {name: value for name, value in given.items() if value}
