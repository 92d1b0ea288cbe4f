"""A container engine and a compose command for the length of one test run.

An engine that answers is used as it is. Where none does, root on Debian gets one of its own: its own data, its own
socket, and nothing of it left afterwards. It never touches an engine that it did not start.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ENGINE_PACKAGES = ("docker.io", "debootstrap", "iptables")
ASK_TIMEOUT_S = 20.0
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
LOCK = Path("/run/lock/axonflow-engine.lock")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


class NoEngine(Exception):
    """This machine has no container engine and cannot be given one; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Engine:
    """What it takes to run ``docker`` and compose: ``own`` is true when the engine ends with the run."""

    environment: Mapping[str, str]
    compose: tuple[str, ...]
    own: bool

    def docker(self, *arguments: str, check: bool = True) -> str:
        """Run ``docker``; returns what it printed.

        Raises:
            subprocess.CalledProcessError: it failed and ``check`` is true.
        """
        done = subprocess.run(
            ["docker", *arguments], env=self.environment, check=check, text=True, stdout=subprocess.PIPE
        )
        return done.stdout.strip()


@contextlib.contextmanager
def open_engine(environ: Mapping[str, str]) -> Iterator[Engine]:
    """The engine that answers, else one started for this run.

    Raises:
        NoEngine: there is none and this machine cannot start one.
    """
    # The classic builder needs neither buildx nor a front end from a registry; the Dockerfiles keep to its subset.
    environment = {**environ, "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}
    if _answers(environment):
        yield Engine(environment, _compose_command(environment), own=False)
        return
    install(ENGINE_PACKAGES, "no container engine answers")
    with _own_engine() as socket:
        environment["DOCKER_HOST"] = f"unix://{socket}"
        environment.pop("DOCKER_CONTEXT", None)
        yield Engine(environment, _compose_command(environment), own=True)


def _answers(environment: Mapping[str, str]) -> bool:
    # A client without an engine may end with 0 all the same: a field of the server says more.
    return bool(_said(["docker", "info", "--format", "{{.ServerVersion}}"], environment))


def _said(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What a command printed; nothing when it is not there, fails or hangs."""
    try:
        done = subprocess.run(
            command, env=environment, check=False, text=True, capture_output=True, timeout=ASK_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _compose_command(environment: Mapping[str, str]) -> tuple[str, ...]:
    """``docker compose``, else Debian's ``docker-compose`` 1.29: a package, where the plugin is a long build."""
    for command in (("docker", "compose"), ("docker-compose",)):
        if _said([*command, "version"], environment):
            return command
    install(("docker-compose",), "`docker compose` is missing")
    return ("docker-compose",)


def install(packages: Sequence[str], why: str) -> None:
    """Have Debian's packages; ``why`` begins the sentence that says so.

    Raises:
        NoEngine: they are missing and cannot be installed here.
    """
    missing = [name for name in packages if not _installed(name)]
    if not missing:
        return
    if shutil.which("apt-get") is None or not Path("/etc/debian_version").exists():
        raise NoEngine(f"{why}, and only Debian can be given one ({', '.join(missing)})")
    if os.geteuid() != 0:
        raise NoEngine(f"{why}, and installing {', '.join(missing)} needs root")
    print(f"test-compose: {why}: installing {', '.join(missing)}", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        done = subprocess.run(
            ["apt-get", "-q", *command],
            env=quiet,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode != 0:
            raise NoEngine(f"{why}, and apt-get {command[0]} failed: {done.stdout.strip().splitlines()[-1:]}")


def _installed(package: str) -> bool:
    return _said(["dpkg-query", "--show", "--showformat=${db:Status-Status}", package], os.environ) == "installed"


@contextlib.contextmanager
def _own_engine() -> Iterator[Path]:
    """Run ``dockerd`` on its own data and socket; afterwards the machine's network is as it was."""
    if os.geteuid() != 0:
        raise NoEngine("no container engine answers, and starting dockerd needs root")
    with contextlib.ExitStack() as undone:
        undone.enter_context(_only_one())
        home = Path(tempfile.mkdtemp(prefix="axonflow-engine-", dir="/var/tmp"))  # /tmp may be memory
        undone.callback(_remove, home)
        undone.enter_context(_network_restored())
        daemon = _start(home)
        undone.callback(_stop, daemon)
        _await_start(daemon, home)
        yield home / "docker.sock"


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Wait for another run's engine to end: two would share one bridge and one packet filter, and undo each other's."""
    with LOCK.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("test-compose: another run has an engine on this machine: waiting for its end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start(home: Path) -> subprocess.Popen[bytes]:
    # When this process is killed outright, the engine ends too.
    command = ["setpriv", "--pdeathsig", "TERM", "dockerd", "--host", f"unix://{home}/docker.sock"]
    command += ["--pidfile", f"{home}/dockerd.pid", "--data-root", f"{home}/data", "--exec-root", f"{home}/run"]
    with (home / "dockerd.log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def _await_start(daemon: subprocess.Popen[bytes], home: Path) -> None:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{home}/docker.sock"}
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(environment):
        if daemon.poll() is not None or time.monotonic() > deadline:
            last = (home / "dockerd.log").read_text(errors="replace").strip().splitlines()[-1:]
            raise NoEngine(f"no container engine answers, and dockerd did not start here: {' '.join(last)}")
        time.sleep(0.3)
    print("test-compose: started an engine for this run", flush=True)


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        # Its containerd and shims are in the session that was made for it.
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()


def _remove(home: Path) -> None:
    """Delete the engine's folder; mounts that a killed engine left in it are undone first."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((path for path in mounts if path.startswith(f"{home}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _network_restored() -> Iterator[None]:
    """Put packet filter, forwarding and bridge back as they were: dockerd changes them and leaves them changed."""
    rules = {family: _saved_rules(family) for family in ("iptables", "ip6tables")}
    forwarding = FORWARDING.read_text()
    links = _engine_links()
    try:
        yield
    finally:
        for family, saved in rules.items():
            subprocess.run([f"{family}-restore"], input=saved, text=True, check=False, capture_output=True)
        FORWARDING.write_text(forwarding)
        for link in _engine_links() - links:
            subprocess.run(["ip", "link", "delete", link], check=False, capture_output=True)


def _engine_links() -> set[str]:
    """Bridges that a Docker engine made, by the names it gives them."""
    return {
        link.name for link in Path("/sys/class/net").iterdir() if re.fullmatch(r"docker0|br-[0-9a-f]{12}", link.name)
    }


def _saved_rules(family: str) -> str:
    """The rules of the tables that dockerd writes to; one not in use yet is saved as empty, so restoring empties it."""
    saved = subprocess.run([f"{family}-save"], check=False, text=True, capture_output=True).stdout
    for table, chains in (("filter", "INPUT FORWARD OUTPUT"), ("nat", "PREROUTING INPUT OUTPUT POSTROUTING")):
        if f"*{table}\n" not in saved:
            policies = "".join(f":{chain} ACCEPT\n" for chain in chains.split())
            saved += f"*{table}\n{policies}COMMIT\n"
    return saved
