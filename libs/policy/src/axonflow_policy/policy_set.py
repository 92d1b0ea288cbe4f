"""The compiled set: every policy of a deployment under one posture, ready to judge texts.

Parts are scanned one by one. Joining them would save a microsecond a part, but patterns would match across parts that
no reader sees side by side, and the verdict would hang on their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import re2
from axonflow_contracts.posture import Posture
from axonflow_contracts.verdicts import Action, Phase, Severity, Verdict

from axonflow_policy import engines
from axonflow_policy.alignment import Span
from axonflow_policy.catalogue import CATALOGUE_VERSION
from axonflow_policy.confirming import confirmed_spans, merged_spans
from axonflow_policy.joined import JoinedEngine
from axonflow_policy.model import Content, EffectiveAction, Evaluation, Match, Part, Policy
from axonflow_policy.overriding import PolicyOverride, overridden_action
from axonflow_policy.redaction import is_masked
from axonflow_policy.validators import VALIDATORS, Validator
from axonflow_policy.views import READINGS_VERSION, View, readings, values, whole_numbers

if TYPE_CHECKING:
    from axonflow_policy.tenant_rules import TenantRules

ENGINE_FAILURE_ID = "engine_failure"
ENGINE_FAILURE_REASON = "The policy engine could not judge this content"
# Spans kept of a match that nothing is masked for: enough to show, and a flood of them costs no more.
_ENOUGH = 16
_ADMIN_CATEGORY = "security-admin"
# What a tool would carry out; numbers are judged with the names beside them, which a value alone has not.
_CARRIED_OUT = "security-"
_NO_OVERRIDES: Mapping[str, PolicyOverride] = MappingProxyType({})
_VERDICTS = {
    Action.BLOCK: Verdict.BLOCKED,
    Action.REQUIRE_APPROVAL: Verdict.NEEDS_APPROVAL,
    Action.REDACT: Verdict.REDACTED,
}


class InvalidPolicy(ValueError):
    """A policy that cannot be compiled; the message names it."""


class _Compiled(NamedTuple):
    policy: Policy
    pattern: re2._Regexp
    validator: Validator | None
    actions: dict[Phase, EffectiveAction]


class PolicySet:
    """Immutable, safe to use from many threads at once; made by `compile`, `joined` and the `with_…` methods."""

    __slots__ = (
        "_clean",
        "_engine",
        "_order",
        "_patterns",
        "_rows",
        "compiled_from_dump",
        "hash",
        "overrides",
        "policies",
        "posture",
    )

    def __init__(
        self,
        policies: tuple[Policy, ...],
        patterns: tuple[re2._Regexp, ...],
        posture: Posture,
        engine: engines.Engine,
        *,
        compiled_from_dump: bool,
        overrides: Mapping[str, PolicyOverride] = _NO_OVERRIDES,
    ) -> None:
        self._rows = policies
        self.policies = tuple(policy for policy in policies if _is_judged(policy, overrides.get(policy.id)))
        self.posture = posture
        self.overrides = overrides
        self.compiled_from_dump = compiled_from_dump
        self._engine = engine
        self._patterns = patterns
        self._order = tuple(
            _compiled(policy, pattern, posture, overrides.get(policy.id))
            for policy, pattern in zip(policies, patterns, strict=True)
        )
        self.hash = _set_hash(self._order, posture, engine.name)
        self._clean = Evaluation(verdict=Verdict.ALLOWED, matches=(), reason="", policy_set_hash=self.hash)

    @classmethod
    def compile(
        cls, policies: Iterable[Policy], posture: Posture, dump: bytes | None = None, *, keep_disabled: bool = False
    ) -> PolicySet:
        """Compile the enabled policies, and with ``keep_disabled`` also the others, for `with_overrides` to turn on.

        ``dump`` is what `dump` gave for a set with the same `dump_key`; one that does not load is passed over and the
        set is compiled, which takes seconds (``compiled_from_dump`` says which).

        Raises:
            InvalidPolicy: a pattern or validator is not usable, two rows share an id, or there is no policy at all.
        """
        rows = _rows_of_a_set(policies, keep_disabled=keep_disabled)
        patterns = tuple(regexp_of(row) for row in rows)
        try:
            engine, loaded = engines.open_engine([row.pattern for row in rows], patterns, dump)
        except engines.PatternRefused as error:
            raise InvalidPolicy(str(error)) from error
        return cls(rows, patterns, posture, engine, compiled_from_dump=loaded)

    @classmethod
    def by_re2(cls, policies: Iterable[Policy], posture: Posture) -> PolicySet:
        """The enabled policies judged by google-re2 one by one: the same matches, slower, and ready at once.

        Raises:
            InvalidPolicy: as `compile`.
        """
        rows = _rows_of_a_set(policies, keep_disabled=False)
        patterns = tuple(regexp_of(row) for row in rows)
        return cls(rows, patterns, posture, engines.Re2Engine(patterns), compiled_from_dump=False)

    def with_posture(self, posture: Posture) -> PolicySet:
        """The same policies and engine under another posture (the ``GATEWAY_*`` and ``MCP_*`` levers); no compiling."""
        return self._view(posture, self.overrides)

    def with_overrides(self, overrides: Mapping[str, PolicyOverride]) -> PolicySet:
        """The same policies, engine and posture with some rows overridden, by policy id; no compiling.

        A policy that is off can be turned on if the set was compiled with ``keep_disabled``. The view has a hash of
        its own; overrides of policies that are not in the set are passed over.
        """
        known = {row.id: overrides[row.id] for row in self._rows if row.id in overrides}
        return self._view(self.posture, known)

    def joined(self, rules: TenantRules) -> PolicySet:
        """This set with a tenant's own policies as a second layer; no compiling, and the hash covers both.

        Raises:
            InvalidPolicy: both have a policy of the same id.
        """
        if not rules.policies:
            return self
        rows, patterns = (*self._rows, *rules.policies), (*self._patterns, *rules.patterns)
        checked_rows(rows, keep_disabled=True)
        engine = JoinedEngine(self._engine, len(self._rows), rules.engine)
        from_dump = self.compiled_from_dump
        return PolicySet(rows, patterns, self.posture, engine, compiled_from_dump=from_dump, overrides=self.overrides)

    def _view(self, posture: Posture, overrides: Mapping[str, PolicyOverride]) -> PolicySet:
        return PolicySet(
            self._rows,
            self._patterns,
            posture,
            self._engine,
            compiled_from_dump=self.compiled_from_dump,
            overrides=overrides,
        )

    @property
    def compiled(self) -> tuple[Policy, ...]:
        """Every policy that the set was compiled with, those that are off included."""
        return self._rows

    @property
    def engine(self) -> str:
        """``vectorscan`` or ``re2``."""
        return self._engine.name

    @property
    def judged_by_re2(self) -> tuple[str, ...]:
        """Ids of the policies whose pattern this machine's Vectorscan does not find reliably; re2 searches for them."""
        return tuple(self._rows[index].id for index in self._engine.by_re2)

    @property
    def dump_key(self) -> str:
        """Key to keep `dump` under: hash of patterns, flags, wheel version and machine type."""
        return engines.dump_key([policy.pattern for policy in self._rows])

    def dump(self) -> bytes:
        """The compiled database for a quick start; empty when the engine is re2."""
        return self._engine.dump()

    def action_of(self, policy_id: str, phase: Phase) -> EffectiveAction | None:
        """The effective action of a policy of this set, or None when it is not in the set."""
        return next((row.actions[phase] for row in self._order if row.policy.id == policy_id), None)

    def evaluate(self, content: Content, phase: Phase, *, is_admin: bool = False) -> Evaluation:
        """Judge every part. Never raises: whatever goes wrong inside is a block."""
        try:
            found = self._find(content, phase, is_admin=is_admin)
        except Exception as error:  # noqa: BLE001 # a verdict that could not be made is a block, whatever the cause
            return self._failed(error)
        if not found:
            return self._clean
        found.sort(key=_rank)
        deciding = found[0]
        verdict = _VERDICTS.get(deciding.action, Verdict.ALLOWED)
        reason = "" if verdict is Verdict.ALLOWED else deciding.reason
        return Evaluation(verdict=verdict, matches=tuple(found), reason=reason, policy_set_hash=self.hash)

    def _find(self, content: Content, phase: Phase, *, is_admin: bool) -> list[Match]:
        found: list[Match] = []
        for part in content.parts:
            spans: dict[int, list[Span]] = {}
            for view in readings(part.text):
                hits = self._engine.hits(view.data)
                if hits:
                    self._judge(view, hits, phase, spans, is_admin=is_admin)
            if part.structured:
                self._judge_structured(part.text, phase, spans, is_admin=is_admin)
            for index, several in spans.items():
                policy, (action, origin) = self._order[index].policy, self._order[index].actions[phase]
                if action is not None:
                    found.append(_match(policy, action, origin, part, several))
        return found

    def _judge_structured(self, text: str, phase: Phase, spans: dict[int, list[Span]], *, is_admin: bool) -> None:
        if (apart := values(text)) is not None:
            hits = [hit for hit in self._engine.hits(apart.data) if self._is_carried_out(hit)]
            self._judge(apart, hits, phase, spans, is_admin=is_admin)
        if (written_out := whole_numbers(text)) is not None:
            self._judge(written_out, self._engine.hits(written_out.data), phase, spans, is_admin=is_admin)

    def _is_carried_out(self, index: int) -> bool:
        return self._order[index].policy.category.startswith(_CARRIED_OUT)

    def _judge(
        self, view: View, hits: list[int], phase: Phase, spans: dict[int, list[Span]], *, is_admin: bool
    ) -> None:
        """Add what is confirmed in ``view`` to ``spans``, by the policy's index, as spans of the part's text."""
        latin = view.data.decode("latin-1")  # one character a byte: offsets of bytes and characters agree
        for index in hits:
            row = self._order[index]
            action = row.actions[phase].action
            if action is None or (is_admin and row.policy.category == _ADMIN_CATEGORY):
                continue
            enough = None if is_masked(row.policy.category, action) else _ENOUGH
            if enough is not None and index in spans:
                continue  # another view has shown it, and nothing is masked for it
            confirmed = confirmed_spans(row.pattern, row.validator, view, latin, enough)
            if confirmed:
                spans.setdefault(index, []).extend(view.back(confirmed))

    def _failed(self, error: Exception) -> Evaluation:
        match = Match(
            policy_id=ENGINE_FAILURE_ID,
            name="Policy engine failure",
            category="security-admin",
            severity=Severity.CRITICAL,
            priority=1000,
            action=Action.BLOCK,
            origin="engine",
            reason=ENGINE_FAILURE_REASON,
            path="",
            spans=(),
        )
        return Evaluation(
            verdict=Verdict.BLOCKED,
            matches=(match,),
            reason=ENGINE_FAILURE_REASON,
            policy_set_hash=self.hash,
            failure=type(error).__name__,
        )


