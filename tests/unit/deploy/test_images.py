"""The Dockerfiles: locked, without privileges, for any builder, and naming no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PORTS = {"agent": 8080, "orchestrator": 8081, "portal": 8082}
SHIPPED = [
    *(ROOT / "services" / name / "Dockerfile" for name in PORTS),
    *sorted((ROOT / "deploy" / "compose").iterdir()),
    ROOT / "deploy" / "tools" / "make-base-images",
]


def _dockerfile(service: str) -> str:
    return (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")


def _instructions(service: str) -> list[str]:
    """One line an instruction, comments left out, continuations joined."""
    lines = [line for line in _dockerfile(service).splitlines() if line and not line.startswith("#")]
    return re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()


def _final_stage(service: str) -> list[str]:
    instructions = _instructions(service)
    last = max(number for number, line in enumerate(instructions) if line.startswith("FROM "))
    return instructions[last:]


def _packages_of(service: str) -> set[str]:
    """Folders of our packages that a service needs, followed through their requirements."""
    folders = {
        tomllib.loads(file.read_text(encoding="utf-8"))["project"]["name"]: file.parent
        for pattern in ("libs/*", "services/*")
        for file in ROOT.glob(f"{pattern}/pyproject.toml")
    }
    waiting, found = [f"axonflow-{service}"], set()
    while waiting:
        folder = folders[waiting.pop()]
        if f"./{folder.relative_to(ROOT)}" in found:
            continue
        found.add(f"./{folder.relative_to(ROOT)}")
        declared = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
        waiting += [name for one in declared if (name := re.split(r"[\s\[<>=;]", one)[0]) in folders]
    return found


@pytest.mark.parametrize("service", PORTS)
def test_an_image_installs_the_hashed_lock_as_wheels(service: str) -> None:
    install = next(line for line in _instructions(service) if "--require-hashes" in line)
    assert "--only-binary :all:" in install
    assert install.endswith(f"-r requirements/{service}.txt")


@pytest.mark.parametrize("service", PORTS)
def test_an_image_installs_exactly_the_packages_the_service_needs(service: str) -> None:
    install = next(line for line in _instructions(service) if "--no-build-isolation" in line)
    assert "--no-deps" in install
    assert "--no-index" in install
    assert set(re.findall(r"\./\S+", install)) == _packages_of(service)


@pytest.mark.parametrize("service", PORTS)
def test_an_image_runs_as_nobody_in_particular_with_a_folder_for_audit_files(service: str) -> None:
    final = _final_stage(service)
    users = [line for line in final if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    assert not any(line.startswith("RUN ") for line in final[final.index(users[0]) :])
    assert any("-o axonflow -g axonflow" in line and "/var/lib/axonflow/audit" in line for line in final)


@pytest.mark.parametrize("service", PORTS)
def test_the_final_stage_has_curl_and_no_compiler(service: str) -> None:
    final = _final_stage(service)
    installed = re.findall(r"--no-install-recommends ([\w -]*\w) +&&", "\n".join(final))
    assert installed == ["curl"]
    assert f"EXPOSE {PORTS[service]}" in final
    assert final[-1] == f'CMD ["python", "-m", "axonflow_{service}"]'


@pytest.mark.parametrize("service", PORTS)
def test_an_image_is_labelled_with_the_packages_own_version_and_description(service: str) -> None:
    project = tomllib.loads((ROOT / "services" / service / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', "\n".join(_final_stage(service))))
    assert labels == {
        "title": project["name"],
        "description": project["description"],
        "version": project["version"],
        "licenses": project["license"],
    }


@pytest.mark.parametrize("service", PORTS)
def test_a_dockerfile_keeps_to_the_classic_builder(service: str) -> None:
    text = _dockerfile(service)
    assert not re.search(r"--mount|<<|^#\s*syntax=|--link|--chmod", text, re.MULTILINE)
    assert [line.split()[1] for line in _instructions(service) if line.startswith("FROM ")] == [
        "python:3.11-slim-bookworm"
    ] * 2


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_address_of_a_registry_or_mirror_is_named(path: Path) -> None:
    text = re.sub(r"http://(?:localhost|[\w-]+)(?::\d+)?(?:/\w*)?", "", path.read_text(encoding="utf-8"))
    assert not re.search(r"https?://|index-url|\b(?:pypi|docker|ghcr|quay|debian)\.(?:org|io|com)\b", text)


def test_only_what_the_images_copy_is_sent_to_the_engine() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert "*" in rules
    assert {rule for rule in rules if rule.startswith("!")} == {"!libs", "!services", "!requirements/*.txt"}
