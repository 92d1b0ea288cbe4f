"""When the same provider is asked again: backoff with full jitter, within a budget. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from axonflow_providers import ProviderFault


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """How often and how soon.

    Attributes:
        most: retries of one attempt.
        base_s: the longest first pause; each further one may be twice as long.
        cap_s: no pause is longer, and who asks for a longer one by Retry-After is not asked again.
        budget_ratio: retries that each call earns for its provider.
        budget_burst: retries that may be saved up, and that a new provider begins with.
    """

    most: int = 2
    base_s: float = 0.2
    cap_s: float = 5.0
    budget_ratio: float = 0.2
    budget_burst: float = 10.0

    def pause_s(self, fault: ProviderFault, retries: int, chance: Callable[[], float]) -> float | None:
        """How long to wait before another try, or None for not trying again.

        Args:
            fault: how the last try failed.
            retries: how many were made.
            chance: a number from 0 to below 1.
        """
        if not fault.retryable or retries >= self.most:
            return None
        pause_s = chance() * min(self.cap_s, self.base_s * 2.0**retries)
        asked_s = fault.retry_after_s or 0.0
        return None if asked_s > self.cap_s else max(pause_s, asked_s)


class RetryBudget:
    """Retries that a provider's calls have earned, so that one that struggles is not stormed by them."""

    def __init__(self, rules: RetryRules) -> None:
        self._ratio = rules.budget_ratio
        self._burst = rules.budget_burst
        self._saved = rules.budget_burst

    def earn(self) -> None:
        """A first call was made."""
        self._saved = min(self._burst, self._saved + self._ratio)

    def spend(self) -> bool:
        """Take one retry, if there is one."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True
