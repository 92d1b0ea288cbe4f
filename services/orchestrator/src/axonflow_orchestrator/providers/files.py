"""The providers that a configuration file names; docs/providers.md describes its form."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from axonflow_providers.registry import ProviderSpec
from axonflow_settings import Secret

from axonflow_orchestrator.provider_settings import secret_file
from axonflow_orchestrator.providers.definition import (
    DEFAULT_PRIORITY,
    DEFAULT_TIMEOUT_S,
    DEFAULT_WEIGHT,
    Definition,
    Source,
    secret_settings,
)

TABLE = "llm_providers"
_LARGEST_BYTES = 1_048_576
_BEHIND = "_file"


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table below ``llm_providers``; without a type it is of the type that it is called."""

    type: str = ""
    endpoint: str = ""
    model: str = ""
    region: str = ""
    enabled: bool = True
    priority: int = DEFAULT_PRIORITY
    weight: int = DEFAULT_WEIGHT
    rate_limit: int = 0
    timeout_seconds: float = DEFAULT_TIMEOUT_S
    api_key: str = ""
    api_key_file: str = ""
    settings: dict[str, Any] = msgspec.field(default_factory=dict)


class FileFaults(Exception):
    """A file that cannot be used; ``faults`` are sentences that hold no key."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def file_definitions(path: str, specs: Mapping[str, ProviderSpec]) -> tuple[Definition, ...]:
    """What the file at ``path`` defines.

    Args:
        path: a file of JSON where its name ends so, else of TOML.
        specs: types by their word, which tell secret settings from others.

    Raises:
        FileFaults: it cannot be read, is no TOML or JSON, or names what there is not.
    """
    found, faults = [], []
    for name, table in _tables(path).items():
        try:
            entry = msgspec.convert(table, Entry)
            found.append(_definition(name, entry, specs))
        except (msgspec.ValidationError, ValueError) as error:
            faults.append(f"{path}: {TABLE}.{name}: {error}")
    if faults:
        raise FileFaults(faults)
    return tuple(found)


def _tables(path: str) -> Mapping[str, Any]:
    try:
        data = Path(path).read_bytes()
        if len(data) > _LARGEST_BYTES:
            raise FileFaults([f"{path}: larger than {_LARGEST_BYTES} bytes"])
        text = data.decode("utf-8")
        parsed = json.loads(text) if path.lower().endswith(".json") else tomllib.loads(text)
    except OSError as error:
        raise FileFaults([f"{path}: cannot be read ({error.strerror})"]) from None
    except (ValueError, RecursionError) as error:
        # The parser's own message may quote the line, and with it a key.
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise FileFaults([f"{path}: not valid {'JSON' if path.lower().endswith('.json') else 'TOML'}{place}"]) from None
    tables = parsed.get(TABLE, {}) if isinstance(parsed, dict) else None
    if not isinstance(tables, dict):
        raise FileFaults([f"{path}: {TABLE} must be a table of providers by name"])
    return tables


def _definition(name: str, entry: Entry, specs: Mapping[str, ProviderSpec]) -> Definition:
    type_ = entry.type or name
    spec = specs.get(type_)
    if spec is None:
        raise ValueError(f"there is no type {type_!r}; there are {', '.join(specs)}")
    return Definition(
        name=name,
        type=type_,
        source=Source.FILE,
        endpoint=entry.endpoint.rstrip("/"),
        model=entry.model,
        region=entry.region,
        enabled=entry.enabled,
        priority=entry.priority,
        weight=entry.weight,
        rate_limit=entry.rate_limit or None,
        timeout_s=entry.timeout_seconds,
        api_key=_secret("api_key", entry.api_key, entry.api_key_file),
        settings=_settings(entry.settings, spec),
    )


def _settings(given: Mapping[str, Any], spec: ProviderSpec) -> dict[str, Any]:
    """The settings with secret ones wrapped, each of which may stand in a file of its own."""
    settings = dict(given)
    for name in secret_settings(spec):
        value, path = settings.pop(name, ""), settings.pop(f"{name}{_BEHIND}", "")
        if (secret := _secret(f"settings.{name}", value, path)) is not None:
            settings[name] = secret
    return settings


def _secret(name: str, value: object, path: object) -> Secret | None:
    if not isinstance(value, str) or not isinstance(path, str):
        raise ValueError(f"{name} must be a text")  # noqa: TRY004 - a fault of the file, told with the others
    if value and path:
        raise ValueError(f"{name} and {name}{_BEHIND} are both given")
    if not path:
        return Secret(value.strip()) if value.strip() else None
    try:
        return secret_file(path)
    except ValueError as error:
        raise ValueError(f"{name}{_BEHIND} must be {error}") from None
