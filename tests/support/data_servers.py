"""Real servers for connector tests: MariaDB and Redis of the machine, small ones in the process for S3 and Slack."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PASSWORD = "a-pass'word\\with\"quotes"
START_WAIT_S = 30.0

_MARIADB_TABLES = ("mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data")
_MARIADB_SETUP = r"""
CREATE DATABASE shop;
CREATE USER 'caller'@'127.0.0.1' IDENTIFIED BY 'a-pass\'word\\with"quotes';
GRANT ALL ON shop.* TO 'caller'@'127.0.0.1';
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def binary(name: str, package: str) -> str:
    """The path of a server's binary, or a skip that says how to have it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: `apt-get install {package}` as root")
    return found


@contextlib.contextmanager
def running_redis(*options: str) -> Iterator[int]:
    """A Redis with a password and nothing kept; further lines of its configuration make it listen with TLS."""
    server = binary("redis-server", "redis-server")
    with tempfile.TemporaryDirectory(prefix="axonflow-redis-") as folder:
        port, escaped = free_port(), PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        ports = ["port 0", f"tls-port {port}"] if options else [f"port {port}"]
        lines = ["bind 127.0.0.1", 'save ""', "appendonly no", f"dir {folder}", f'requirepass "{escaped}"', *ports]
        file = Path(folder) / "redis.conf"
        file.write_text("\n".join([*lines, *options]) + "\n", encoding="utf-8")
        with _process([server, str(file)], port):
            yield port


@contextlib.contextmanager
def running_mariadb(*options: str) -> Iterator[int]:
    """A MariaDB with a database ``shop`` and a login ``caller``; gives its port."""
    server = binary("mariadbd", "mariadb-server-core")
    with tempfile.TemporaryDirectory(prefix="axonflow-mariadb-") as folder:
        data, setup, port = Path(folder) / "data", Path(folder) / "setup.sql", free_port()
        setup.write_text("".join(line + "\n" for line in _MARIADB_SETUP.strip().splitlines()), encoding="utf-8")
        data.mkdir()
        # what mariadb-install-db does, less the help texts
        tables = [Path(f"/usr/share/mysql/{name}.sql").read_bytes() for name in _MARIADB_TABLES]
        made = subprocess.run(
            [server, "--no-defaults", "--bootstrap", f"--datadir={data}", "--user=root", "--skip-log-bin"],
            input=b"\n".join([b"CREATE DATABASE mysql;\nUSE mysql;", *tables]),
            capture_output=True,
        )
        assert made.returncode == 0, made.stderr.decode()[-2000:]
        command = [server, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1"]
        command += [f"--socket={folder}/s", "--user=root", "--skip-name-resolve", f"--init-file={setup}"]
        command += ["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]
        with _process([*command, *options], port):
            yield port


@contextlib.contextmanager
def _process(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield
    finally:
        process.kill()  # nothing is kept, and an orderly end takes seconds
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_WAIT_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"{process.args!r} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(f"{process.args!r} did not listen on {port}")
