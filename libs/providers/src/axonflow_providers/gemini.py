"""Gemini, by Google AI Studio's API with a key and by Vertex AI with a service account."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import Protocol

from axonflow_settings import Secret

from axonflow_providers.addresses import checked_headers, merged_headers, model_named, url_of
from axonflow_providers.gemini_wire import body_of, failure_of, reply_of
from axonflow_providers.google_tokens import GoogleTokens, ServiceAccount, ServiceAccountInvalid
from axonflow_providers.json_answers import encoded, succeeded
from axonflow_providers.protocol import (
    FaultKind,
    HttpAnswer,
    ModelReply,
    ModelRequest,
    ProviderConfig,
    ProviderFault,
    Transport,
)
from axonflow_providers.registry import ProviderSpec, Setting

_ENDPOINT = "https://generativelanguage.googleapis.com"
_MODEL = "gemini-2.5-flash"
_VERSIONED = re.compile(r".*/v[0-9]{1,2}(?:(?:alpha|beta)[0-9]{0,2})?")
# "us-central1", "northamerica-northeast1"; two multi-regions and the one without a place
_REGION = re.compile(r"global|us|eu|[a-z]{2,20}-[a-z]{2,20}[0-9]{1,2}")
_PROJECT = re.compile(r"(?:[a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]{6,20}")


class _Access(Protocol):
    """How calls are authorised."""

    async def headers(self, timeout_s: float) -> dict[str, str]: ...

    def refused(self, headers: dict[str, str]) -> None: ...


class _Key:
    """An API key; it goes into a header, never into the address, which logs of proxies keep."""

    def __init__(self, key: Secret | None) -> None:
        self._key = key

    async def headers(self, timeout_s: float) -> dict[str, str]:  # noqa: ARG002 - nothing is fetched
        return {"x-goog-api-key": self._key.reveal()} if self._key else {}

    def refused(self, headers: dict[str, str]) -> None:
        """Another one cannot be had."""


class _Bearer:
    """The current token of a service account."""

    def __init__(self, tokens: GoogleTokens) -> None:
        self._tokens = tokens

    async def headers(self, timeout_s: float) -> dict[str, str]:
        return {"authorization": f"Bearer {await self._tokens.token(timeout_s)}"}

    def refused(self, headers: dict[str, str]) -> None:
        self._tokens.refused(headers["authorization"].removeprefix("Bearer "))


class Gemini:
    """Gemini models below one base address."""

    def __init__(
        self, config: ProviderConfig, transport: Transport, *, base: str, access: _Access, lists_models: bool
    ) -> None:
        """Nothing is asked yet.

        Args:
            config: what it is made from.
            transport: the way out.
            base: what stands before ``models/…``.
            access: how calls are authorised.
            lists_models: ``models`` can be read with the same rights that a call needs.
        """
        self._config = config
        self._transport = transport
        self._base = base
        self._access = access
        self._lists_models = lists_models

    @property
    def config(self) -> ProviderConfig:
        """What it was made from."""
        return self._config

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model once.

        Raises:
            ProviderFault: it gave no usable reply.
        """
        model = model_named(request.model, self._config.model, _MODEL).removeprefix("models/")
        request = dataclasses.replace(request, model=model)
        url = f"{url_of(self._base, 'models', model)}:generateContent"
        further = {**checked_headers(request.headers), "content-type": "application/json"}
        answer = await self._ask("POST", url, further, encoded(body_of(request)), request.timeout_s)
        return reply_of(answer, request)

    async def probe(self, timeout_s: float) -> None:
        """List one model; where that is another right, count the tokens of one word. Either costs nothing.

        Raises:
            ProviderFault: it would not answer.
        """
        if self._lists_models:
            await self._ask("GET", url_of(self._base, "models", query={"pageSize": "1"}), {}, b"", timeout_s)
            return
        model = model_named(self._config.model, _MODEL).removeprefix("models/")
        url = f"{url_of(self._base, 'models', model)}:countTokens"
        body = encoded({"contents": [{"role": "user", "parts": [{"text": "ping"}]}]})
        await self._ask("POST", url, {"content-type": "application/json"}, body, timeout_s)

    async def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes, timeout_s: float) -> HttpAnswer:
        ends_s = time.monotonic() + timeout_s
        access = await self._access.headers(timeout_s)
        sent = merged_headers(headers, {"accept": "application/json", **access})
        left_s = max(ends_s - time.monotonic(), 0.001)
        answer = await self._transport.send(method, url, headers=sent, body=body, timeout_s=left_s)
        if succeeded(answer):
            return answer
        if answer.status == 401:
            self._access.refused(access)
        raise failure_of(answer)


