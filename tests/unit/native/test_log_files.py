"""What a service said last, and logs that do not fill the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axonflow_native.log_files import last_sentence, limit_size, show, spoken_last


def test_the_last_line_that_says_something_is_the_sentence(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("starting\nDEPLOYMENT_MODE must be one of …\n\n  \n")
    assert last_sentence(log) == "DEPLOYMENT_MODE must be one of …"


def test_a_json_line_gives_its_message_and_the_end_of_its_error() -> None:
    line = json.dumps({"message": "cannot migrate", "error": "Traceback\n  File x\nMigrationError: 094 refuses"})
    assert spoken_last([line]) == "cannot migrate: MigrationError: 094 refuses"


@pytest.mark.parametrize("line", ["[1, 2]", '{"level": "info"}', "{broken"])
def test_a_line_without_a_message_is_shown_whole(line: str) -> None:
    assert spoken_last([line]) == line


def test_an_earlier_run_does_not_speak_for_this_one(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("the run before failed\n")
    assert not last_sentence(log, since=log.stat().st_size)


def test_a_missing_log_says_nothing(tmp_path: Path) -> None:
    assert not last_sentence(tmp_path / "missing")


def test_a_full_log_is_set_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with log.open("ab") as writer:
        writer.write(b"a" * 100)
        writer.flush()
        assert limit_size(log, limit_bytes=50)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    assert (tmp_path / "x.log.1").read_bytes() == b"a" * 100


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("short")
    assert not limit_size(log)
    assert log.read_text() == "short"


def test_every_line_is_shown_with_its_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "agent.log").write_text("one\ntwo\n")
    show({"agent": tmp_path / "agent.log", "portal": tmp_path / "portal.log"}, follow=False)
    assert capsys.readouterr().out.splitlines() == ["agent  | one", "agent  | two"]
