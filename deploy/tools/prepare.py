"""Makes what ``make`` stands on: ``.venv`` from the hashed lock, and the SDKs of the contract tests under ``.tools``.

Each piece carries a stamp of what it was made from and is made again only when that changes. Runs on a bare Python;
two that run at once wait for each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
TOOLS = ROOT / ".tools"
LOCKS = ROOT / "requirements"
DEV_LOCK = LOCKS / "dev.txt"
NODE_TESTS = (ROOT / "tests" / "contract" / "openai" / "node", ROOT / "tests" / "e2e" / "portal")
SDKS = ("sdk-openai-2", "sdk-openai-newest", "sdk-axonflow-8.3", "sdk-axonflow-8.4", "framework-langchain")
FRAMEWORKS = ("framework-litellm", "framework-litellm-newest", "framework-crewai")  # large, and not part of every run


class CannotPrepare(Exception):
    """What stands in the way, as a sentence that says what to do."""


def say(text: str) -> None:
    """One line to whoever waits."""
    print(f"axonflow: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the checkout's lock; says so when another process has it."""
    path = ROOT / ".run" / "prepare.lock"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle = path.open("w")
    except PermissionError as error:
        raise CannotPrepare(
            f"{error.filename} belongs to another user: run as that user, or `make clean` as them"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another make is installing; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def digest(*parts: bytes) -> str:
    """A stamp of ``parts``, each held apart by its length."""
    total = hashlib.sha256()
    for part in parts:
        total.update(f"{len(part)}:".encode() + part)
    return total.hexdigest()


def is_fresh(stamp: Path, wanted: str) -> bool:
    """Whether ``stamp`` was written by a finished run over the same inputs."""
    try:
        return stamp.read_text(encoding="utf-8") == wanted
    except OSError:
        return False


def our_packages() -> list[Path]:
    """The folders of the workspace's packages."""
    return sorted(
        project.parent
        for pattern in ("libs/*", "services/*", "deploy/native")
        for project in ROOT.glob(pattern + "/pyproject.toml")
    )


def venv_stamp() -> str:
    """What ``.venv`` is made from: the development lock and what our packages declare.

    It holds the checkout's path too, since scripts and editable installs carry it: a copied ``.venv`` is made anew.
    """
    declared = [(folder / "pyproject.toml").read_bytes() for folder in our_packages()]
    return digest(str(ROOT).encode(), DEV_LOCK.read_bytes(), *declared)


def prepare_venv() -> None:
    """Bring ``.venv`` to the development lock, with our packages editable."""
    stamp, wanted, made_at = VENV / ".stamp", venv_stamp(), VENV / ".made-at"
    if is_fresh(stamp, wanted) and PYTHON.exists():
        return
    if not (is_fresh(made_at, str(ROOT)) and runs_pip()):
        make_venv()
        made_at.write_text(str(ROOT), encoding="utf-8")
    stamp.unlink(missing_ok=True)
    pip_install("the development lock", "--require-hashes", "-r", str(DEV_LOCK), total=locked(DEV_LOCK))
    projects = our_packages()
    editables = [word for project in projects for word in ("-e", str(project))]
    pip_install("our own packages", "--no-deps", "--no-build-isolation", *editables, total=len(projects))
    stamp.write_text(wanted, encoding="utf-8")


def runs_pip() -> bool:
    """Whether the environment is whole enough to install into."""
    try:
        return subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_venv() -> None:
    """A new, empty ``.venv``.

    Raises:
        CannotPrepare: this Python lacks ``venv`` or ``ensurepip``, as Debian's does without ``python3-venv``.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise CannotPrepare(
            f"{sys.executable} (Python {version}) cannot make virtual environments, since its {error.name} module is "
            f"missing. On Debian or Ubuntu: `apt-get install python3-venv` (or python{version}-venv). Elsewhere name a "
            "complete Python: PYTHON=/path/to/python3.11 make ..."
        ) from error
    say(f"making .venv with Python {version} ({sys.executable})")
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotPrepare(f"python -m venv failed:\n{done.stdout}{done.stderr}")


def locked(lock: Path) -> int:
    """How many distributions a lock names."""
    return len(re.findall(r"^[a-z0-9][a-z0-9._-]*==", lock.read_text(encoding="utf-8"), re.MULTILINE))


def pip_install(what: str, *arguments: str, total: int) -> None:
    """Run pip, showing how far it is.

    Raises:
        CannotPrepare: pip failed; its last lines are in the message.
    """
    say(f"installing {what}: {total} packages")
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *arguments]
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment.pop("PYTHONPATH", None)
    last: list[str] = []
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        if running.stdout is None:  # pragma: no cover - PIPE was asked for
            raise CannotPrepare("pip gave no output to read")
        seen = 0
        for line in running.stdout:
            last = [*last[-14:], line]
            if line.startswith(("Collecting ", "Obtaining ")):
                seen += 1
                show_progress(seen, total, line.split()[1])
            elif line.startswith("Installing collected"):
                show_progress(total, total, "unpacking")
        end_progress()
    if running.returncode:
        raise CannotPrepare(f"pip could not install {what}:\n{''.join(last)}")


def show_progress(done: int, total: int, name: str) -> None:
    """A line that counts in place on a terminal, and every tenth step elsewhere."""
    text = f"  {min(done, total)}/{total} {name.split('==', maxsplit=1)[0].rsplit('/', 1)[-1]}"
    if sys.stderr.isatty():
        print(f"\r{text:<60.60}", end="", file=sys.stderr, flush=True)
    elif done % 10 == 0 or done == total:
        print(text, file=sys.stderr, flush=True)


def end_progress() -> None:
    """Leave the counting line."""
    if sys.stderr.isatty():
        print(file=sys.stderr, flush=True)


def prepare_sdk(name: str) -> None:
    """Install a locked SDK of the contract tests in a folder of its own, out of the way of our packages."""
    lock, target = LOCKS / f"{name}.txt", TOOLS / name
    stamp, wanted = TOOLS / f"{name}.stamp", digest(lock.read_bytes())
    if is_fresh(stamp, wanted) and target.is_dir():
        return
    TOOLS.mkdir(exist_ok=True)
    building = TOOLS / f"{name}.new"
    shutil.rmtree(building, ignore_errors=True)
    pip_install(name, "--require-hashes", "--target", str(building), "-r", str(lock), total=locked(lock))
    shutil.rmtree(target, ignore_errors=True)
    building.rename(target)
    stamp.write_text(wanted, encoding="utf-8")


def prepare_node(folder: Path) -> None:
    """``npm ci`` in a folder of tests; without node or npm nothing is done, and the tests that miss it say so."""
    lock, npm = folder / "package-lock.json", shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return
    TOOLS.mkdir(exist_ok=True)
    name = "-".join(folder.relative_to(ROOT / "tests").parts)
    stamp, wanted = TOOLS / f"node-{name}.stamp", digest(str(ROOT).encode(), lock.read_bytes())
    if is_fresh(stamp, wanted) and (folder / "node_modules").is_dir():
        return
    say(f"installing what tests/{folder.relative_to(ROOT / 'tests')} needs of node's packages")
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"npm ci failed, the tests that need it will be skipped:\n{done.stderr[-800:]}")
        return
    stamp.write_text(wanted, encoding="utf-8")


def prepare_rust() -> None:
    """Build the driver of the SDK for Rust, outside the tree since its lock names a registry; not without cargo."""
    source, target, cargo = ROOT / "tests" / "contract" / "rust", TOOLS / "rust-sdk", shutil.which("cargo")
    if cargo is None:
        return
    stamp = TOOLS / "rust-sdk.stamp"
    wanted = digest((source / "Cargo.toml").read_bytes(), (source / "src" / "main.rs").read_bytes())
    if is_fresh(stamp, wanted):
        return
    say("building the driver of the SDK for Rust")
    (target / "src").mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "Cargo.toml", target)
    shutil.copy(source / "src" / "main.rs", target / "src")
    done = subprocess.run([cargo, "build", "--quiet"], cwd=target, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"cargo build failed, the tests that need it will be skipped:\n{done.stderr[-800:]}")
        return
    stamp.write_text(wanted, encoding="utf-8")


def main(pieces: list[str]) -> int:
    """Prepare the venv, with ``tests`` also the SDKs, with ``frameworks`` the large frameworks too.

    Returns:
        1, with a sentence said, when that is impossible.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what finds out
        say("Python 3.11 or newer is needed")
        return 1
    try:
        with one_at_a_time():
            prepare_venv()
            if "tests" in pieces:
                for name in SDKS:
                    prepare_sdk(name)
                for folder in NODE_TESTS:
                    prepare_node(folder)
            if "frameworks" in pieces:
                for name in FRAMEWORKS:
                    prepare_sdk(name)
                prepare_rust()
    except CannotPrepare as refusal:
        say(str(refusal))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
