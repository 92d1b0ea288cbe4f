"""Azure OpenAI: chat completions with the deployment in the path, a dated interface and a key in ``api-key``."""

from __future__ import annotations

import dataclasses
import re

import msgspec

from axonflow_providers.addresses import merged_headers, model_named, url_of
from axonflow_providers.chat_answers import chat_fault, chat_reply
from axonflow_providers.chat_requests import Dialect, chat_body
from axonflow_providers.json_answers import decoded, succeeded
from axonflow_providers.openai import DIALECT_SETTINGS, dialect_of, settings_faults
from axonflow_providers.protocol import ModelReply, ModelRequest, ProviderConfig, Transport
from axonflow_providers.registry import ProviderSpec, Setting

API_VERSION = "2024-08-01-preview"
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-preview)?|preview|latest|v1")
# Older interfaces know no other name for it; deployments of reasoning models need `max_tokens_field` in their settings.
_DIALECT = Dialect(max_tokens_field="max_tokens")


@dataclasses.dataclass(frozen=True, slots=True)
class AzureProvider:
    """One Azure OpenAI resource; a request's model is the name of a deployment."""

    config: ProviderConfig
    transport: Transport

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once.

        Raises:
            ProviderFault: it gave no usable reply.
        """
        deployment = model_named(request.model, self.config.model)
        answer = await self.transport.send(
            "POST",
            self._url("deployments", deployment, "chat", "completions"),
            headers=merged_headers(request.headers, {**self._headers(), "content-type": "application/json"}),
            body=chat_body(request, deployment, dialect_of(self.config, _DIALECT)),
            timeout_s=request.timeout_s,
        )
        return chat_reply(answer, request, deployment)

    async def probe(self, timeout_s: float) -> None:
        """Ask for the models of the resource; whether the deployment is there, only a call can tell.

        Raises:
            ProviderFault: it would not answer.
        """
        answer = await self.transport.send("GET", self._url("models"), headers=self._headers(), timeout_s=timeout_s)
        if not succeeded(answer):
            raise chat_fault(answer)
        decoded(answer, msgspec.Raw)

    def _url(self, *segments: str) -> str:
        base = self.config.endpoint.rstrip("/").removesuffix("/openai")
        version = str(self.config.settings.get("api_version") or API_VERSION)
        return url_of(base, "openai", *segments, query={"api-version": version})

    def _headers(self) -> dict[str, str]:
        return {
            "accept": "application/json",
            "api-key": self.config.api_key.reveal() if self.config.api_key else "",
        }


def _rules(config: ProviderConfig) -> list[str]:
    faults = settings_faults(config)
    version = config.settings.get("api_version") or API_VERSION
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        faults.append("settings.api_version must be a version such as 2024-08-01-preview")
    return faults


SPEC = ProviderSpec(
    type="azure-openai",
    title="Azure OpenAI",
    open=AzureProvider,
    pricing="openai",
    needs_endpoint=True,
    settings=(
        Setting(name="api_version", help=f"The dated version of the interface; {API_VERSION} unless given."),
        *DIALECT_SETTINGS,
    ),
    rules=_rules,
)
