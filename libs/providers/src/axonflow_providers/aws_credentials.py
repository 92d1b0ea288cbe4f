"""AWS credentials: given by the config, or those of the process's own role, as ECS hands them to a container.

Only a config of the operator's may use what belongs to the process. Sources: "IAM roles for tasks", Amazon ECS
developer guide; "Container credential provider", AWS SDKs reference guide.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from axonflow_outbound.sigv4 import AwsKey
from axonflow_settings import Secret

from axonflow_providers.addresses import header_safe
from axonflow_providers.json_answers import decoded, kind_of, message_of, succeeded
from axonflow_providers.protocol import FaultKind, HttpAnswer, ProviderConfig, ProviderFault, Transport
from axonflow_providers.renewal import Expiring, Renewed

_CONTAINER = "http://169.254.170.2"
_RELATIVE_URI = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
SETTINGS = ("access_key_id", "secret_access_key", "session_token")
RELATIVE_URI_VARIABLE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"


class AwsCredentials(Protocol):
    """Where keys come from."""

    async def key(self, timeout_s: float) -> AwsKey:
        """A key that lasts for a call.

        Raises:
            ProviderFault: there is none to be had; nothing was asked of a model.
        """
        ...

    def refused(self, key: AwsKey) -> None:
        """The API did not accept ``key``."""
        ...


class GivenKey:
    """One key, for good."""

    def __init__(self, key: AwsKey) -> None:
        self._key = key

    async def key(self, timeout_s: float) -> AwsKey:  # noqa: ARG002 - nothing is fetched
        """The key."""
        return self._key

    def refused(self, key: AwsKey) -> None:
        """Another one cannot be had."""


class _Role(msgspec.Struct, frozen=True, rename="pascal"):
    access_key_id: str
    secret_access_key: str
    token: str
    expiration: dt.datetime


class ContainerRole:
    """The role of the container that the process runs in; its keys are asked for anew before they end."""

    def __init__(
        self, relative_uri: str, region: str, transport: Transport, clock: Callable[[], float] = time.time
    ) -> None:
        """Nothing is asked yet.

        Args:
            relative_uri: ``AWS_CONTAINER_CREDENTIALS_RELATIVE_URI``.
            region: that the keys sign for.
            transport: that may dial link-local addresses.
            clock: seconds since the epoch.
        """
        self._relative_uri = relative_uri
        self._region = region
        self._transport = transport
        self._current = Renewed(self._fetch, clock)

    async def key(self, timeout_s: float) -> AwsKey:
        """The current key, a new one if need be; many callers at once make one request.

        Raises:
            ProviderFault: there is none to be had; nothing was asked of a model.
        """
        return await self._current.get(timeout_s)

    def refused(self, key: AwsKey) -> None:
        """The API did not accept ``key``: the next call asks for another."""
        self._current.forget(key)

    async def _fetch(self, timeout_s: float) -> Expiring[AwsKey]:
        try:
            answer = await self._transport.send(
                "GET", f"{_CONTAINER}{self._relative_uri}", headers={"accept": "application/json"}, timeout_s=timeout_s
            )
            return self._role(answer)
        except ProviderFault as error:
            if not error.may_have_run:
                raise
            raise _none(error.status) from None

    def _role(self, answer: HttpAnswer) -> Expiring[AwsKey]:
        if not succeeded(answer):
            kind = FaultKind.CREDENTIALS if answer.status < 429 else kind_of(answer.status)
            raise ProviderFault(kind, f"{message_of(kind)} (container role)", status=answer.status)
        role = decoded(answer, _Role)
        texts = (role.access_key_id, role.secret_access_key, role.token)
        if not all(texts) or not all(map(header_safe, texts)):
            raise _none(answer.status)
        ends = role.expiration if role.expiration.tzinfo else role.expiration.replace(tzinfo=dt.UTC)
        return Expiring(AwsKey(*texts, self._region), ends.timestamp())


def _none(status: int) -> ProviderFault:
    return ProviderFault(FaultKind.UNREACHABLE, "The container's role gave no credentials", status=status)


def credentials_of(
    config: ProviderConfig, environment: Mapping[str, str], transport: Transport
) -> AwsCredentials | None:
    """Where a config's keys come from; None where it has none.

    First its settings ``access_key_id``, ``secret_access_key`` and ``session_token``; then, for the operator's configs
    alone, the variables ``AWS_*`` of the same names, and last the container's role.
    """
    if (key := _given(config, environment)) is not None:
        return GivenKey(key)
    relative_uri = _relative_uri(config, environment)
    return ContainerRole(relative_uri, config.region, transport) if relative_uri else None


def has_credentials(config: ProviderConfig, environment: Mapping[str, str]) -> bool:
    """Whether ``credentials_of`` would find any."""
    return _given(config, environment) is not None or bool(_relative_uri(config, environment))


def _given(config: ProviderConfig, environment: Mapping[str, str]) -> AwsKey | None:
    key = _key(config.region, *(_text(config.settings.get(name)) for name in SETTINGS))
    if key is None and config.trusted:
        return _key(config.region, *(environment.get(f"AWS_{name.upper()}", "").strip() for name in SETTINGS))
    return key


def _relative_uri(config: ProviderConfig, environment: Mapping[str, str]) -> str:
    text = environment.get(RELATIVE_URI_VARIABLE, "").strip() if config.trusted else ""
    return text if _RELATIVE_URI.fullmatch(text) else ""


def _key(region: str, access_key_id: str, secret_access_key: str, session_token: str) -> AwsKey | None:
    if not access_key_id or not secret_access_key or not header_safe(access_key_id) or not header_safe(session_token):
        return None
    return AwsKey(access_key_id, secret_access_key, session_token, region)


def _text(value: object) -> str:
    return value.reveal() if isinstance(value, Secret) else value if isinstance(value, str) else ""
