"""What became of audit entries: plain numbers for tests and health, mirrored into the Prometheus series."""

from __future__ import annotations

import dataclasses

from axonflow_telemetry import Metrics


@dataclasses.dataclass(slots=True)
class AuditCounters:
    """Entries (a decision with its details) since the log was opened.

    Attributes:
        written: committed to PostgreSQL directly.
        fallen_back: synced to the fallback file.
        replayed: brought from a file, this process's or an orphan, to PostgreSQL.
        torn: lines skipped in replay because they are not whole.
        quarantined: set aside in a file because PostgreSQL cannot hold them.
        failed: taken by no place; their callers were refused.
    """

    metrics: Metrics | None = None
    written: int = 0
    fallen_back: int = 0
    replayed: int = 0
    torn: int = 0
    quarantined: int = 0
    failed: int = 0

    def add_written(self, count: int) -> None:
        """Count entries committed to PostgreSQL."""
        self.written += count
        if self.metrics is not None:
            self.metrics.audit_written.inc(count)
            self.metrics.audit_queued.labels(type="audit", status="success").inc(count)

    def add_fallen_back(self, count: int) -> None:
        """Count entries synced to the fallback file."""
        self.fallen_back += count
        if self.metrics is not None:
            self.metrics.audit_fallen_back.inc(count)
            self.metrics.audit_fallback.inc(count)
            self.metrics.audit_queued.labels(type="audit", status="fallback").inc(count)

    def add_replayed(self, count: int) -> None:
        """Count entries brought from a file to PostgreSQL."""
        self.replayed += count
        if self.metrics is not None:
            self.metrics.audit_replayed.inc(count)

    def add_torn(self, count: int) -> None:
        """Count lines that were not whole."""
        self.torn += count
        if self.metrics is not None:
            self.metrics.audit_torn.inc(count)

    def add_quarantined(self, count: int) -> None:
        """Count entries that PostgreSQL cannot hold."""
        self.quarantined += count
        if self.metrics is not None:
            self.metrics.audit_quarantined.inc(count)

    def add_failed(self, count: int) -> None:
        """Count entries that no place would take."""
        self.failed += count
        if self.metrics is not None:
            self.metrics.audit_failed.inc(count)
            self.metrics.audit_queued.labels(type="audit", status="failed").inc(count)