def checked_rows(policies: Iterable[Policy], *, keep_disabled: bool = False) -> tuple[Policy, ...]:
    """The enabled policies by id, or all of them; of these two share no id, and each knows its validator.

    Raises:
        InvalidPolicy: some do not.
    """
    rows = tuple(sorted((row for row in policies if row.enabled or keep_disabled), key=lambda row: row.id))
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise InvalidPolicy(f"policy {row.id} stands twice in the set")
        seen.add(row.id)
        if row.validator is not None and row.validator not in VALIDATORS:
            raise InvalidPolicy(f"policy {row.id} names the unknown validator {row.validator}")
    return rows


def _rows_of_a_set(policies: Iterable[Policy], *, keep_disabled: bool) -> tuple[Policy, ...]:
    rows = checked_rows(policies, keep_disabled=keep_disabled)
    if not rows:
        raise InvalidPolicy("a policy set needs at least one enabled policy")
    return rows


def regexp_of(policy: Policy) -> re2._Regexp:
    """The policy's pattern, for re2; raises `InvalidPolicy` where it is not valid."""
    try:
        return engines.regexp(policy.pattern)
    except engines.PatternRefused as error:
        raise InvalidPolicy(f"policy {policy.id}: {error}") from error


def _is_judged(policy: Policy, override: PolicyOverride | None) -> bool:
    return policy.enabled if override is None or override.enabled is None else override.enabled


