"""How strict a deployment is: the operator's levers, as read from the environment and used by the policy engine."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from axonflow_contracts.verdicts import Action


class Profile(StrEnum):
    """A named set of defaults; ``default`` has no opinion and leaves each policy's stored action."""

    DEV = "dev"
    DEFAULT = "default"
    STRICT = "strict"
    COMPLIANCE = "compliance"


class Lever(StrEnum):
    """A family of policies that one variable or one ``AXONFLOW_ENFORCE`` token moves together."""

    PII = "pii"
    SQLI = "sqli"
    SENSITIVE_DATA = "sensitive_data"
    HIGH_RISK = "high_risk"
    DANGEROUS_QUERIES = "dangerous_queries"
    DANGEROUS_COMMANDS = "dangerous_commands"


ENFORCE_ALL = "all"
ENFORCE_NONE = "none"


class Posture(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's choices, strongest first: mode levers, global levers, enforce list, profile.

    Attributes:
        profile: named defaults.
        enforce: levers that must block; every lever for ``all``.
        global_levers: action by lever, from ``PII_ACTION`` and its like; the value names its variable's origin.
        mode_levers: the same for one plane family (``GATEWAY_*`` or ``MCP_*``), stronger than the global ones.
        skip_categories: categories that this plane family does not judge at all.
    """

    profile: Profile = Profile.DEFAULT
    enforce: frozenset[Lever] = frozenset()
    global_levers: Mapping[Lever, Action] = MappingProxyType({})
    mode_levers: Mapping[Lever, Action] = MappingProxyType({})
    mode: str = "GATEWAY"
    skip_categories: frozenset[str] = frozenset()
