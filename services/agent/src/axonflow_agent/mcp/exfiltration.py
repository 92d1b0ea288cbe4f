"""How much one answer may carry out: rows and bytes (agent contract §1.10)."""

from __future__ import annotations

import msgspec
from axonflow_contracts.verdicts import Action, Severity
from axonflow_policy import Match

POLICY_ID = "exfiltration_limit"


class Exfiltration(msgspec.Struct, frozen=True):
    """What an answer carries beside what it may carry; the wire's ``exfiltration_check``. A limit of 0 is none."""

    rows_returned: int
    row_limit: int
    bytes_returned: int
    byte_limit: int
    exceeded: bool
    limit_type: str
    within_limits: bool

    def match(self) -> Match:
        """The broken limit as a finding, so that the record and its explanations know what refused the answer."""
        rows = self.limit_type == "rows"
        returned, limit = (self.rows_returned, self.row_limit) if rows else (self.bytes_returned, self.byte_limit)
        return Match(
            policy_id=POLICY_ID,
            name="Exfiltration limit",
            category="security-admin",
            severity=Severity.HIGH,
            priority=1000,
            action=Action.BLOCK,
            origin="env:MCP_MAX_ROWS_PER_QUERY" if rows else "env:MCP_MAX_BYTES_PER_QUERY",
            reason=f"The answer has {returned} {self.limit_type}, more than the limit of {limit}",
            path="data",
            spans=(),
            role="tool",
        )


class Limits(msgspec.Struct, frozen=True):
    """The operator's limits; 0 is unlimited."""

    rows: int = 10_000
    bytes: int = 10_485_760

    def check(self, rows_returned: int, bytes_returned: int) -> Exfiltration:
        """Compare an answer with the limits; rows are named first where both are broken."""
        over_rows = 0 < self.rows < rows_returned
        over_bytes = 0 < self.bytes < bytes_returned
        return Exfiltration(
            rows_returned=rows_returned,
            row_limit=self.rows,
            bytes_returned=bytes_returned,
            byte_limit=self.bytes,
            exceeded=over_rows or over_bytes,
            limit_type="rows" if over_rows else "bytes" if over_bytes else "none",
            within_limits=not (over_rows or over_bytes),
        )
