"""The supervisor, with stand-in processes in the place of services."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from axonflow_native.keeper import Pace, Service
from axonflow_native.processes import ProcessRecord, start_time
from axonflow_native.refusal import CannotStart
from axonflow_native.supervisor import Supervisor
from support import stand_in_service

QUICK = Pace(first_s=0.02, longest_s=0.2, start_limit_s=20)
NAMES = ("agent", "orchestrator", "portal")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Database:
    """A stand-in for the embedded server."""

    def __init__(self, notes: Path) -> None:
        self.running = False
        self._notes = notes

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False
        with self._notes.open("a") as notes:
            notes.write("database ended\n")


@dataclasses.dataclass
class Scene:
    folder: Path
    said: list[str] = dataclasses.field(default_factory=list)
    services: list[Service] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.notes = self.folder / "notes"
        self.record = ProcessRecord(self.folder / "processes.json")
        self.database = Database(self.notes)
        for name in NAMES:
            self.add(name)

    def add(self, name: str, told: str = "") -> None:
        port = free_port()
        environment = {"PORT": str(port), "STAND_IN": told, "STAND_IN_NOTES": str(self.notes)}
        command = (sys.executable, stand_in_service.__file__, name)
        url = f"http://127.0.0.1:{port}/health"
        self.services = [service for service in self.services if service.name != name]
        self.services.append(Service(name, command, environment, url, self.folder / f"{name}.log", self.folder))

    def supervisor(self, *, drain_s: float = 5, pace: Pace = QUICK) -> Supervisor:
        return Supervisor(
            lambda: self.services, self.database, self.record, self.said.append, drain_s=drain_s, pace=pace
        )

    @contextlib.asynccontextmanager
    async def running(self, supervisor: Supervisor) -> AsyncIterator[None]:
        ready = asyncio.Event()
        task = asyncio.create_task(supervisor.run(ready.set))
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            yield
        finally:
            waiting.cancel()
            supervisor.stop()
            await task

    def pid_of(self, name: str) -> int | None:
        return self.record.alive().get(name)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def answered_by(service: Service) -> int:
    try:
        with urllib.request.urlopen(service.health_url, timeout=2) as answer:
            pid: int = json.load(answer)["pid"]
            return pid
    except OSError:
        return 0


async def test_a_killed_service_is_restarted_alone_and_it_is_said(scene: Scene) -> None:
    async with scene.running(scene.supervisor()):
        before = scene.record.alive()
        assert set(before) == set(NAMES)
        os.kill(before["orchestrator"], signal.SIGKILL)
        await scene.until(lambda: scene.pid_of("orchestrator") not in {None, before["orchestrator"]})
        service = next(one for one in scene.services if one.name == "orchestrator")
        await scene.until(lambda: answered_by(service) == scene.pid_of("orchestrator"))
        after = scene.record.alive()
        assert (after["agent"], after["portal"]) == (before["agent"], before["portal"])
        assert any("orchestrator ended (killed by SIGKILL); it alone is started again" in line for line in scene.said)


async def test_the_agent_ends_first_and_the_database_last(scene: Scene) -> None:
    async with scene.running(scene.supervisor()):
        pass
    ended = scene.notes.read_text().splitlines()
    assert ended[0] == "agent ended"
    assert ended[-1] == "database ended"
    assert sorted(ended[1:3]) == ["orchestrator ended", "portal ended"]


async def test_nothing_is_left_running_after_the_end(scene: Scene) -> None:
    async with scene.running(scene.supervisor()):
        pids = scene.record.alive()
    assert len(pids) == 3
    assert [name for name, pid in pids.items() if start_time(pid)] == []
    assert not scene.database.running


async def test_a_service_that_cannot_start_ends_everything_with_its_own_sentence(scene: Scene) -> None:
    scene.add("portal", "fail=DEPLOYMENT_MODE must be one of these")
    with pytest.raises(CannotStart, match="The portal cannot start: DEPLOYMENT_MODE must be one of these"):
        async with scene.running(scene.supervisor()):
            pytest.fail("it never answered and yet was called ready")
    assert scene.record.alive() == {}
    assert not scene.database.running
    assert (scene.folder / "portal.log").read_text().count("portal begins") == QUICK.tries


async def test_a_program_that_does_not_exist_is_said(scene: Scene) -> None:
    scene.services[1] = dataclasses.replace(scene.services[1], command=("/nowhere/program",))
    with pytest.raises(CannotStart, match=r"The orchestrator cannot start: it could not be run.*nowhere"):
        async with scene.running(scene.supervisor()):
            pytest.fail("it never answered and yet was called ready")


async def test_a_service_that_keeps_starting_is_given_up_in_time(scene: Scene) -> None:
    scene.add("agent", "starting")
    with pytest.raises(CannotStart, match=r"agent did not answer on .*/health within 1 s; it said last: agent begins"):
        async with scene.running(scene.supervisor(pace=dataclasses.replace(QUICK, start_limit_s=1))):
            pytest.fail("it never answered and yet was called ready")
    assert scene.record.alive() == {}


async def test_a_service_that_will_not_end_is_killed_after_its_grace(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axonflow_native.supervisor.KILL_MARGIN_S", 0.1)
    scene.add("portal", "stubborn")
    async with scene.running(scene.supervisor(drain_s=0.1)):
        pid = scene.pid_of("portal")
    assert pid is not None
    assert start_time(pid) is None
    assert any("portal did not end within" in line for line in scene.said)


async def test_a_service_that_keeps_dying_later_does_not_take_the_others_with_it(scene: Scene) -> None:
    async with scene.running(scene.supervisor()):
        before = scene.record.alive()
        for _ in range(QUICK.tries + 2):
            await scene.until(lambda: scene.pid_of("agent") is not None)
            pid = scene.record.alive()["agent"]
            os.kill(pid, signal.SIGKILL)
            await scene.until(lambda pid=pid: scene.pid_of("agent") not in {None, pid})  # type: ignore[misc]
        assert scene.pid_of("portal") == before["portal"]
        assert scene.pid_of("orchestrator") == before["orchestrator"]


async def test_a_database_that_died_is_started_again_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axonflow_native.supervisor.DATABASE_POLL_S", 0.02)
    async with scene.running(scene.supervisor()):
        before = scene.record.alive()
        scene.database.running = False
        await scene.until(lambda: scene.database.running)
        assert scene.record.alive() == before
    assert "PostgreSQL ended; it alone is started again" in scene.said


async def test_being_told_to_end_while_starting_ends_everything(scene: Scene) -> None:
    scene.add("agent", "starting")
    supervisor = scene.supervisor()
    task = asyncio.create_task(supervisor.run(lambda: pytest.fail("ready although told to end")))
    await scene.until(lambda: len(scene.record.alive()) == 3)
    supervisor.stop()
    await task
    assert scene.record.alive() == {}
