"""The child that compiles: what it gives, what it refuses and why, and that it dies before it does harm."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from axonflow_contracts.verdicts import Action, Severity, Tier
from axonflow_governance import compile_child
from axonflow_governance.compile_child import Job, outcome_of
from axonflow_governance.compiling import CompileLimits, PolicyCompiler
from axonflow_governance.errors import CompilerUnavailable, PoliciesRefused
from axonflow_policy import Policy, TenantRules

# Vectorscan turns each into a large machine: together some minutes of work.
COSTLY = [rf"a.{{{size}}}b.{{1,200}}c" for size in range(1, 250)]


def policies(*patterns: str) -> list[Policy]:
    return [
        Policy(
            id=f"tenant_{number:03}",
            name="Made up",
            category="custom",
            severity=Severity.LOW,
            priority=50,
            pattern=pattern,
            reason="Made up",
            action=Action.BLOCK,
            tier=Tier.TENANT,
        )
        for number, pattern in enumerate(patterns)
    ]


async def test_what_the_child_compiled_loads_here() -> None:
    rows = policies(r"\bproject-[a-z]{4,12}\b", "(a+)+$")
    dump = await PolicyCompiler().compile(rows)
    rules = TenantRules.load(rows, dump) or TenantRules.by_re2(rows)
    assert rules.is_final
    assert sorted(rules.engine.hits(b"on project-mercury")) == [0]


async def test_the_engines_own_reason_is_told() -> None:
    with pytest.raises(PoliciesRefused, match=r"tenant_001.*missing \)"):
        await PolicyCompiler().compile(policies("sound", "(open"))


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (CompileLimits(cpu_s=0), "0 s of processor time"),
        (CompileLimits(wall_s=0.3), r"more than 0\.3 s"),
        (CompileLimits(memory_bytes=64 << 20, cpu_s=60), "memory"),
    ],
    ids=["processor", "clock", "memory"],
)
async def test_a_child_that_takes_too_much_dies_and_says_of_what(limits: CompileLimits, reason: str) -> None:
    with pytest.raises(PoliciesRefused, match=reason):
        await PolicyCompiler(limits).compile(policies(*COSTLY))
    assert await PolicyCompiler().compile(policies("sound")) is not None


async def test_what_scans_too_slowly_or_grows_too_large_is_refused() -> None:
    with pytest.raises(PoliciesRefused, match=r"a scan of 100 KB takes \d+ ms, and may take 0"):
        await PolicyCompiler(CompileLimits(scan_ms=0.0)).compile(policies(".*a.{255}.*b.{255}"))
    with pytest.raises(PoliciesRefused, match="compiled, it takes more than 0 MiB"):
        await PolicyCompiler(CompileLimits(dump_bytes=1)).compile(policies("sound"))


async def test_a_child_that_is_abandoned_is_ended() -> None:
    compiler = PolicyCompiler(CompileLimits(cpu_s=60), children=1)
    work = asyncio.create_task(compiler.compile(policies(*COSTLY)))
    await asyncio.sleep(0.3)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    async with asyncio.timeout(20):  # its place is free again
        await compiler.compile(policies("sound"))


async def test_a_machine_that_starts_no_child_is_no_fault_of_the_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(CompilerUnavailable):
        await PolicyCompiler().compile(policies("sound"))


async def test_a_child_that_fails_by_itself_is_no_fault_of_the_policies(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise ImportError\n")
    monkeypatch.setattr(compile_child, "__file__", str(broken))
    with pytest.raises(CompilerUnavailable, match="ended with 1"):
        await PolicyCompiler().compile(policies("sound"))


async def test_the_child_inherits_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JWT_SECRET", "canary-secret")
    spy = tmp_path / "spy.py"
    spy.write_text(
        "import json, os, sys\nsys.stdin.read()\nsys.stdout.write(json.dumps({'refused': ' '.join(os.environ)}))\n"
    )
    monkeypatch.setattr(compile_child, "__file__", str(spy))
    with pytest.raises(PoliciesRefused) as told:
        await PolicyCompiler().compile(policies("sound"))
    assert set(str(told.value).split()) <= {"LC_CTYPE", "LD_LIBRARY_PATH"}
    assert "JWT_SECRET" in os.environ


def test_an_ordinary_layer_is_far_below_the_limit() -> None:
    rows = policies(*(rf"(?i)\b(?:case|file{number})\s+secret\s+\d{{3,6}}" for number in range(20)))
    outcome = outcome_of(Job(tuple(rows), 5, 512 << 20, 10.0, 16 << 20))
    assert outcome.refused == ""
