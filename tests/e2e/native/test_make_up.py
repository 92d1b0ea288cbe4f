"""``make up`` and ``make down`` in a clean checkout, natively, with the real services on the real database.

One checkout serves the whole module, since the first ``make up`` installs everything; each test leaves it running.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from axonflow_native.places import Places
from axonflow_native.processes import ProcessRecord
from support.checkout import Checkout, temporary_checkout

SERVICES = ("agent", "orchestrator", "portal")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def everybodys_python() -> str:
    """A Python ≥ 3.11 that other accounts can run too, else the tests' own."""
    for candidate in ("/usr/bin/python3", "/usr/local/bin/python3"):
        probe = [candidate, "-c", "import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 11))"]
        if shutil.which(candidate) and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return candidate
    return getattr(sys, "_base_executable", sys.executable)


@pytest.fixture(scope="module")
def first_words() -> dict[str, str]:
    """What the first ``make up`` said."""
    return {}


@pytest.fixture(scope="module")
def checkout(first_words: dict[str, str]) -> Iterator[Checkout]:
    if shutil.which("make") is None or shutil.which("git") is None:
        pytest.skip("make or git is not installed")
    with temporary_checkout(everybodys_python()) as made:
        done = made.make("up")
        assert done.returncode == 0, done.stdout
        first_words["up"] = done.stdout
        yield made


