"""All rules of a tenant and its organisation as one document that an import takes again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from axonflow_orchestrator.tenant_policies.records import RuleFields, StoredRule

FORMAT = 1


def exported(rows: Sequence[StoredRule]) -> dict[str, Any]:
    """The document: what rules are, without when and by whom they were written."""
    policies = [{"id": row.id, "tier": row.tier.value, **_fields(row.fields)} for row in rows if row.readable]
    return {
        "format": FORMAT,
        "exported_at": datetime.now(UTC).isoformat(),
        "count": len(policies),
        "policies": policies,
    }


def as_yaml(document: Mapping[str, Any]) -> str:
    """Plain data as YAML 1.2: blocks, with scalars and empty collections as JSON has them."""
    return "".join(f"{line}\n" for line in _block(document))


def _fields(fields: RuleFields) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(fields))
    return told


def _block(value: object) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, member in value.items():
            yield from _entry(f"{_scalar(key)}:", member, indent="  ")
    elif isinstance(value, list | tuple) and value:
        for member in value:
            first, *rest = _block(member)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(value)


def _entry(key: str, member: object, *, indent: str) -> Iterator[str]:
    if isinstance(member, Mapping | list | tuple) and member:
        yield key
        yield from (f"{indent}{line}" for line in _block(member))
    else:
        yield f"{key} {_scalar(member)}"


def _scalar(value: object) -> str:
    if isinstance(value, str) and value.isascii() and value.replace("_", "").isalpha() and value not in _WORDS:
        return value
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# Words that some reader of YAML takes for something else than themselves.
_WORDS = frozenset(
    word
    for plain in ("true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf")
    for word in (plain, plain.upper(), plain.capitalize())
)
