"""What a type of connector asks of an administrator, and how the answers are checked before they are kept."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from axonflow_outbound import Outbound
from axonflow_settings import Secret, StdioCommand

from axonflow_connectors.faults import ConnectorFault, FaultKind
from axonflow_connectors.protocol import Capability, Connector

FieldKind = Literal["text", "integer", "boolean", "choice", "url", "secret"]

_LONGEST_VALUE = 16_384
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One option or credential.

    Attributes:
        kind: ``secret`` makes it a credential: sealed at rest, never shown again.
        choices: the legal values of a ``choice``.
        multiline: a certificate or key in PEM may hold line ends; nothing else may.
    """

    name: str
    help: str
    kind: FieldKind = "text"
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 2**31
    multiline: bool = False

    @property
    def secret(self) -> bool:
        """Whether the value belongs among the credentials."""
        return self.kind == "secret"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Checked answers to a specification's fields; secrets are ``Secret`` and mask themselves.

    Attributes:
        org_id: whose connector it is.
        values: every field of the specification by name; None where it was left out and has no default.
    """

    org_id: str
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A text or choice, empty when left out."""
        value = self.values[name]
        return "" if value is None else str(value)

    def number(self, name: str) -> int:
        """An integer that is required or has a default."""
        return int(self.values[name])

    def flag(self, name: str) -> bool:
        """A boolean, False when left out."""
        return bool(self.values[name])

    def secret(self, name: str) -> str:
        """A credential in clear, for the one place that sends it; empty when left out."""
        value = self.values[name]
        return value.reveal() if isinstance(value, Secret) else ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A host and port that a connector will dial; checked at save and again at every dial."""

    host: str
    port: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the deployment lends to connectors.

    Attributes:
        outbound: the only way out to addresses that tenants name.
        sqlite_root: the operator's directory; an organisation's files are below ``<root>/<org_id>``. None: no SQLite.
        stdio_commands: the only command lines that are ever run; an install names one.
    """

    outbound: Outbound
    sqlite_root: Path | None = None
    stdio_commands: tuple[StdioCommand, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSpec:
    """A type of connector.

    Attributes:
        type: the word on the wire (``postgres``).
        fields: options and credentials.
        endpoints: what a configuration will dial; empty for local ones. Raises ``ConnectorFault``.
        verify: further rules over a configuration, at save and at open; raises ``ConnectorFault``.
        open: makes the live side; dials nothing.
    """

    type: str
    title: str
    description: str
    category: str
    fields: tuple[Field, ...]
    capabilities: frozenset[Capability]
    open: Callable[[Configuration, Surroundings], Awaitable[Connector]]
    endpoints: Callable[[Configuration], tuple[Endpoint, ...]]
    verify: Callable[[Configuration, Surroundings], None] = lambda _configuration, _surroundings: None
    tags: tuple[str, ...] = ()
    version: str = "1.0.0"

    def config_schema(self) -> dict[str, Any]:
        """The fields as a JSON schema; a credential is marked ``writeOnly``."""
        properties = {field.name: _schema(field) for field in self.fields}
        required = [field.name for field in self.fields if field.required]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def configuration(self, org_id: str, options: Mapping[str, Any], credentials: Mapping[str, str]) -> Configuration:
        """Check what an administrator gave.

        Raises:
            ConnectorFault: of kind configuration; names the field, never its value.
        """
        known = {field.name: field for field in self.fields}
        _refuse_strangers(known, options, credentials)
        values = {}
        for name, field in known.items():
            given = (credentials if field.secret else options).get(name)
            if given is None or given == "":
                if field.required:
                    raise _fault(f"{_place(field)}.{name} is required: {field.help}")
                values[name] = field.default
            else:
                values[name] = _value(field, given)
        return Configuration(org_id=org_id, values=values)


def _refuse_strangers(known: Mapping[str, Field], options: Mapping[str, Any], credentials: Mapping[str, str]) -> None:
    for name in options:
        if name not in known:
            raise _fault(f"options.{name[:64]} is not known; there are {_names(known, secret=False)}")
        if known[name].secret:
            raise _fault(f"{name} is a credential: give it under credentials, where it is sealed")
    for name in credentials:
        if name not in known or not known[name].secret:
            raise _fault(f"credentials.{name[:64]} is not known; there are {_names(known, secret=True)}")


def _names(known: Mapping[str, Field], *, secret: bool) -> str:
    return ", ".join(name for name, field in known.items() if field.secret is secret) or "none"


def _place(field: Field) -> str:
    return "credentials" if field.secret else "options"


def _fault(message: str) -> ConnectorFault:
    return ConnectorFault(FaultKind.CONFIGURATION, message)


def _value(field: Field, given: Any) -> Any:
    named = f"{_place(field)}.{field.name}"
    if field.kind == "integer":
        number = int(given) if isinstance(given, str) and re.fullmatch(r"[0-9]{1,10}", given) else given
        if type(number) is not int or not field.low <= number <= field.high:
            raise _fault(f"{named} must be a whole number from {field.low} to {field.high}")
        return number
    if field.kind == "boolean":
        if isinstance(given, str) and given in {"true", "false"}:
            return given == "true"
        if not isinstance(given, bool):
            raise _fault(f"{named} must be true or false")
        return given
    if not isinstance(given, str) or len(given) > _LONGEST_VALUE:
        raise _fault(f"{named} must be a text of at most {_LONGEST_VALUE} characters")
    if _CONTROL.search(given.translate({10: None, 13: None}) if field.multiline else given):
        raise _fault(f"{named} must not hold control characters")
    if field.choices and given not in field.choices:
        raise _fault(f"{named} must be one of {', '.join(field.choices)}")
    return Secret(given) if field.secret else given


_JSON_TYPES = {"integer": "integer", "boolean": "boolean"}


def _schema(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _JSON_TYPES.get(field.kind, "string"), "description": field.help}
    if field.default is not None:
        schema["default"] = field.default
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.kind == "integer":
        schema |= {"minimum": field.low, "maximum": field.high}
    if field.secret:
        schema |= {"writeOnly": True, "format": "password"}
    return schema
