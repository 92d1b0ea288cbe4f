"""The one way in for audit rows: PostgreSQL before the reply, else a synced file, then replay."""

from axonflow_audit.counters import AuditCounters
from axonflow_audit.errors import AuditDirectoryError, AuditUnavailable
from axonflow_audit.link import AuditConnections, Place
from axonflow_audit.log import AuditLog
from axonflow_audit.refusals import RefusalFold
from axonflow_audit.rows import (
    AuditEntry,
    AuditRow,
    DecisionChainRow,
    DetailRow,
    GatewayContextRow,
    LlmCallRow,
    MatchedPolicy,
    McpQueryRow,
    SealedInputRow,
)

__all__ = [
    "AuditConnections",
    "AuditCounters",
    "AuditDirectoryError",
    "AuditEntry",
    "AuditLog",
    "AuditRow",
    "AuditUnavailable",
    "DecisionChainRow",
    "DetailRow",
    "GatewayContextRow",
    "LlmCallRow",
    "MatchedPolicy",
    "McpQueryRow",
    "Place",
    "RefusalFold",
    "SealedInputRow",
]
