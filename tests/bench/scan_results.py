"""What a run of the scan's bench has found."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """Median processor time of one text, in microseconds.

    Attributes:
        policies: in the set.
        text: ``benign`` or ``hostile``.
        scan_us: which patterns occur.
        evaluate_us: the whole verdict: every reading, spans and validators too.
        re2_us: google-re2, pattern by pattern.
        re_us: Python's `re`, pattern by pattern; None where its limit was not enough.
    """

    policies: int
    text: str
    size: int
    scan_us: float
    evaluate_us: float
    re2_us: float
    re_us: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class ScanResults:
    """All figures of one run; times in microseconds, except where a name says otherwise.

    Attributes:
        limit_s: for `re`.
        flood: bytes of the shorter flood.
        layer_us: what ten policies of a tenant add to a scan of 1 KB.
        large: policies of the largest set, or 0 where none was measured.
        redos_us: by pattern, the whole set's time on 100 KiB, and `re`'s on 40 bytes or None for more than its limit.
        floods_s: by kind, seconds for a verdict on the shorter and for the ten times longer text.
        ratios: the figures that targets may be set for.
        targets: of ratios, the most.
    """

    limit_s: float
    flood: int
    layer_us: float
    large: int
    cells: list[Cell]
    redos_us: dict[str, tuple[float, float | None]]
    floods_s: dict[str, tuple[float, float]]
    ratios: dict[str, float]
    targets: dict[str, float]
