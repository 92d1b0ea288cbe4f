"""``axonflow-policy``: what would the engine say? Exit code 0 for nothing to stop, 1 for a finding, 2 for a misuse."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import msgspec
from axonflow_contracts.posture import Posture, Profile
from axonflow_contracts.verdicts import Action, Phase
from axonflow_policy import Content, PolicySet, catalogue, lint_rules
from axonflow_policy.lint import lint
from axonflow_policy.policy_set import InvalidPolicy

from axonflow_policy_command import bench, report
from axonflow_policy_command.sources import CannotRead, policies, policy_file, texts

CLEAN, FOUND, MISUSED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
        sys.stdout.flush()
    except (CannotRead, InvalidPolicy) as error:
        print(f"axonflow-policy: {error}", file=sys.stderr)
        return MISUSED
    except BrokenPipeError:
        # Whoever read the lines has seen enough; what is left has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return MISUSED
    return code


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    shared.add_argument("--policies", metavar="FILE", help="TOML with [[policy]] and [[rule]] tables")
    shared.add_argument("--profile", type=Profile, choices=list(Profile), default=Profile.DEFAULT)
    parser = argparse.ArgumentParser(prog="axonflow-policy", description="The policy engine for people and CI jobs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    scan = commands.add_parser("scan", parents=[shared], help="judge texts; 1 when one would be stopped")
    scan.add_argument("paths", nargs="*", metavar="FILE", help="files; standard input when none is named")
    scan.add_argument("--phase", type=Phase, choices=list(Phase), default=Phase.REQUEST)
    scan.add_argument("--fail-on", type=Action, choices=list(Action), default=Action.REQUIRE_APPROVAL)
    scan.set_defaults(command=_scan)
    explain = commands.add_parser("explain", parents=[shared], help="what a policy is for and what it does")
    explain.add_argument("policy_id")
    explain.set_defaults(command=_explain)
    check = commands.add_parser("lint", parents=[shared], help="policies that cannot do what they were meant to")
    check.set_defaults(command=_lint)
    speed = commands.add_parser("bench", parents=[shared], help="microseconds a scan, beside re2 pattern by pattern")
    speed.set_defaults(command=_bench)
    return parser


def _scan(options: argparse.Namespace) -> int:
    # Compiling the catalogue takes as long as re2 takes for ten megabytes.
    policy_set = PolicySet.by_re2(policies(options.policies), Posture(profile=options.profile))
    scans = []
    worst = 0
    for name, text in texts(options.paths):
        evaluation = policy_set.evaluate(Content.of(text), options.phase)
        worst = max(worst, *(match.action.strength for match in evaluation.matches), 0)
        scans.append(report.scan_of(name, text, evaluation))
    _print(options, scans, [line for scan in scans for line in report.scan_lines(scan)])
    return FOUND if worst >= options.fail_on.strength else CLEAN


def _explain(options: argparse.Namespace) -> int:
    found = [policy for policy in policies(options.policies) if policy.id == options.policy_id]
    if not found:
        print(f"axonflow-policy: there is no policy {options.policy_id!r}", file=sys.stderr)
        return MISUSED
    told = report.explanation(found[0], Posture(profile=options.profile))
    _print(options, told, report.explanation_lines(told))
    return CLEAN


def _lint(options: argparse.Namespace) -> int:
    file = policy_file(options.policies)
    static = lint((*catalogue(), *file.policy), Posture(profile=options.profile))
    findings = (*static, *lint_rules(file.rule))
    _print(options, findings, report.finding_lines(findings))
    return FOUND if findings else CLEAN


def _bench(options: argparse.Namespace) -> int:
    rows = bench.measure(policies(options.policies), Posture(profile=options.profile))
    _print(options, rows, bench.lines(rows))
    return CLEAN


def _print(options: argparse.Namespace, document: object, lines: Sequence[str]) -> None:
    print(msgspec.json.encode(document).decode() if options.json else "\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
