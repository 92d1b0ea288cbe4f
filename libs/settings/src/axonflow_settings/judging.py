"""The operator's levers over families of policies, read alike by every service that judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from axonflow_contracts.posture import ENFORCE_ALL, ENFORCE_NONE, Lever, Posture, Profile
from axonflow_contracts.verdicts import Action

from axonflow_settings.core import choice, variable, words
from axonflow_settings.service import ServiceSettings


def _enforce(text: str) -> frozenset[Lever] | Profile:
    """A list of levers; ``all`` and ``none`` are other words for the strict and the dev profile."""
    named = words(text)
    if named == (ENFORCE_ALL,):
        return Profile.STRICT
    if named == (ENFORCE_NONE,):
        return Profile.DEV
    legal = {lever.value for lever in Lever}
    if not set(named) <= legal:
        raise ValueError(f"a list of {', '.join(sorted(legal))}, or all, or none")
    return frozenset(Lever(word) for word in named)


def _lever(*actions: Action) -> Callable[[str], Action]:
    return choice(Action, tuple(action.value for action in actions))


PII_ACTIONS = _lever(Action.BLOCK, Action.REDACT, Action.WARN, Action.LOG)
OTHER_ACTIONS = _lever(Action.BLOCK, Action.WARN, Action.LOG)


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgingSettings(ServiceSettings):
    """The environment of a service that judges calls."""

    profile: Profile = variable(
        "AXONFLOW_PROFILE",
        "Named strictness: dev, default (each policy's own action), strict or compliance.",
        choice(Profile, tuple(Profile)),
        Profile.DEFAULT,
    )
    enforce: frozenset[Lever] | Profile = variable(
        "AXONFLOW_ENFORCE",
        f"Families that must block: {', '.join(Lever)}; or all (strict), or none (dev).",
        _enforce,
        frozenset(),
        default_text="",
    )
    pii_action: Action | None = variable("PII_ACTION", "block, redact, warn or log for all pii-*.", PII_ACTIONS, None)
    sqli_action: Action | None = variable("SQLI_ACTION", "block, warn or log for security-sqli.", OTHER_ACTIONS, None)
    sensitive_data_action: Action | None = variable(
        "SENSITIVE_DATA_ACTION", "block, warn or log for sensitive-data.", OTHER_ACTIONS, None
    )
    high_risk_action: Action | None = variable(
        "HIGH_RISK_ACTION", "block, warn or log above risk 0.8.", OTHER_ACTIONS, None
    )
    dangerous_query_action: Action | None = variable(
        "DANGEROUS_QUERY_ACTION", "block, warn or log for destructive SQL.", OTHER_ACTIONS, None
    )
    dangerous_command_action: Action | None = variable(
        "DANGEROUS_COMMAND_ACTION", "block, warn or log for security-dangerous.", OTHER_ACTIONS, None
    )

    @property
    def proxy_posture(self) -> Posture:
        """The levers for Proxy Mode, plans and gates, which have none of their own."""
        return self.posture("PROXY", {}, ())

    def posture(self, mode: str, levers: Mapping[Lever, Action | None], skipped: tuple[str, ...]) -> Posture:
        """The levers as the policy engine takes them, with those of one family of planes on top."""
        return Posture(
            profile=self.enforce if isinstance(self.enforce, Profile) else self.profile,
            enforce=frozenset() if isinstance(self.enforce, Profile) else self.enforce,
            global_levers=_set(
                {
                    Lever.PII: self.pii_action,
                    Lever.SQLI: self.sqli_action,
                    Lever.SENSITIVE_DATA: self.sensitive_data_action,
                    Lever.HIGH_RISK: self.high_risk_action,
                    Lever.DANGEROUS_QUERIES: self.dangerous_query_action,
                    Lever.DANGEROUS_COMMANDS: self.dangerous_command_action,
                }
            ),
            mode_levers=_set(levers),
            mode=mode,
            skip_categories=frozenset(skipped),
        )


def _set(levers: Mapping[Lever, Action | None]) -> dict[Lever, Action]:
    return {lever: action for lever, action in levers.items() if action is not None}
