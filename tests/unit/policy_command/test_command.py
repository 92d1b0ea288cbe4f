"""``axonflow-policy`` as a person and as a CI job meet it."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
from axonflow_policy.conditions import Operator
from axonflow_policy.facts import FIELDS
from axonflow_policy.lint import Problem
from axonflow_policy.rules import RuleActionType
from axonflow_policy_command.__main__ import CLEAN, FOUND, MISUSED, main

SSN = "Please file\nmy SSN 123-45-6789."
OWN = """
[[policy]]
id = "team_codename"
name = "Codename"
category = "custom"
severity = "high"
priority = 50
pattern = "project falcon"
reason = "A project's name"
action = "block"
tier = "tenant"
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def call(*arguments: str, text: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        code = main(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_a_text_that_would_be_stopped_ends_with_1_and_says_where(run):
    code, out, _ = run("scan", text=SSN)
    assert code == FOUND
    assert out.startswith("stdin: blocked (Social Security Number detected)\nstdin:2:8: block ")
    assert "123-45" not in out


def test_an_ordinary_text_ends_with_0(run):
    assert run("scan", text="How does GRANT work?")[:2] == (CLEAN, "stdin: allowed\n")


def test_what_only_warns_passes_unless_the_job_says_otherwise(run):
    mail = "Write to ann.lee@bank.example"
    assert run("scan", text=mail)[0] == CLEAN
    assert run("scan", "--fail-on", "warn", text=mail)[0] == FOUND


def test_a_profile_changes_the_answer_and_its_origin(run):
    code, out, _ = run("scan", "--profile", "dev", "--json", text=SSN)
    [scan] = json.loads(out)
    assert (code, scan["verdict"]) == (CLEAN, "allowed")
    assert scan["hits"][0]["origin"] == "profile:dev"
    assert scan["hits"][0]["places"] == [{"line": 2, "column": 8, "length": 11}]


def test_files_are_named_and_a_missing_one_is_a_sentence(run, tmp_path: Path):
    good = tmp_path / "good.txt"
    good.write_text(SSN)
    assert run("scan", str(good))[1].startswith(f"{good}: blocked")
    code, _, err = run("scan", str(tmp_path / "none.txt"))
    assert code == MISUSED
    assert "none.txt: No such file" in err


def test_a_file_that_is_no_text_is_a_sentence(run, tmp_path: Path):
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"ok \xff")
    assert "not UTF-8 at byte 3" in run("scan", str(bad))[2]


def test_policies_of_ones_own_are_judged_beside_the_catalogue(run, tmp_path: Path):
    own = tmp_path / "own.toml"
    own.write_text(OWN)
    assert run("scan", "--policies", str(own), text="about project falcon")[0] == FOUND
    assert run("scan", "--policies", str(own), text=SSN)[0] == FOUND


@pytest.mark.parametrize(
    "text",
    [
        "[[policy]]\nid = 7",
        "not toml = =",
        "[[policy]]\nid = 'x'\nsurprise = 1",
        "[[rule]]\nid = 'x'\nname = 'x'\nphase = 'both'",
        "rule = 7",
    ],
)
def test_a_policy_file_that_cannot_be_used_is_a_sentence(run, tmp_path: Path, text):
    own = tmp_path / "own.toml"
    own.write_text(text)
    code, _, err = run("lint", "--policies", str(own))
    assert code == MISUSED
    assert "own.toml" in err


def test_a_policy_is_explained_with_what_it_does_on_each_side(run):
    code, out, _ = run("explain", "sys_pii_ssn", "--json")
    told = json.loads(out)
    assert code == CLEAN
    assert told["actions"] == {
        "request": {"action": "block", "origin": "stored"},
        "response": {"action": "redact", "origin": "stored"},
    }
    assert "reason: Social Security Number detected" in run("explain", "sys_pii_ssn")[1]


def test_an_unknown_policy_is_a_misuse(run):
    code, _, err = run("explain", "sys_pii_snn")
    assert code == MISUSED
    assert "sys_pii_snn" in err


def test_the_catalogue_itself_is_clean(run):
    assert run("lint")[:2] == (CLEAN, "\n")


def test_bench_reports_each_text_in_each_size(run):
    rows = json.loads(run("bench", "--json")[1])
    assert {(row["text"], row["size"]) for row in rows} == {
        (text, size) for text in ("benign", "hostile") for size in (100, 1_000, 10_000, 100_000)
    }
    assert all(row["ratio"] > 0 for row in rows)


RULES = """
[[rule]]
id = "falcons"
name = "Falcons"
conditions = [{field = "query", operator = "contains", value = "falcon"}]
actions = [{type = "block"}]

[[rule]]
id = "warned"
name = "Warned"
conditions = [
    {field = "query", operator = "contains", value = "falcon"},
    {field = "user.role", operator = "==", value = "boss"},
]
actions = [{type = "warn"}]

[[rule]]
id = "never"
name = "Never"
conditions = [{field = "risk_score", operator = ">", value = 5}]
actions = [{type = "block"}]

[[rule]]
id = "typo"
name = "Typo"
conditions = [{field = "user.rolle", operator = "==", value = "boss"}]
actions = [{type = "block"}]
"""


def test_rules_with_conditions_are_linted_beside_policies(run, tmp_path: Path):
    own = tmp_path / "own.toml"
    own.write_text(OWN + RULES)
    code, out, _ = run("lint", "--policies", str(own))
    assert code == FOUND
    assert "never: never_matches: risk_score greater_than 5.0 cannot hold\n" in out
    assert "warned: shadowed: falcons matches whenever it does and decides" in out
    assert "typo: invalid_rule: there is no field 'user.rolle'" in out
    found = json.loads(run("lint", "--policies", str(own), "--json")[1])
    assert [(each["policy_id"], each["problem"]) for each in found] == [
        ("never", "never_matches"),
        ("typo", "invalid_rule"),
        ("warned", "shadowed"),
    ]
    assert (found[2]["other_id"], found[2]["field"]) == ("falcons", "query")


def test_sound_rules_are_clean(run, tmp_path: Path):
    own = tmp_path / "own.toml"
    own.write_text(RULES.split("\n\n", maxsplit=1)[0])
    assert run("lint", "--policies", str(own))[:2] == (CLEAN, "\n")


def test_the_documented_file_is_one_that_the_command_takes(run, tmp_path: Path):
    page = (Path(__file__).parents[3] / "docs" / "policy-file.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    own = tmp_path / "own.toml"
    own.write_text("\n".join(blocks))
    assert run("lint", "--policies", str(own))[:2] == (CLEAN, "\n")


def test_the_documented_fields_operators_and_problems_are_those_of_the_language():
    page = (Path(__file__).parents[3] / "docs" / "policy-file.md").read_text()
    for word in (*(name.rpartition(".")[2] for name in FIELDS), *Operator, *RuleActionType, *Problem):
        assert re.search(rf"`[\w.]*{word}`", page), word
