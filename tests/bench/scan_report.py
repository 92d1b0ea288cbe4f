"""The scan's figures as tables that a person reads."""

from __future__ import annotations

from bench.scan_results import ScanResults

_READERS = ("scan µs", "verdict µs", "re2 µs", "re µs", "scan ÷ re2", "scan ÷ re")


def scan_lines(results: ScanResults) -> list[str]:
    """Every table, and what was not measured."""
    limit = f"> {results.limit_s:g} s"
    head = "".join(f"{name:>14}" for name in _READERS)
    lines = ["The policy scan, CPU time of one text that was never seen before", f"{'policies, text, bytes':32}{head}"]
    for cell in results.cells:
        slow, ratio = (f"{cell.re_us:.0f}", f"{cell.scan_us / cell.re_us:.4f}") if cell.re_us else (limit, "")
        lines.append(
            f"{f'{cell.policies}, {cell.text}, {cell.size}':32}{cell.scan_us:14.1f}{cell.evaluate_us:14.1f}"
            f"{cell.re2_us:14.0f}{slow:>14}{cell.scan_us / cell.re2_us:14.4f}{ratio:>14}"
        )
    lines += ["", f"{'Patterns that make a matcher hang':32}{'100 KB, µs':>14}{'re, 40 bytes':>14}"]
    for pattern, (ours, slow_us) in results.redos_us.items():
        lines.append(f"{pattern:32}{ours:14.0f}{limit if slow_us is None else f'{slow_us:.0f} µs':>14}")
    lines += ["", f"{'Floods, s for a verdict':32}{f'{results.flood} B':>14}{'ten times':>14}{'ratio':>14}"]
    for kind, (shorter, longer) in results.floods_s.items():
        lines.append(f"{kind:32}{shorter:14.3f}{longer:14.3f}{longer / max(shorter, 1e-9):14.1f}")
    added = results.layer_us
    lines += ["", f"A tenant's 10 policies beside the set: {added:+.1f} µs for 1 KB"]
    if results.large < 10_000:
        lines.append(f"not measured: 10 000 policies, which compile for minutes; {results.large} at most")
    return lines
