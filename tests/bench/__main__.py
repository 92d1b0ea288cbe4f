"""``python -m bench``: the gateway against bare forwarders, and the policy scan; a table, and JSON with ``--json``."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from support.gateway import ORG
from support.postgres import running_server

from bench import scan
from bench.contenders import stage
from bench.machine import cores, describe, disk_sync_ms
from bench.ratios import ratios, scan_ratios
from bench.report import Report
from bench.rounds import SHORT, Bench, Plan
from bench.scan import SHORT_SCAN, ScanPlan
from bench.tools import find_tools

COUNT_ROWS = "SELECT count(*) FROM audit_logs"


def main() -> None:
    arguments = _arguments()
    plan = SHORT if arguments.short else Plan()
    if arguments.rounds:
        plan = dataclasses.replace(plan, rounds=arguments.rounds, latency_rounds=arguments.rounds)
    scan_plan = SHORT_SCAN if arguments.short else ScanPlan()
    report = measure(plan, scan_plan, use_go=not arguments.no_go)
    print(report.text())
    if arguments.json:
        arguments.json.write_text(json.dumps(report.document(), indent=1) + "\n", encoding="utf-8")


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="under a minute; shows that it runs, not how fast it is")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement to FILE")
    parser.add_argument("--rounds", type=int, metavar="N", help="more rounds for a noisy machine")
    parser.add_argument("--no-go", action="store_true", help="as on a machine without Go")
    return parser.parse_args()


def measure(plan: Plan, scan_plan: ScanPlan, *, use_go: bool = True) -> Report:
    """Start everything, run the rounds, and end everything."""
    found_cores = cores()
    with tempfile.TemporaryDirectory(prefix="axonflow-bench-") as name:
        directory = Path(name)
        say("building the tools")
        tools = find_tools(directory, use_go=use_go)
        say("starting PostgreSQL, the upstream and what is measured")
        with contextlib.ExitStack() as stack:
            with found_cores.for_around():
                # Commits wait for the disk, as in production: the gateway answers when its rows are durable.
                server = stack.enter_context(running_server(fsync=True))
                server.make_template()
            staged = stack.enter_context(stage(tools, found_cores, server, directory))
            machine = {**describe(), "disk sync ms": round(disk_sync_ms(server.postgres.data_dir.parent), 2)}
            results = Bench(tools, found_cores, plan, say).run(staged)
            rows = {gateway: _count_rows(url) for gateway, url in staged.databases.items()}
    say("the scan")
    scanned = scan.measure(scan_plan)
    found = [*ratios(results), *scan_ratios(scanned.ratios, scanned.targets)]
    return Report(machine, plan, results, scanned, found, rows, staged.lacking)


def _count_rows(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        connection.execute("SET ROLE axonflow_app")
        connection.execute("SELECT set_config('app.current_org_id', %s, false)", (ORG,))
        (count,) = connection.execute(COUNT_ROWS).fetchone() or (0,)
    return int(count)


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
