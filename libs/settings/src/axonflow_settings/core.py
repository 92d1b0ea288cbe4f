"""The machinery: a dataclass field is a variable, and one pass over the environment reports every fault at once."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class SettingsError(Exception):
    """The environment cannot be used; ``faults`` has one sentence for each variable to mend."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Secret:
    """A value that never prints itself; ``reveal()`` gives it to the one place that needs it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret('********')" if self._value else "Secret('')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """What the reference says about one environment variable and how its text becomes a value."""

    name: str
    help: str
    parse: Callable[[str], Any]
    default_text: str
    aliases: tuple[str, ...] = ()
    family: tuple[str, ...] = ()


_REQUIRED = object()


def variable(
    name: str,
    help: str,  # noqa: A002 - reads as the reference does
    parse: Callable[[str], Any] = str,
    default: Any = _REQUIRED,
    *,
    default_text: str | None = None,
    aliases: tuple[str, ...] = (),
) -> Any:
    """Declare a field that is read from the environment.

    Args:
        name: the variable.
        help: one or two sentences for the reference.
        parse: text to value; raises ``ValueError`` with a phrase that completes "NAME must be …".
        default: the value when unset or empty; required when left out.
        default_text: how the reference shows the default.
        aliases: older names, read when ``name`` is unset.
    """
    if default is _REQUIRED:
        shown = default_text or "(required)"
        return dataclasses.field(metadata={"variable": Variable(name, help, parse, shown, aliases)})
    shown = default_text if default_text is not None else _show(default)
    meta = {"variable": Variable(name, help, parse, shown, aliases)}
    return dataclasses.field(default=default, metadata=meta)


def family(prefix: str, members: tuple[str, ...], help: str, parse: Callable[[str], Any]) -> Any:  # noqa: A002
    """Declare a field that holds the set members of a family of variables, ``{member: value}``.

    The variable of member ``x`` is ``prefix`` followed by ``X``.
    """
    declared = Variable(f"{prefix}<NAME>", help, parse, "", family=members)
    return dataclasses.field(default_factory=dict, metadata={"variable": declared})


def _show(default: Any) -> str:
    if default is None or default == "" or isinstance(default, Secret):
        return ""
    if isinstance(default, bool):
        return "true" if default else "false"
    return str(default)


def variables(cls: type) -> list[tuple[dataclasses.Field[Any], Variable]]:
    """The fields of a settings class with their variables, in order of declaration."""
    return [(field, field.metadata["variable"]) for field in dataclasses.fields(cls) if "variable" in field.metadata]


def load(cls: type[T], environ: Mapping[str, str]) -> T:
    """Read ``cls`` from ``environ``.

    A class may define ``check(self) -> list[str]`` for rules over several variables; its faults are reported
    together with those of single variables.

    Raises:
        SettingsError: one or more variables are missing or invalid.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field, declared in variables(cls):
        if declared.family:
            values[field.name] = _read_family(declared, environ, faults)
            continue
        source, text = _lookup(declared, environ)
        if text == "":
            if field.default is dataclasses.MISSING:
                faults.append(f"{declared.name} is not set: {declared.help}")
            continue
        try:
            values[field.name] = declared.parse(text)
        except ValueError as error:
            faults.append(f"{source} must be {error}")
    if faults:
        raise SettingsError(faults)
    settings = cls(**values)
    check = getattr(settings, "check", None)
    if check is not None and (found := check()):
        raise SettingsError(found)
    return settings


def _read_family(declared: Variable, environ: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    prefix = declared.name.removesuffix("<NAME>")
    names = {f"{prefix}{member.upper()}": member for member in declared.family}
    found: dict[str, Any] = {}
    for name in sorted(name for name in environ if name.startswith(prefix) and environ[name].strip()):
        if name not in names:
            faults.append(f"{name} is not known; the family has {', '.join(sorted(names))}")
            continue
        try:
            found[names[name]] = declared.parse(environ[name].strip())
        except ValueError as error:
            faults.append(f"{name} must be {error}")
    return found


def _lookup(declared: Variable, environ: Mapping[str, str]) -> tuple[str, str]:
    for name in (declared.name, *declared.aliases):
        text = environ.get(name, "").strip()
        if text:
            return name, text
    return declared.name, ""


def integer(low: int, high: int) -> Callable[[str], int]:
    """A whole number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def decimal_number(low: float, high: float) -> Callable[[str], float]:
    """A number from ``low`` to ``high``."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return parse


def boolean(text: str) -> bool:
    """``true`` or ``false`` (also 1/0, yes/no, on/off), in any case."""
    word = text.lower()
    if word in {"true", "1", "yes", "on"}:
        return True
    if word in {"false", "0", "no", "off"}:
        return False
    raise ValueError("true or false")


def choice(kind: Callable[[str], T], legal: tuple[str, ...]) -> Callable[[str], T]:
    """One of the words in ``legal``, made into ``kind``."""

    def parse(text: str) -> T:
        if text not in legal:
            raise ValueError(f"one of {', '.join(legal)}, not {text!r}")
        return kind(text)

    return parse


_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")


def duration_s(text: str) -> float:
    """Seconds from a duration such as ``10s``, ``1m30s`` or ``250ms``."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError("a duration such as 30s, 1m30s or 250ms")
    hours, minutes, seconds, millis = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + millis / 1000


def http_url(text: str) -> str:
    """An absolute http or https address, kept without a trailing slash."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", text):
        raise ValueError("an http:// or https:// address without credentials, query or fragment")
    return text.rstrip("/")


def secret(text: str) -> Secret:
    """A secret of any form."""
    return Secret(text)


def long_secret(text: str) -> Secret:
    """A secret of at least 32 characters, so that guessing it is hopeless."""
    if len(text) < 32:
        raise ValueError(f"at least 32 characters long (it has {len(text)}); `openssl rand -hex 32` makes one")
    return Secret(text)


def key_bytes(text: str) -> bytes:
    """32 bytes from 64 hexadecimal digits or from base64, standard or URL-safe."""
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text)
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise ValueError("32 bytes as 64 hex digits or as base64; `openssl rand -hex 32` makes them")
    return raw


def symmetric_key(text: str) -> Secret:
    """A key of 32 bytes, kept as it was written."""
    key_bytes(text)
    return Secret(text)


def symmetric_key_file(path: str) -> Secret:
    """The key that a file holds; white space around it is no part of it."""
    try:
        return symmetric_key(Path(path).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        raise ValueError("a readable file that holds 32 bytes as 64 hex digits or as base64") from None


def words(text: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