def open_gemini(config: ProviderConfig, transport: Transport) -> Gemini:
    """Gemini by Google AI Studio's API."""
    base = (config.endpoint or _ENDPOINT).rstrip("/")
    base = base if _VERSIONED.fullmatch(base) else f"{base}/v1beta"
    return Gemini(config, transport, base=base, access=_Key(config.api_key), lists_models=True)


def open_vertex(config: ProviderConfig, transport: Transport) -> Gemini:
    """Gemini by Vertex AI.

    Raises:
        ProviderFault: ``CREDENTIALS``: the config is not what ``vertex_faults`` lets pass.
    """
    account = _account(config)
    project = _text(config, "project") or (account.project if account else "")
    if vertex_faults(config):
        raise ProviderFault(FaultKind.CREDENTIALS, "Vertex AI is not configured")
    origin = config.endpoint.rstrip("/") or _vertex_origin(config.region)
    base = url_of(origin, "v1", "projects", project, "locations", config.region, "publishers", "google")
    access = _Bearer(GoogleTokens(account, transport)) if account else _Key(config.api_key)
    return Gemini(config, transport, base=base, access=access, lists_models=False)


def _vertex_origin(region: str) -> str:
    if region == "global":
        return "https://aiplatform.googleapis.com"
    if region in {"us", "eu"}:
        return f"https://aiplatform.{region}.rep.googleapis.com"
    return f"https://{region}-aiplatform.googleapis.com"


def _text(config: ProviderConfig, name: str) -> str:
    value = config.settings.get(name)
    return value.reveal() if isinstance(value, Secret) else value if isinstance(value, str) else ""


def _account(config: ProviderConfig) -> ServiceAccount | None:
    """The service account, if the config has one that can be read; ``vertex_faults`` says what is wrong."""
    text = _text(config, "service_account")
    try:
        return ServiceAccount(Secret(text)) if text else None
    except ServiceAccountInvalid:
        return None


def vertex_faults(config: ProviderConfig) -> list[str]:
    """What is wrong with a config of Vertex AI, as sentences."""
    faults = []
    if not _REGION.fullmatch(config.region):
        faults.append("Vertex AI needs a region, such as europe-west4, us or global")
    text, project = _text(config, "service_account"), ""
    try:
        project = ServiceAccount(Secret(text)).project if text else ""
    except ServiceAccountInvalid as error:
        faults.append(f"The service account {error}")
    else:
        if not _PROJECT.fullmatch(_text(config, "project") or project):
            faults.append("Vertex AI needs settings.project: a project's id or number")
    if not text and not config.api_key:
        faults.append("Vertex AI needs settings.service_account, or an API key")
    return faults


GEMINI = ProviderSpec(
    type="gemini",
    title="Google Gemini",
    open=open_gemini,
    default_endpoint=_ENDPOINT,
    default_model=_MODEL,
    pricing="google",
)
VERTEX = ProviderSpec(
    type="vertex",
    title="Google Vertex AI",
    open=open_vertex,
    default_model=_MODEL,
    pricing="google",
    needs_key=False,
    settings=(
        Setting(name="project", help="Project id or number; that of the service account when left out."),
        Setting(name="service_account", help="The JSON text of a service account's key file.", secret=True),
    ),
    rules=vertex_faults,
)
