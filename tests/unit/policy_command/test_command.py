"""``axonflow-policy`` as a person and as a CI job meet it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
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


@pytest.mark.parametrize("text", ["[[policy]]\nid = 7", "not toml = =", "[[policy]]\nid = 'x'\nsurprise = 1"])
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
