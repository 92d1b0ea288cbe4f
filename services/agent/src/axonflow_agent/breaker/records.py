"""A circuit as it is stored, as it acts at a moment, and in the contract's words."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class Scope(StrEnum):
    """What a circuit stops; ``global`` means the whole organisation."""

    GLOBAL = "global"
    TENANT = "tenant"
    CLIENT = "client"
    POLICY = "policy"


class State(StrEnum):
    """Where a circuit stands. ``half_open``: its time is over, and it counts from there."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class TripReason(StrEnum):
    """Why a circuit opened."""

    MANUAL = "manual"
    POLICY_VIOLATION = "policy_violation"
    RISK_LEVEL = "risk_level"
    ERROR_RATE = "error_rate"


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``circuit_breakers``."""

    id: UUID
    org_id: str
    scope: Scope
    scope_id: str
    state: State
    trip_reason: TripReason | None
    tripped_by: str | None
    tripped_by_email: str | None
    trip_comment: str | None
    tripped_at: datetime | None
    expires_at: datetime | None
    reset_by: str | None
    reset_at: datetime | None
    error_count: int
    violation_count: int
    created_at: datetime
    updated_at: datetime

    def state_at(self, now: datetime) -> State:
        """Closed, open, or open with its time over."""
        over = self.expires_at is not None and self.expires_at <= now
        return State.HALF_OPEN if self.state is State.OPEN and over else self.state

    def stops(self, now: datetime) -> bool:
        """Whether calls of its scope are refused."""
        return self.state_at(now) is State.OPEN


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """When a circuit opens by itself, and for how long; the numbers of agent contract §1.13."""

    error_threshold: int = 10
    violation_threshold: int = 5
    window_seconds: int = 300
    default_timeout_seconds: int = 1_800
    max_timeout_seconds: int = 86_400
    enable_auto_recovery: bool = True


class Overrides(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a tenant set for itself; None inherits."""

    error_threshold: int | None = None
    violation_threshold: int | None = None
    window_seconds: int | None = None
    default_timeout_seconds: int | None = None
    max_timeout_seconds: int | None = None
    enable_auto_recovery: bool | None = None

    @property
    def given(self) -> dict[str, int | bool]:
        """The fields that are set."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


class ConfigView(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds that act for a tenant. ``source`` is ``tenant`` where it set any, else ``global``."""

    source: str
    error_threshold: int
    violation_threshold: int
    window_seconds: int
    default_timeout_seconds: int
    max_timeout_seconds: int
    enable_auto_recovery: bool
    tenant_id: str | msgspec.UnsetType = msgspec.UNSET
    overrides: Overrides | msgspec.UnsetType = msgspec.UNSET


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One opening or closing of a circuit."""

    id: UUID
    circuit_id: UUID
    org_id: str
    scope: Scope
    scope_id: str
    state: State
    trip_reason: TripReason | None
    tripped_by: str | None
    tripped_at: datetime | None
    expires_at: datetime | None
    reset_by: str | None
    reset_at: datetime | None
    comment: str | None
    error_count: int
    violation_count: int
    recorded_at: datetime


def acting(defaults: Thresholds, overrides: Overrides | None) -> Thresholds:
    """A tenant's thresholds: its own where it set them."""
    return defaults if overrides is None else msgspec.structs.replace(defaults, **overrides.given)
