"""House rules that a machine can count: versions, docstrings, sizes, addresses, borders of SQL, documented commands."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE, LONGEST_FUNCTION = 400, 40
SHIPPED = ("libs/", "services/", "deploy/", "requirements/", "docs/")
# Hosts of package registries, put together here so that this file does not name one.
REGISTRIES = re.compile(
    "|".join(
        rf"\b{name}\.{end}\b"
        for name, end in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "(?:org|com)"),
            ("crates", "io"),
            ("proxy.golang", "org"),
            ("deb.debian", "org"),
            ("repo1?.maven", "(?:org|apache)"),
        )
    )
)


def tracked(*patterns: str) -> list[str]:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("this is no git checkout, so what belongs to the repository is unknown")
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def python_files() -> list[str]:
    return tracked("*.py")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def packages() -> dict[str, dict[str, object]]:
    found = {name: tomllib.loads(text_of(name)) for name in tracked("*/pyproject.toml")}
    assert len(found) >= 15
    return found


def test_every_package_carries_the_same_version() -> None:
    versions = {name: project["project"]["version"] for name, project in packages().items()}  # type: ignore[index]
    assert set(versions.values()) == {"8.4.0"}, versions


def test_every_package_asks_for_the_python_that_the_house_promises() -> None:
    asked = {name: project["project"]["requires-python"] for name, project in packages().items()}  # type: ignore[index]
    assert set(asked.values()) == {">=3.11"}, asked


def test_every_package_of_the_tree_belongs_to_the_workspace() -> None:
    members = tomllib.loads(text_of("pyproject.toml"))["tool"]["uv"]["workspace"]["members"]
    folders = {str(Path(name).parent) for name in packages()}
    assert folders == {str(path.relative_to(ROOT)) for member in members for path in ROOT.glob(member) if path.is_dir()}


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name in python_files() if not ast.get_docstring(ast.parse(text_of(name)))]
    assert silent == []


def test_no_file_is_longer_than_one_purpose_needs() -> None:
    long = {name: lines for name in python_files() if (lines := text_of(name).count("\n")) > LONGEST_FILE}
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{name}:{node.lineno} {node.name}": lines
        for name in python_files()
        if name.startswith(SHIPPED)
        for node in ast.walk(ast.parse(text_of(name)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := body_lines(node)) > LONGEST_FUNCTION
    }
    assert long == {}


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    end = node.end_lineno or node.lineno
    lines = end - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_no_file_names_a_package_registry() -> None:
    naming = [name for name in tracked() if REGISTRIES.search(text_of(name))]
    assert naming == []


def test_no_file_names_a_place_of_the_machine_it_was_written_on() -> None:
    here = "/" + "work" + "/"
    assert [name for name in tracked() if here in text_of(name)] == []


def test_locks_are_hashed_and_carry_no_address() -> None:
    locks = tracked("requirements/*.txt")
    assert len(locks) >= 6
    for name in locks:
        lines = [line.strip() for line in text_of(name).splitlines() if line.strip() and not line.startswith("#")]
        assert not [line for line in lines if "://" in line or line.startswith("--index")], name
        pinned = [line for line in lines if not line.startswith("--hash=")]
        assert pinned, name
        assert all("==" in line and line.endswith("\\") for line in pinned), name


def test_a_services_lock_holds_nothing_but_what_the_development_lock_holds() -> None:
    wanted = set(pins("requirements/dev.txt"))
    for service in ("agent", "orchestrator", "portal"):
        assert set(pins(f"requirements/{service}.txt")) <= wanted, service


def pins(name: str) -> list[str]:
    return re.findall(r"^[a-z0-9][^\s;]*==[^\s;]+", text_of(name), re.MULTILINE)


def test_the_lock_that_carries_addresses_is_never_written() -> None:
    assert tracked("uv.lock", "**/uv.lock") == []
    assert not (ROOT / "uv.lock").exists()


def test_the_database_driver_appears_only_where_sql_may_stand() -> None:
    def allowed(name: str) -> bool:
        if name == "libs/connectors/src/axonflow_connectors/postgres.py":
            return True  # speaks to databases of tenants, never to ours
        return Path(name).name == "store.py" or name.startswith(("libs/database/", "libs/audit/", "tests/"))

    importing = [name for name in python_files() if not allowed(name) and "psycopg" in imported(name)]
    assert importing == []


def imported(name: str) -> set[str]:
    """Top-level names that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text_of(name))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def make_help() -> str:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    return subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_help_is_what_make_says_by_itself_and_it_is_grouped() -> None:
    said = make_help()
    bare = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert bare == said
    assert [line for line in said.splitlines() if line in {"Run", "Test", "Work on it"}] == [
        "Run",
        "Test",
        "Work on it",
    ]


def test_help_lists_every_target() -> None:
    targets = set(re.findall(r"^\.PHONY: (\S+)$", text_of("Makefile"), re.MULTILINE))
    listed = set(re.findall(r"^  ([a-z][a-z0-9-]*) +\S", make_help(), re.MULTILINE))
    asked_for = {"up", "down", "logs", "status", "test", "check", "lock", "bench", "test-compose", "test-pg15", "clean"}
    assert asked_for <= targets
    assert listed == targets


def test_every_make_command_that_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^\.PHONY: (\S+)$", text_of("Makefile"), re.MULTILINE))
    named = {
        target: name
        for name in tracked("*.md", ".ci/run")
        for target in re.findall(r"(?:^|`|\$ )make ([a-z][a-z0-9-]*)", text_of(name), re.MULTILINE)
    }
    assert {"up", "test"} <= set(named), "the README opens with the two commands"
    assert {target: name for target, name in named.items() if target not in targets} == {}


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert re.search(r"^\$ make test\b", text_of("README.md"), re.MULTILINE)
    assert re.search(r"^run make test\b", text_of(".ci/run"), re.MULTILINE)


def test_the_settings_reference_is_what_the_code_says() -> None:
    command = [sys.executable, "docs/write_settings.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"`make docs` writes it again\n{done.stderr}"


def test_no_test_is_named_by_a_clock_or_by_chance() -> None:
    """Workers of one run compare the tests that they collected, and stop where two of them differ."""
    changing = {"urandom", "uuid4", "token_hex", "token_bytes", "time", "now", "random"}
    found: list[str] = []
    for name in tracked("tests/*.py"):
        for decorator in _decorators(ast.parse(text_of(name))):
            for call in (node for node in ast.walk(decorator) if isinstance(node, ast.Call)):
                called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                stamped = ast.unparse(call.func) == "gzip.compress" and "mtime" not in {
                    key.arg for key in call.keywords
                }
                if called in changing or stamped:
                    found.append(f"{name}:{call.lineno} {ast.unparse(call)[:60]}")
    assert found == []


def _decorators(tree: ast.Module) -> list[ast.expr]:
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    found = [decorator for function in functions for decorator in function.decorator_list]
    return [each for each in found if not (isinstance(each, ast.Call) and "ids" in {key.arg for key in each.keywords})]