def _compiled(policy: Policy, pattern: re2._Regexp, posture: Posture, override: PolicyOverride | None) -> _Compiled:
    validator = None if policy.validator is None else VALIDATORS[policy.validator]
    actions = {phase: overridden_action(policy, phase, posture, override) for phase in Phase}
    return _Compiled(policy, pattern, validator, actions)


def _set_hash(rows: Sequence[_Compiled], posture: Posture, engine: str) -> str:
    digest = hashlib.sha256()
    head = [CATALOGUE_VERSION, READINGS_VERSION, engines.engine_version(engine), sorted(posture.skip_categories)]
    digest.update(msgspec.json.encode(head))
    for row in sorted(rows, key=lambda row: row.policy.id):
        # A row that is off decides nothing: kept for an override or not, the set is the same.
        if not row.policy.enabled and not any(effective.action for effective in row.actions.values()):
            continue
        digest.update(msgspec.json.encode([row.policy, [row.actions[phase] for phase in Phase]], order="deterministic"))
    return digest.hexdigest()


def _match(policy: Policy, action: Action, origin: str, part: Part, spans: list[Span]) -> Match:
    return Match(
        policy_id=policy.id,
        name=policy.name,
        category=policy.category,
        severity=policy.severity,
        priority=policy.priority,
        action=action,
        origin=origin,
        reason=policy.reason,
        path=part.path,
        spans=tuple(merged_spans(spans)),
        role=part.role,
        tier=policy.tier,
        risk_weight=policy.risk_weight,
    )


def _rank(match: Match) -> tuple[int, int, str, str, tuple[Span, ...]]:
    return (-match.action.strength, -match.priority, match.policy_id, match.path, match.spans)
