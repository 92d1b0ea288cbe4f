"""What clients send in Gateway Mode (agent contract §1.5 and §1.6)."""

from __future__ import annotations

from typing import Any

import msgspec
from axonflow_contracts.errors import Fault
from axonflow_pricing import Usage

MOST_SOURCES, LONGEST_NAME, LONGEST_CONTEXT_ID = 50, 255, 100
LONGEST_SUMMARY = 500
LARGEST_METADATA_BYTES = 16_384
# No call takes more of either; a larger number is a fault or a trick, and its cost would fit no column.
MOST_TOKENS = 10**9
LONGEST_LATENCY_MS = 10**9


class PreCheckBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of ``POST /api/policy/pre-check``."""

    query: str | None = None
    client_id: str | None = None
    user_token: str | None = None
    data_sources: tuple[str, ...] | None = None
    context: dict[str, Any] | None = None

    def checked(self) -> tuple[str, tuple[str, ...]]:
        """The text to judge, and the names of data sources, each once.

        Raises:
            Fault: 400, no text, or names that no source has.
        """
        if self.query is None or not self.query.strip():
            raise Fault(400, "query field is required")
        sources = tuple(dict.fromkeys(self.data_sources or ()))
        if len(sources) > MOST_SOURCES or any(not 0 < len(name) <= LONGEST_NAME for name in sources):
            raise Fault(400, f"data_sources must be at most {MOST_SOURCES} names of up to {LONGEST_NAME} characters")
        return self.query, sources


class TokenUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as a client counted them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None

    def checked(self) -> tuple[Usage, int]:
        """Usage to price, and the total to keep; tokens of no told kind are priced as prompt tokens.

        Raises:
            Fault: 400, a number that no call has.
        """
        for name in self.__struct_fields__:
            if not 0 <= (getattr(self, name) or 0) <= MOST_TOKENS:
                raise Fault(400, f"token_usage.{name} must be a whole number from 0 to {MOST_TOKENS}")
        prompt, completion = self.prompt_tokens or 0, self.completion_tokens or 0
        total = max(self.total_tokens or 0, prompt + completion)
        # Providers count what they think to themselves in the total alone.
        return Usage(prompt=prompt if prompt + completion else total, completion=completion), total


class ReportBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of ``POST /api/audit/llm-call``."""

    context_id: str | None = None
    client_id: str | None = None
    provider: str | None = None
    model: str | None = None
    token_usage: TokenUsage | None = None
    latency_ms: int | float | None = None
    response_summary: str | None = None
    metadata: dict[str, Any] | None = None

    def check(self) -> None:
        """Refuse what cannot be recorded.

        Raises:
            Fault: 400, a field is missing or beyond its limits.
        """
        for name in ("context_id", "provider", "model"):
            if not (getattr(self, name) or "").strip():
                raise Fault(400, f"{name} field is required")
        for name, longest in (("provider", LONGEST_NAME), ("model", LONGEST_NAME), ("context_id", LONGEST_CONTEXT_ID)):
            if len(getattr(self, name)) > longest:
                raise Fault(400, f"{name} must be at most {longest} characters")
        if not 0 <= (self.latency_ms or 0) <= LONGEST_LATENCY_MS:
            raise Fault(400, f"latency_ms must be a number from 0 to {LONGEST_LATENCY_MS}")
        if len(self.response_summary or "") > LONGEST_SUMMARY:
            raise Fault(400, f"response_summary must be at most {LONGEST_SUMMARY} characters")
        if self.metadata and len(msgspec.json.encode(self.metadata)) > LARGEST_METADATA_BYTES:
            raise Fault(400, f"metadata must be at most {LARGEST_METADATA_BYTES} bytes")
