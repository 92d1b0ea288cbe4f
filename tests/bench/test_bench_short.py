"""The short form of `make bench`, end to end: that it runs and that its ratios can be true, never how fast it was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    command = [sys.executable, "-m", "bench", "--short", "--json", str(file)]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=550, check=False)
    assert done.returncode == 0, done.stderr
    assert "÷" in done.stdout
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


# Go's first build compiles its own library, which takes minutes on a busy machine.
@pytest.mark.timeout(600)
def test_every_contender_answers_all_it_is_asked(document: dict[str, Any]) -> None:
    results = document["results"]
    assert {"Python byte forwarder", "gateway, hypercorn"} <= set(results["throughput"])
    assert not any(results["failed"].values()), results["failed"]
    assert all(results["answered"].values()), results["answered"]


@pytest.mark.timeout(600)
def test_what_the_gateway_answered_is_in_the_record_once(document: dict[str, Any]) -> None:
    answered = document["results"]["answered"]
    assert document["audit_rows"]
    assert document["audit_rows"] == {name: answered[name] for name in document["audit_rows"]}


@pytest.mark.timeout(600)
def test_the_gateway_costs_more_than_a_bare_forwarder_and_not_absurdly_more(document: dict[str, Any]) -> None:
    by_cpu = [ratio for ratio in document["ratios"] if ratio["what"] == "requests per CPU second"]
    assert by_cpu
    for ratio in by_cpu:
        assert 0.005 < ratio["spread"]["median"] < 1, ratio


@pytest.mark.timeout(600)
def test_what_could_not_be_measured_is_named(document: dict[str, Any]) -> None:
    floors = {ratio["over"] for ratio in document["ratios"] if ratio["what"] == "requests/s per core"}
    assert floors == {"Go forwarder"} or any("Go forwarder" in text for text in document["lacking"])


@pytest.mark.timeout(600)
def test_the_scan_is_compared_with_python_re(document: dict[str, Any]) -> None:
    scans = {ratio["of"]: ratio["spread"]["median"] for ratio in document["ratios"] if ratio["over"] == "re"}
    assert {"scan 1 KB", "scan 10 KB"} <= set(scans)
    assert all(0 < ratio < 1 for ratio in scans.values()), scans


@pytest.mark.timeout(600)
def test_no_text_and_no_pattern_holds_the_scan(document: dict[str, Any]) -> None:
    scan = document["scan"]
    kinds = {(cell["text"], cell["size"]) for cell in scan["cells"]}
    assert {("benign", 100), ("hostile", 10240)} <= kinds
    assert any(slow is None for _, slow in scan["redos_us"].values()), "Python's re should hang on one of them"
    assert all(ours < scan["limit_s"] * 1e6 for ours, _ in scan["redos_us"].values())
    # Quadratic work would take a hundred times as long; a busy machine blurs the small floods of the short form.
    assert all(longer < max(shorter, 0.01) * 40 for shorter, longer in scan["floods_s"].values()), scan["floods_s"]
