"""Migrations are applied once whoever boots, a failed one is named and undone, and the guard is asked at every boot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from axonflow_database import MigrationError, migrate
from axonflow_database.migrate import MIGRATIONS
from psycopg import sql
from support.postgres import Server, service_settings

TESTS = Path(__file__).parents[2]
APPLIED = "SELECT migration_id, count(*) FROM _yoyo_log WHERE operation = 'apply' GROUP BY 1 ORDER BY 1"
NAMES = sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
OWNER_PASSWORD = "made-up"

SECRETS = "SELECT name, value FROM deployment_secrets ORDER BY name"


def migrator(url: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-m", "support.migrator", *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


def fetch(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def write(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        (directory / f"{name}.sql").write_text(text)
    return directory


def test_three_services_that_boot_at_once_apply_each_migration_once(empty_database_url: str) -> None:
    for process in [migrator(empty_database_url) for _ in range(3)]:
        finish(process)
    assert fetch(empty_database_url, APPLIED) == [(name, 1) for name in NAMES]
    made = "SELECT name, count(*) FROM deployment_secrets GROUP BY name ORDER BY name"
    assert [count for _, count in fetch(empty_database_url, made)] == [1, 1], "one of each, whoever came first"


def test_two_databases_of_one_server_may_be_migrated_at_once(postgres_server: Server) -> None:
    with postgres_server.database(template=None) as one, postgres_server.database(template=None) as two:
        for process in [migrator(one), migrator(two)]:
            finish(process)
        assert fetch(one, APPLIED) == fetch(two, APPLIED)


def test_a_second_boot_changes_nothing(database_url: str) -> None:
    before = fetch(database_url, APPLIED), fetch(database_url, SECRETS)
    migrate(service_settings(database_url))
    assert (fetch(database_url, APPLIED), fetch(database_url, SECRETS)) == before


def test_a_crash_between_the_work_and_its_mark_is_mended_by_the_next_boot(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM _yoyo_migration")
    migrate(service_settings(database_url))
    assert {name for (name,) in fetch(database_url, "SELECT migration_id FROM _yoyo_migration")} == set(NAMES)


def test_a_killed_migrator_leaves_no_lock_behind(empty_database_url: str, tmp_path: Path) -> None:
    directory = write(tmp_path, **{"001_slow": "CREATE TABLE half (n int);\n\nSELECT pg_sleep(60);"})
    killed = migrator(empty_database_url, str(directory))
    with psycopg.connect(empty_database_url, autocommit=True) as watch:
        busy = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%'"
        while watch.execute(busy).fetchone() is None:
            assert killed.poll() is None
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        watch.execute(busy.replace("SELECT 1", "SELECT pg_terminate_backend(pid)"))
    finish(migrator(empty_database_url, str(MIGRATIONS)))
    assert fetch(empty_database_url, "SELECT to_regclass('half') IS NULL") == [(True,)]


def test_a_failing_migration_is_named_and_undone_and_those_before_it_stay(
    empty_database_url: str, tmp_path: Path
) -> None:
    settings = service_settings(empty_database_url)
    write(tmp_path, **{"001_good": "CREATE TABLE good (n int);"})
    write(tmp_path, **{"002_bad": "CREATE TABLE half (n int);\n\nINSERT INTO missing VALUES (1);"})
    write(tmp_path, **{"003_never": "CREATE TABLE never (n int);"})
    with pytest.raises(MigrationError, match=r'migration 002_bad failed and was undone \(relation "missing" does not'):
        migrate(settings, directory=tmp_path)
    tables = fetch(empty_database_url, "SELECT relname FROM pg_class WHERE relname IN ('good', 'half', 'never')")
    assert tables == [("good",)]


def test_a_migration_that_cannot_have_its_lock_gives_up(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("axonflow_database.backend").backend.SESSION_SETTINGS, "lock_timeout", "100ms")
    write(tmp_path, **{"101_busy": "ALTER TABLE clients ADD COLUMN note text;"})
    with psycopg.connect(database_url) as busy:
        busy.execute("SELECT * FROM clients")
        with pytest.raises(MigrationError, match="101_busy waited too long for a lock"):
            migrate(service_settings(database_url), directory=tmp_path)


def test_a_wrong_password_is_said_at_once_and_not_repeated(postgres_server: Server) -> None:
    url = postgres_server.url("postgres").replace(postgres_server.postgres.password_file.read_text(), "sesame")
    with pytest.raises(MigrationError, match="password authentication failed") as refusal:
        migrate(service_settings(url), connect_wait_s=60)
    assert "sesame" not in str(refusal.value)


def test_a_role_that_bypasses_row_security_stops_the_boot(postgres_server: Server, database_url: str) -> None:
    postgres_server.execute(sql.SQL("ALTER ROLE axonflow_app BYPASSRLS"))
    try:
        with pytest.raises(MigrationError, match="ALTER ROLE axonflow_app NOSUPERUSER NOBYPASSRLS"):
            migrate(service_settings(database_url))
    finally:
        postgres_server.execute(sql.SQL("ALTER ROLE axonflow_app NOBYPASSRLS"))


# --- an owner that is no superuser, as managed databases give ---


@pytest.fixture
def plain_owner_url(postgres_server: Server) -> Iterator[str]:
    name = f"owner_{os.getpid()}"
    role, password = sql.Identifier(name), sql.Literal(OWNER_PASSWORD)
    postgres_server.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(role, password))
    for ours in ("axonflow_app", "axonflow_audit_writer", "axonflow_platform"):
        # made by the superuser of this server; where this owner made them itself, it may do this itself
        postgres_server.execute(
            sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(sql.Identifier(ours), role),
        )
    with postgres_server.database(template=None) as url:
        database = sql.Identifier(url.rsplit("/", 1)[1])
        postgres_server.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role))
        here = postgres_server.postgres
        yield f"postgresql://{name}:{OWNER_PASSWORD}@127.0.0.1:{here.port}/{url.rsplit('/', 1)[1]}"
    postgres_server.execute(sql.SQL("DROP ROLE {}").format(role))


def test_an_owner_that_is_no_superuser_can_migrate_and_gives_rows_their_owner(plain_owner_url: str) -> None:
    migrate(service_settings(plain_owner_url))
    with psycopg.connect(plain_owner_url) as owner:
        owner.execute(
            "INSERT INTO audit_logs (org_id, created_at, id, decision_id, plane, verdict) "
            "VALUES ('', now(), '1', 'd', 'agent', 'allowed')"
        )
        owner.execute("DELETE FROM _yoyo_migration")
    migrate(service_settings(plain_owner_url, ORG_ID="acme"))
    with psycopg.connect(plain_owner_url) as owner:
        owner.execute("SET ROLE axonflow_app")
        owner.execute("SET app.current_org_id = 'acme'")
        assert owner.execute("SELECT id FROM audit_logs").fetchall() == [("1",)]
