"""What a body makes of a provider, its secrets apart; what cannot be used is refused before it is kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_providers.registry import ProviderSpec
from axonflow_settings import Secret

from axonflow_orchestrator.providers.configured import API_KEY, definition_of
from axonflow_orchestrator.providers.definition import secret_settings
from axonflow_orchestrator.providers.deployment import DEMO
from axonflow_orchestrator.providers.records import Change, Row

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Paths below the same prefix, and names that answers of ours bear.
RESERVED = frozenset({"routing", "status", DEMO, "mock"})
_PLAIN = ("model", "enabled", "priority", "weight")
_PLACE = ("type", "endpoint", "region")
ARN_REFUSED = (
    "api_key_secret_arn is not supported: give api_key, which is sealed at rest, or let the operator configure the "
    "provider with its key in a file (a variable such as OPENAI_API_KEY_FILE)"
)

Secrets = Mapping[str, Secret]


def checked_name(name: str | None) -> str:
    """A name for a new provider.

    Raises:
        Fault: 400.
    """
    if not name:
        raise Fault(400, "name is required")
    if not _NAME.fullmatch(name):
        raise Fault(400, "name must be 1 to 100 letters, digits and . _ -, and begin with a letter or digit")
    if name in RESERVED:
        raise Fault(400, f"name must be none of {', '.join(sorted(RESERVED))}")
    return name


def refuse_arn(change: Change) -> None:
    """Say what is supported instead.

    Raises:
        Fault: 400.
    """
    if change.api_key_secret_arn:
        raise Fault(400, ARN_REFUSED)


def changed(row: Row, change: Change) -> Row:
    """``row`` with what the body gives, but for secrets."""
    given = {name: value for name in _PLAIN if (value := getattr(change, name)) is not None}
    given |= {name: value.strip() for name in _PLACE if (value := getattr(change, name)) is not None}
    if "endpoint" in given:
        given["endpoint"] = given["endpoint"].rstrip("/")
    if change.rate_limit is not None:
        given["rate_limit"] = change.rate_limit or None
    if change.timeout_seconds is not None:
        given["timeout_seconds"] = change.timeout_seconds
    if change.settings is not None:
        given["settings"] = change.settings
    return msgspec.structs.replace(row, **given)


def moved(before: Row, after: Row) -> bool:
    """Whether a key would be sent elsewhere than where it was given for."""
    return any(getattr(before, name) != getattr(after, name) for name in _PLACE)


def apart(row: Row, change: Change, spec: ProviderSpec, kept: Secrets) -> tuple[Row, dict[str, Secret]]:
    """``row`` without secret settings, and the secrets: those kept, and over them what the body gives.

    An empty one removes.

    Raises:
        Fault: 400.
    """
    secrets, settings = dict(kept), dict(row.settings)
    given: dict[str, Any] = {} if change.api_key is None else {API_KEY: change.api_key}
    for name in secret_settings(spec):
        if name in settings:
            given[name] = settings.pop(name)
    for name, value in given.items():
        if not isinstance(value, str) or "\0" in value:
            raise Fault(400, f"{_path(name)} must be a text")
        secrets[name] = Secret(value.strip())
    return msgspec.structs.replace(row, settings=settings), {name: each for name, each in secrets.items() if each}


def require_sound(row: Row, secrets: Secrets, spec: ProviderSpec) -> None:
    """Refuse what could not be opened.

    Raises:
        Fault: 400, with every fault.
    """
    if spec.type == DEMO:
        raise Fault(400, "The demo provider is built in")
    if faults := definition_of(row, secrets).faults(spec):
        raise Fault(400, "; ".join(faults))


def parts_of(change: Change) -> list[str]:
    """Names of the members that a body gives, never a value."""
    given = [
        name
        for name in change.__struct_fields__
        if name not in {"name", "tenant_id", "settings"} and getattr(change, name) is not None
    ]
    return [*given, *(f"settings.{name[:64]}" for name in change.settings or ())]


def _path(name: str) -> str:
    return name if name == API_KEY else f"settings.{name}"
