"""The embedded PostgreSQL starts, stops and keeps its data, and says what is wrong when it cannot."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from axonflow_native import postgres as embedded
from axonflow_native.postgres import EmbeddedPostgres, PostgresError
from support.postgres import Server, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


def rows(server: Server) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url("postgres")) as connection:
        return connection.execute("SELECT n FROM kept ORDER BY n").fetchall()


def keep(server: Server, number: int) -> None:
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (%s)", (number,))


def test_data_survive_a_stop_a_crash_and_a_kill(server: Server) -> None:
    for number, end in enumerate((server.stop, lambda: server.stop("immediate"), server.kill)):
        keep(server, number)
        end()
        server.start()
    assert rows(server) == [(0,), (1,), (2,)]


def test_starting_a_running_server_changes_nothing(server: Server) -> None:
    with psycopg.connect(server.url("postgres")) as connection:
        server.start()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_new_port_takes_effect_at_the_next_start(server: Server) -> None:
    keep(server, 9)
    with running_server() as neighbour:
        free = neighbour.postgres.port
    here = server.postgres
    moved = Server(EmbeddedPostgres(here.data_dir, free, here.password_file, fsync=False, binaries=here.binaries))
    moved.start()
    assert (9,) in rows(moved)
    server.start()


def test_a_taken_port_is_said_with_the_variable_to_set(server: Server, tmp_path: Path) -> None:
    here = server.postgres
    second = EmbeddedPostgres(tmp_path / "data", here.port, tmp_path / "password", binaries=here.binaries)
    with pytest.raises(PostgresError, match=rf"port {here.port} .* is taken.*set POSTGRES_PORT"):
        second.start()
    assert not second.data_dir.exists()


def test_a_wrong_password_is_refused(server: Server) -> None:
    wrong = server.url("postgres").replace(server.postgres.password_file.read_text(), "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_password_and_the_data_are_closed_to_others(server: Server) -> None:
    here = server.postgres
    assert stat.S_IMODE(here.password_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(here.data_dir.stat().st_mode) == 0o700


def test_the_server_never_runs_as_root(server: Server) -> None:
    owner = server.postgres.data_dir.stat().st_uid
    assert owner != 0
    assert os.geteuid() in {0, owner}


def test_a_lost_password_file_is_named(server: Server) -> None:
    here = server.postgres
    server.stop()
    hidden = here.password_file.rename(here.password_file.with_name("hidden"))
    with pytest.raises(PostgresError, match=r"password file .* is gone"):
        server.start()
    hidden.rename(here.password_file)
    server.start()


def test_half_a_cluster_from_a_killed_start_is_made_anew(server: Server) -> None:
    here = server.postgres
    data = here.data_dir.with_name("second")
    data.with_name("second.new").mkdir()
    (data.with_name("second.new") / "PG_VERSION").write_text("18")
    server.stop()
    second = EmbeddedPostgres(data, here.port, here.password_file, fsync=False, binaries=here.binaries)
    second.start()
    assert second.running
    second.stop()
    server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another account")
def test_data_where_the_account_cannot_enter_are_refused_by_root(server: Server, tmp_path: Path) -> None:
    with running_server() as neighbour:
        free = neighbour.postgres.port
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(PostgresError, match="cannot enter"):
        EmbeddedPostgres(closed / "data", free, closed / "password").start()


def test_binaries_are_found_without_importing_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with warnings.catch_warnings(action="error"):
        assert (embedded.embedded_binaries() / "postgres").is_file()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another account")
def test_binaries_below_a_closed_directory_are_copied_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(embedded, "SYSTEM_STATE", tmp_path)
    monkeypatch.setattr(embedded, "_open_to_others", lambda _path: False)
    copied = embedded.embedded_binaries()
    assert copied.is_relative_to(tmp_path)
    assert (copied / "postgres").stat().st_mode & 0o055 == 0o055
    before = (copied / "postgres").stat().st_ino
    assert embedded.embedded_binaries() == copied
    assert (copied / "postgres").stat().st_ino == before