def health(checkout: Checkout, service: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(f"{checkout.url(service)}/health", timeout=3) as answer:
            body: dict[str, Any] = json.load(answer)
            return body
    except OSError:
        return None


def until(condition: Callable[[], object], limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.1)


def pids(checkout: Checkout) -> dict[str, int]:
    return ProcessRecord(Places.of(checkout.path).processes).alive()


def test_one_line_says_which_form_runs_and_why_and_three_say_where(
    checkout: Checkout, first_words: dict[str, str]
) -> None:
    lines = first_words["up"].splitlines()
    assert [line for line in lines if "native form" in line and "since FORM=native asks for it" in line]
    ports = [checkout.ports[f"{name.upper()}_PORT"] for name in SERVICES]
    assert [line.split()[-1] for line in lines[-3:]] == [f"http://localhost:{port}" for port in ports]


def test_the_first_start_shows_what_it_installs(checkout: Checkout, first_words: dict[str, str]) -> None:
    assert checkout.path.exists()
    assert "installing the development lock" in first_words["up"]
    assert "/" in first_words["up"].split("installing the development lock", 1)[1].splitlines()[1]


def test_all_three_answer(checkout: Checkout) -> None:
    assert all(health(checkout, service) for service in SERVICES)


def test_stack_env_says_where_everything_is_and_only_to_its_owner(checkout: Checkout) -> None:
    path = checkout.path / ".run" / "stack.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said = checkout.stack_env
    assert said["FORM"] == "native"
    assert [said[f"{name.upper()}_URL"] for name in SERVICES] == [checkout.url(name) for name in SERVICES]
    with psycopg.connect(said["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_up_again_says_that_it_runs(checkout: Checkout) -> None:
    before = pids(checkout)
    done = checkout.make("up")
    assert done.returncode == 0
    assert "already running" in done.stdout
    assert pids(checkout) == before


def test_status_says_that_all_three_answer(checkout: Checkout) -> None:
    done = checkout.make("status")
    assert (done.returncode, done.stdout.count("answers")) == (0, 3), done.stdout


@pytest.mark.parametrize("victim", SERVICES)
def test_a_killed_service_is_restarted_alone_and_the_log_says_so(checkout: Checkout, victim: str) -> None:
    before = pids(checkout)
    os.kill(before[victim], signal.SIGKILL)
    until(lambda: pids(checkout).get(victim) not in {None, before[victim]})
    until(lambda: health(checkout, victim))
    after = pids(checkout)
    assert {name: pid for name, pid in after.items() if name != victim} == {
        name: pid for name, pid in before.items() if name != victim
    }
    assert f"{victim} ended (killed by SIGKILL); it alone is started again" in checkout.make("logs").stdout


def test_a_killed_database_is_restarted_and_the_services_stay(checkout: Checkout) -> None:
    before = pids(checkout)
    data = Places.of(checkout.path).state / "postgres"
    os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    until(lambda: "PostgreSQL ended; it alone is started again" in checkout.make("logs").stdout)
    until(lambda: connects(checkout.stack_env["DATABASE_URL"]))
    assert pids(checkout) == before
    until(lambda: all(health(checkout, service) for service in SERVICES))


def connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def test_down_stops_everything_and_up_has_the_same_data(checkout: Checkout) -> None:
    url = checkout.stack_env["DATABASE_URL"]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept_by_down (word text)")
        connection.execute("INSERT INTO kept_by_down VALUES ('still here')")
    done = checkout.make("down")
    assert done.returncode == 0, done.stdout
    assert "the data is kept" in done.stdout
    assert not (checkout.path / ".run" / "stack.env").exists()
    for port in checkout.ports.values():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(port)), timeout=3)
    done = checkout.make("up")
    assert done.returncode == 0, done.stdout
    with psycopg.connect(checkout.stack_env["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT DISTINCT word FROM kept_by_down").fetchall() == [("still here",)]


def test_what_a_killed_supervisor_left_behind_is_taken_over(checkout: Checkout) -> None:
    before = pids(checkout)
    os.kill(int((checkout.path / ".run" / "supervisor.pid").read_text()), signal.SIGKILL)
    done = checkout.make("up")
    assert done.returncode == 0, done.stdout
    assert "ended what a killed supervisor had left behind: agent, orchestrator, portal" in done.stdout
    assert not set(before.values()) & set(pids(checkout).values())
    assert all(health(checkout, service) for service in SERVICES)


@pytest.fixture
def stopped(checkout: Checkout) -> Iterator[Checkout]:
    assert checkout.make("down").returncode == 0
    yield checkout
    done = checkout.make("up")
    assert done.returncode == 0, done.stdout


def nothing_runs(checkout: Checkout) -> bool:
    return not pids(checkout) and not (checkout.path / ".run" / "stack.env").exists()


def test_a_taken_port_is_a_sentence_and_a_failure(stopped: Checkout) -> None:
    port = stopped.ports["PORTAL_PORT"]
    with socket.create_server(("127.0.0.1", int(port))):
        done = stopped.make("up")
    assert done.returncode != 0
    assert f"Port {port} is taken by another program. Set PORTAL_PORT to a free one" in done.stdout
    assert "Traceback" not in done.stdout
    assert nothing_runs(stopped)


def test_a_taken_database_port_names_its_variable(stopped: Checkout) -> None:
    with socket.create_server(("127.0.0.1", int(stopped.ports["POSTGRES_PORT"]))):
        done = stopped.make("up")
    assert done.returncode != 0
    assert "POSTGRES_PORT" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_setting_that_refuses_the_boot_is_a_sentence_and_a_failure(stopped: Checkout) -> None:
    done = stopped.make("up", DEPLOYMENT_MODE="prod")
    assert done.returncode != 0
    assert "DEPLOYMENT_MODE must be one of community" in done.stdout
    assert nothing_runs(stopped)


def test_a_service_that_refuses_by_itself_is_quoted_and_everything_is_stopped(stopped: Checkout) -> None:
    done = stopped.make("up", DEPLOYMENT_KIND="production")
    assert done.returncode != 0
    assert " cannot start: " in done.stdout
    assert "ORG_ID" in done.stdout, "the guard's own sentence"
    assert nothing_runs(stopped)
    assert not connects_to_port(stopped.ports["POSTGRES_PORT"])


def connects_to_port(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


@pytest.fixture(scope="module")
def neighbour(checkout: Checkout) -> Iterator[Checkout]:
    """A second checkout with the same packages installed, on ports of its own."""
    path = checkout.path.with_name("neighbour")
    shutil.copytree(checkout.path, path, symlinks=True, ignore=shutil.ignore_patterns(".run", "__pycache__"))
    rename_venv(path, str(checkout.path))
    made = Checkout(path, environ=checkout.environ)
    yield made
    made.make("down")
    if os.geteuid() == 0:
        shutil.rmtree(Places.of(path).state, ignore_errors=True)


def rename_venv(path: Path, old: str) -> None:
    """Make a copied ``.venv`` the new checkout's own, which is quicker than installing it again."""
    venv = path / ".venv"
    texts = [*venv.glob("bin/*"), *venv.rglob("*.pth"), *venv.rglob("direct_url.json"), venv / "pyvenv.cfg"]
    for text in texts:
        if text.is_file() and not text.is_symlink() and old.encode() in (content := text.read_bytes()):
            text.write_bytes(content.replace(old.encode(), str(path).encode()))
    script = "import sys; sys.path.insert(0, 'deploy/tools'); import prepare; print(prepare.venv_stamp(), end='')"
    done = subprocess.run([sys.executable, "-c", script], cwd=path, capture_output=True, text=True, check=True)
    (venv / ".stamp").write_text(done.stdout)
    (venv / ".made-at").write_text(str(path))


def test_two_checkouts_live_side_by_side(checkout: Checkout, neighbour: Checkout) -> None:
    done = neighbour.make("up")
    assert done.returncode == 0, done.stdout
    assert all(health(neighbour, service) and health(checkout, service) for service in SERVICES)
    assert neighbour.stack_env["DATABASE_URL"] != checkout.stack_env["DATABASE_URL"]
    assert neighbour.make("down").returncode == 0
    assert all(health(checkout, service) for service in SERVICES)


def test_an_ordinary_user_can_run_it_too(neighbour: Checkout) -> None:
    if os.geteuid() != 0:
        pytest.skip("every other test here has just done that: the tests do not run as root")
    account = pwd.getpwnam("nobody")
    python = neighbour.path / ".venv" / "bin" / "python"
    identity: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    for folder, folders, files in os.walk(neighbour.path.parent / "neighbour"):
        for name in (folder, *(f"{folder}/{inner}" for inner in folders + files)):
            os.chown(name, account.pw_uid, account.pw_gid, follow_symlinks=False)
    if subprocess.run([python, "-c", ""], check=False, capture_output=True, cwd="/", **identity).returncode:
        pytest.skip("the only Python ≥ 3.11 of this machine lies where other users cannot run it")
    shutil.rmtree(Places.of(neighbour.path).state, ignore_errors=True)  # root's, of the test before
    home = neighbour.path / "home"
    home.mkdir()
    os.chown(home, account.pw_uid, account.pw_gid)
    environ = {**neighbour.environ, "HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    theirs = dataclasses.replace(neighbour, account=account, environ=environ)
    try:
        done = theirs.make("up")
        assert done.returncode == 0, done.stdout
        assert all(health(theirs, service) for service in SERVICES)
        assert (home / "state" / "axonflow").is_dir()
        assert not Places.of(theirs.path).state.exists(), "root's place was not touched"
    finally:
        assert theirs.make("down").returncode == 0
