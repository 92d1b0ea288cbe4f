"""The policies that a tenant and its organisation wrote, compiled apart from the shared set, for `PolicySet.joined`.

Compiling is for a process of its own, since what people write may be slow to compile. A process that serves requests
takes what was compiled there (`TenantRules.load`), or lets google-re2 judge pattern by pattern until it is there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import msgspec
import re2

from axonflow_policy import engines
from axonflow_policy.model import Policy
from axonflow_policy.policy_set import InvalidPolicy, checked_rows, regexp_of


def written_policy(row: Mapping[str, object]) -> Policy:
    """A stored row that a tenant or an organisation wrote, as the engine judges it.

    Its own action holds: the operator's levers move the product's policies (contract, agent section 3.2), and none of
    these. A row without a reason gives its name.

    Args:
        row: the fields of `Policy` by name, enumerations as their words.

    Raises:
        InvalidPolicy: a field is missing or not what it may be.
    """
    try:
        policy = msgspec.convert(row, Policy)
    except msgspec.ValidationError as error:
        raise InvalidPolicy(f"policy {row.get('id')}: {error}") from error
    return msgspec.structs.replace(policy, lever=None, reason=policy.reason or policy.name)


@dataclasses.dataclass(frozen=True, slots=True)
class TenantRules:
    """A layer ready to be joined to a set; may be empty.

    Attributes:
        policies: those that are on, by id.
        patterns: of each policy, for re2.
        engine: which of them occur in a text.
    """

    policies: tuple[Policy, ...]
    patterns: tuple[re2._Regexp, ...]
    engine: engines.Engine

    @classmethod
    def compile(cls, policies: Iterable[Policy]) -> TenantRules:
        """Compile the policies that are on, and prove the result on this machine.

        Raises:
            InvalidPolicy: a pattern or validator is not usable, or two rows share an id.
        """
        rules = cls.by_re2(policies)
        if not rules.policies:
            return rules
        try:
            engine, _ = engines.open_engine(_sources(rules.policies), rules.patterns, None)
        except engines.PatternRefused as error:
            raise InvalidPolicy(str(error)) from error
        return dataclasses.replace(rules, engine=engine)

    @classmethod
    def load(cls, policies: Iterable[Policy], dump: bytes) -> TenantRules | None:
        """The layer from what `dump` gave for the same policies; None where that does not load. Compiles nothing.

        Raises:
            InvalidPolicy: as `compile`.
        """
        rules = cls.by_re2(policies)
        sources = _sources(rules.policies)
        if not engines.HAS_VECTORSCAN or (engine := engines.VectorscanEngine.load(sources, dump)) is None:
            return None
        engine.prove(list(zip(sources, rules.patterns, strict=True)))
        return dataclasses.replace(rules, engine=engine)

    @classmethod
    def by_re2(cls, policies: Iterable[Policy]) -> TenantRules:
        """The layer judged by google-re2, pattern by pattern: the same matches, slower, and ready at once.

        Raises:
            InvalidPolicy: as `compile`.
        """
        rows = checked_rows(policies)
        patterns = tuple(regexp_of(row) for row in rows)
        return cls(rows, patterns, engines.Re2Engine(patterns))

    @property
    def is_final(self) -> bool:
        """Whether compiling would change nothing: it is done, there is nothing to compile, or no engine for it."""
        return not self.policies or not engines.HAS_VECTORSCAN or self.engine.name == "vectorscan"

    @property
    def dump_key(self) -> str:
        """Key to keep `dump` under: hash of patterns, flags, wheel version and machine type."""
        return engines.dump_key(_sources(self.policies))

    def dump(self) -> bytes:
        """The compiled database; empty where google-re2 judges."""
        return self.engine.dump()


def _sources(policies: tuple[Policy, ...]) -> list[str]:
    return [policy.pattern for policy in policies]
