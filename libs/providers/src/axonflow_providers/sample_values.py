"""The plainest value that a JSON schema allows: empty texts, zeros, empty lists, and only what is required."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_DEEPEST = 16
_LONGEST = 100
_MOST_VALUES = 1_000
_ALTERNATIVES = ("anyOf", "oneOf", "allOf")


def sample_value(schema: Mapping[str, Any]) -> Any:
    """A value for ``schema``: exact for the keywords of plain types, best effort for the others. Never raises."""
    return _Sampler(schema).value(schema, 0)


class _Sampler:
    """One walk over a schema, bounded in depth and size, since a schema may refer to itself."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST_VALUES

    def value(self, schema: object, depth: int) -> Any:
        """The plainest value of a schema inside the root."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0 or not isinstance(schema, Mapping):
            return None
        for name in ("const", "default"):
            if name in schema:
                return schema[name]
        if _list(schema.get("enum")):
            return schema["enum"][0]
        if (target := self._target(schema.get("$ref"))) is not None:
            return self.value(target, depth + 1)
        for name in _ALTERNATIVES:
            if "type" not in schema and _list(schema.get(name)):
                return self.value(schema[name][0], depth + 1)
        return self._typed(schema, depth)

    def _typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type") or ("array" if "items" in schema else "object")
        if isinstance(kind, list):
            kind = kind[0] if kind else "null"
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return [self.value(schema.get("items", {}), depth + 1) for _ in range(_size(schema.get("minItems")))]
        if kind == "string":
            return "-" * _size(schema.get("minLength"))
        if kind in {"integer", "number"}:
            return _number(schema, whole=kind == "integer")
        return False if kind == "boolean" else None

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        required = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        return {name: self.value(known.get(name, {"type": "string"}), depth + 1) for name in required}

    def _target(self, reference: object) -> object | None:
        """What a reference inside the document points at: ``#/$defs/city``."""
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return None
        found: object = self._root
        for step in reference[2:].split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
        return found


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _size(value: object) -> int:
    return min(max(value, 0), _LONGEST) if isinstance(value, int) else 0


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    """Zero, or what lies at the bound that forbids it."""
    low, high = _bound(schema, "minimum"), _bound(schema, "maximum")
    above, below = _bound(schema, "exclusiveMinimum"), _bound(schema, "exclusiveMaximum")
    if low is not None and low > 0:
        return math.ceil(low) if whole else low
    if above is not None and above >= 0:
        return math.floor(above) + 1
    if high is not None and high < 0:
        return math.floor(high) if whole else high
    if below is not None and below <= 0:
        return math.ceil(below) - 1
    return 0


def _bound(schema: Mapping[str, Any], name: str) -> float | None:
    value = schema.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else None
