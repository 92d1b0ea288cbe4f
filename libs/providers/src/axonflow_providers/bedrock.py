"""Models behind Amazon Bedrock, by its Converse interface, signed with AWS credentials or with a Bedrock API key."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from axonflow_outbound.sigv4 import encoded_query, signed_headers

from axonflow_providers.addresses import checked_headers, merged_headers, model_named, url_of
from axonflow_providers.aws_credentials import AwsCredentials, credentials_of, has_credentials
from axonflow_providers.bedrock_wire import ACCESS_DENIED, body_of, failure_of, reply_of
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

_MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
_SERVICE = "bedrock"
# "eu-west-1", "us-gov-east-1", "eusc-de-east-1"
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,10}){1,3}-[0-9]{1,2}")
# By the partition's prefix; all others are amazonaws.com.
_DOMAINS = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
_STALE = frozenset({"ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId"})


class Bedrock:
    """Bedrock in one region."""

    def __init__(self, config: ProviderConfig, transport: Transport, credentials: AwsCredentials | None) -> None:
        """Nothing is asked yet.

        Args:
            config: what it is made from; its region has been checked.
            transport: the way out.
            credentials: sign the calls; None where the config has an API key.
        """
        self._config = config
        self._transport = transport
        self._credentials = credentials
        self._base = config.endpoint.rstrip("/") or _origin("bedrock-runtime", config.region)
        self._lists = config.endpoint.rstrip("/") or _origin("bedrock", config.region)

    @property
    def config(self) -> ProviderConfig:
        """What it was made from."""
        return self._config

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model once.

        Raises:
            ProviderFault: it gave no usable reply.
        """
        request = dataclasses.replace(request, model=model_named(request.model, self._config.model, _MODEL))
        url = url_of(self._base, "model", request.model, "converse")
        body = encoded(body_of(request))
        answer = await self._send("POST", url, checked_headers(request.headers), body, request.timeout_s)
        if not succeeded(answer):
            raise failure_of(answer)
        return reply_of(answer, request)

    async def probe(self, timeout_s: float) -> None:
        """List Amazon's own models, which uses none.

        An identity that may call models need not be allowed to list them: when a signature was accepted and only the
        right to list is missing, or an own endpoint has no list, the probe has found what it looks for.

        Raises:
            ProviderFault: it would not answer.
        """
        url = f"{url_of(self._lists, 'foundation-models')}?{encoded_query([('byProvider', 'Amazon')])}"
        answer = await self._send("GET", url, {}, b"", timeout_s)
        if succeeded(answer):
            return
        failure = failure_of(answer)
        unlisted = self._credentials is not None and failure.code == ACCESS_DENIED
        if not unlisted and not (self._config.endpoint and failure.kind is FaultKind.UNKNOWN_MODEL):
            raise failure

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> HttpAnswer:
        ours = {"accept": "application/json", **({"content-type": "application/json"} if body else {})}
        if self._credentials is None:
            ours["authorization"] = f"Bearer {self._config.api_key.reveal() if self._config.api_key else ''}"
            return await self._transport.send(
                method, url, headers=merged_headers(headers, ours), body=body, timeout_s=timeout_s
            )
        ends_s = time.monotonic() + timeout_s
        key = await self._credentials.key(timeout_s)
        parts, now = urlsplit(url), dt.datetime.now(dt.UTC)
        # Headers of tracing stay unsigned: what lies on the way may write its own into them.
        signed = signed_headers(
            key, method, _host(url), parts.path, parts.query, body=body, now=now, headers=ours, service=_SERVICE
        )
        sent, left_s = merged_headers(headers, signed), max(ends_s - time.monotonic(), 0.001)
        answer = await self._transport.send(method, url, headers=sent, body=body, timeout_s=left_s)
        if answer.status in {400, 401, 403} and failure_of(answer).code in _STALE:
            self._credentials.refused(key)
        return answer


def _host(url: str) -> str:
    """The Host header as the client will write it: a scheme's own port is left out."""
    parts = urlsplit(url)
    return parts.netloc.lower().removesuffix({"https": ":443", "http": ":80"}.get(parts.scheme, ""))


def _origin(service: str, region: str) -> str:
    domain = next((name for prefix, name in _DOMAINS.items() if region.startswith(prefix)), "amazonaws.com")
    return f"https://{service}.{region}.{domain}"


def bedrock_spec(environment: Mapping[str, str]) -> ProviderSpec:
    """The specification; ``environment`` is where the operator's own configs may find AWS credentials."""

    def opened(config: ProviderConfig, transport: Transport) -> Bedrock:
        credentials = None if config.api_key else credentials_of(config, environment, transport)
        if not _REGION.fullmatch(config.region) or (credentials is None and not config.api_key):
            raise ProviderFault(FaultKind.CREDENTIALS, "Amazon Bedrock is not configured")
        return Bedrock(config, transport, credentials)

    def faults(config: ProviderConfig) -> list[str]:
        found = []
        if not _REGION.fullmatch(config.region):
            found.append("Amazon Bedrock needs a region, such as eu-central-1")
        if not config.api_key and not has_credentials(config, environment):
            found.append("Amazon Bedrock needs AWS credentials, or an API key of its own")
        return found

    return ProviderSpec(
        type="bedrock",
        title="Amazon Bedrock",
        open=opened,
        default_model=_MODEL,
        pricing="bedrock",
        needs_key=False,
        settings=(
            Setting(name="access_key_id", help="An AWS access key; with it the secret one."),
            Setting(name="secret_access_key", help="The secret half of the access key.", secret=True),
            Setting(name="session_token", help="Of temporary credentials.", secret=True),
        ),
        rules=faults,
    )
