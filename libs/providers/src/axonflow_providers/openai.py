"""OpenAI's chat completions, and every endpoint that speaks them: Mistral, Ollama, vLLM, Groq and others."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec

from axonflow_providers.addresses import header_safe, merged_headers, model_named, url_of
from axonflow_providers.chat_answers import chat_fault, chat_reply
from axonflow_providers.chat_requests import Dialect, MaxTokensField, StructuredOutput, chat_body
from axonflow_providers.json_answers import decoded, succeeded
from axonflow_providers.protocol import ModelReply, ModelRequest, Provider, ProviderConfig, Transport
from axonflow_providers.registry import ProviderSpec, Setting

_COMPLETIONS = "/chat/completions"
_CHOICES = {"max_tokens_field": get_args(MaxTokensField), "structured_output": get_args(StructuredOutput)}
DIALECT_SETTINGS = (
    Setting(
        name="max_tokens_field",
        help="What the endpoint calls the limit of an answer: max_tokens or max_completion_tokens.",
    ),
    Setting(
        name="structured_output",
        help="How the endpoint is told to answer in JSON: json_schema, json_object, or words (no switch).",
    ),
)
_ACCOUNT_HEADERS = {"organization": "openai-organization", "project": "openai-project"}
_ACCOUNT_SETTINGS = (
    Setting(name="organization", help="The organization that calls are charged to."),
    Setting(name="project", help="The project that calls are charged to."),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """One type of endpoint, as data.

    Attributes:
        probe: the path below the base URL that says whether the key is good, without using a model.
        probe_may_miss: it need not exist, so that its absence says nothing.
        account: it takes OpenAI's headers of organization and project.
    """

    type: str
    title: str
    endpoint: str = ""
    model: str = ""
    pricing: str = ""
    needs_key: bool = True
    dialect: Dialect = dataclasses.field(default_factory=Dialect)
    probe: str = "models"
    probe_may_miss: bool = False
    account: bool = False


FLAVOURS = (
    Flavour(
        type="openai",
        title="OpenAI",
        endpoint="https://api.openai.com/v1",
        model="gpt-4o-mini",
        dialect=Dialect(max_tokens_field="max_completion_tokens"),
        account=True,
    ),
    Flavour(type="mistral", title="Mistral", endpoint="https://api.mistral.ai/v1", model="mistral-small-latest"),
    Flavour(type="ollama", title="Ollama", endpoint="http://localhost:11434/v1", model="llama3.1", needs_key=False),
    Flavour(
        type="groq",
        title="Groq",
        endpoint="https://api.groq.com/openai/v1",
        model="llama-3.3-70b-versatile",
        # Few of its models take a schema.
        dialect=Dialect(max_tokens_field="max_completion_tokens", structured_output="json_object"),
    ),
    Flavour(type="together", title="Together AI", endpoint="https://api.together.xyz/v1"),
    Flavour(
        type="deepseek",
        title="DeepSeek",
        endpoint="https://api.deepseek.com/v1",
        model="deepseek-chat",
        dialect=Dialect(structured_output="json_object"),
    ),
    # Its list of models is shown to everybody; only the page of the key says whether the key is good.
    Flavour(type="openrouter", title="OpenRouter", endpoint="https://openrouter.ai/api/v1", probe="key"),
    Flavour(type="vllm", title="vLLM", needs_key=False, pricing="local"),
    Flavour(type="custom", title="OpenAI-compatible endpoint", needs_key=False, probe_may_miss=True),
)


@dataclasses.dataclass(frozen=True, slots=True)
class ChatProvider:
    """One endpoint that speaks chat completions."""

    config: ProviderConfig
    transport: Transport
    flavour: Flavour

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once.

        Raises:
            ProviderFault: it gave no usable reply.
        """
        model = model_named(request.model, self.config.model, self.flavour.model)
        answer = await self.transport.send(
            "POST",
            url_of(self._base, "chat", "completions"),
            headers=merged_headers(request.headers, {**self._headers(), "content-type": "application/json"}),
            body=chat_body(request, model, dialect_of(self.config, self.flavour.dialect)),
            timeout_s=request.timeout_s,
        )
        return chat_reply(answer, request, model)

    async def probe(self, timeout_s: float) -> None:
        """Ask for the models that it has.

        Raises:
            ProviderFault: it would not answer.
        """
        url = url_of(self._base, self.flavour.probe)
        answer = await self.transport.send("GET", url, headers=self._headers(), timeout_s=timeout_s)
        if self.flavour.probe_may_miss and answer.status in {404, 405, 501}:
            return
        if not succeeded(answer):
            raise chat_fault(answer)
        decoded(answer, msgspec.Raw)

    @property
    def _base(self) -> str:
        return base_of(self.config.endpoint or self.flavour.endpoint)

    def _headers(self) -> dict[str, str]:
        headers = {"accept": "application/json"}
        if self.config.api_key:
            headers["authorization"] = f"Bearer {self.config.api_key.reveal()}"
        if self.flavour.account:
            for name, header in _ACCOUNT_HEADERS.items():
                if value := self.config.settings.get(name):
                    headers[header] = str(value)
        return headers


def base_of(endpoint: str) -> str:
    """The base URL as people give it: bare hosts mean ``/v1``, and the path of the call itself may stand behind."""
    base = endpoint.rstrip("/").removesuffix(_COMPLETIONS)
    return base if urlsplit(base).path.strip("/") else f"{base}/v1"


def dialect_of(config: ProviderConfig, usual: Dialect) -> Dialect:
    """The type's dialect with what the config's settings change of it."""
    changed: dict[str, Any] = {name: config.settings[name] for name in _CHOICES if config.settings.get(name)}
    return dataclasses.replace(usual, **changed)


def settings_faults(config: ProviderConfig) -> list[str]:
    """What is wrong with the settings of this family, as sentences."""
    faults = [
        f"settings.{name} must be one of {', '.join(allowed)}"
        for name, allowed in _CHOICES.items()
        if config.settings.get(name) and config.settings[name] not in allowed
    ]
    for name in _ACCOUNT_HEADERS:
        value = config.settings.get(name, "")
        if not isinstance(value, str) or not header_safe(value):
            faults.append(f"settings.{name} must be a plain text")
    return faults


def _opening(flavour: Flavour) -> Callable[[ProviderConfig, Transport], Provider]:
    return lambda config, transport: ChatProvider(config, transport, flavour)


SPECS = tuple(
    ProviderSpec(
        type=flavour.type,
        title=flavour.title,
        open=_opening(flavour),
        default_endpoint=flavour.endpoint,
        default_model=flavour.model,
        pricing=flavour.pricing or flavour.type,
        needs_key=flavour.needs_key,
        needs_endpoint=not flavour.endpoint,
        settings=(*DIALECT_SETTINGS, *(_ACCOUNT_SETTINGS if flavour.account else ())),
        rules=settings_faults,
    )
    for flavour in FLAVOURS
)
