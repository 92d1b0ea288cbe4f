"""The process's own file seen from the event loop: bounded waits, another file for a broken one, no lost append."""

import asyncio
import errno
import os
import threading

import pytest
from axonflow_audit import AuditDirectoryError, files
from axonflow_audit.files import FallbackPlace
from axonflow_audit.lane import FileLane


@pytest.fixture
def place(tmp_path):
    return FallbackPlace.of(str(tmp_path / "audit" / "a.jsonl"), "agent")


@pytest.fixture
async def lane(place):
    lane = FileLane(place, max_bytes=1 << 20, wait_s=0.2)
    await lane.open()
    yield lane
    await lane.close()


async def test_a_disk_that_hangs_refuses_in_bounded_time_and_is_used_again_when_it_answers(lane, place, monkeypatch):
    answers = threading.Event()
    monkeypatch.setattr(files, "_sync", lambda fd: answers.wait(30) and os.fsync(fd))
    loop = asyncio.get_running_loop()
    with pytest.raises(TimeoutError):
        await lane.append(b"1\n")
    assert not lane.writable
    started = loop.time()
    for _ in range(20):
        with pytest.raises(TimeoutError):
            await lane.append(b"2\n")
    assert loop.time() - started < 20 * 0.2  # only the first one waited
    answers.set()
    async with asyncio.timeout(10):
        while not await lane.probe():
            await asyncio.sleep(0.02)
    assert lane.writable
    await lane.append(b"3\n")
    (path,) = place.files()
    lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    assert lines == [b"1", b"3"]  # the first may land, late; replay is by key


@pytest.mark.parametrize("fault", [errno.EACCES, errno.EPERM, errno.EROFS])
async def test_a_directory_that_looks_writable_and_takes_no_file_is_refused(place, monkeypatch, fault):
    def refuse(path, flags, *_args):
        raise OSError(fault, os.strerror(fault))

    lane = FileLane(place, max_bytes=1 << 20, wait_s=5.0)
    with monkeypatch.context() as refusing:
        refusing.setattr(os, "open", refuse)
        with pytest.raises(AuditDirectoryError, match=str(place.directory)):
            await lane.open()
    await lane.close()


async def test_a_full_disk_at_the_start_is_not_called_a_wrong_directory(place, monkeypatch):
    def refuse(path, flags, *_args):
        raise OSError(errno.ENOSPC, "no space left")

    lane = FileLane(place, max_bytes=1 << 20, wait_s=5.0)
    with monkeypatch.context() as refusing:
        refusing.setattr(os, "open", refuse)
        with pytest.raises(OSError, match="no space"):
            await lane.open()
    await lane.append(b"1\n")
    assert lane.writable
    await lane.close()


async def test_the_loop_turns_while_the_disk_works(lane, monkeypatch):
    answers = threading.Event()
    monkeypatch.setattr(files, "_sync", lambda fd: answers.wait(30) and os.fsync(fd))
    append = asyncio.create_task(lane.append(b"1\n"))
    await asyncio.sleep(0.01)
    answers.set()
    await append


async def test_a_file_that_cannot_be_set_right_is_left_as_an_orphan_and_another_one_begins(lane, place, monkeypatch):
    await lane.append(b"1\n")

    def fail(_fd, *_args):
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(files, "_sync", fail)
        broken.setattr(os, "ftruncate", fail)
        with pytest.raises(OSError, match="input/output"):
            await lane.append(b"2\n")
    assert not lane.writable
    await lane.append(b"3\n")
    assert lane.writable
    orphan, own = place.files()
    assert files.LockedFile.claim(own) is None
    heir = files.LockedFile.claim(orphan)
    assert heir is not None
    assert heir.read(0, 10).lines[0] == b"1"
    heir.release(remove=True)


async def test_a_failed_sync_takes_back_what_it_did_not_sync(lane, place, monkeypatch):
    await lane.append(b"1\n")
    failures = iter([True])

    def fail_once(fd):
        if next(failures, False):
            raise OSError(errno.ENOSPC, "no space left")
        os.fsync(fd)

    monkeypatch.setattr(files, "_sync", fail_once)
    with pytest.raises(OSError, match="no space"):
        await lane.append(b"2\n")
    await lane.append(b"3\n")
    (path,) = place.files()
    assert path.read_bytes() == b"1\n3\n"


async def test_a_replay_is_not_finished_while_a_line_is_left(lane):
    went_back = []
    await lane.append(b"1\n")
    assert not await lane.finish_replay(lambda: went_back.append("early"))
    lane.replayed_to = (await lane.read(10)).end
    assert await lane.finish_replay(lambda: went_back.append("now"))
    assert went_back == ["now"]
    assert lane.empty
    assert (await lane.read(10)).lines == ()


async def test_a_file_with_unreplayed_lines_is_left_at_the_end_and_an_empty_one_is_not(place):
    for lines, left in ((b"", 0), (b"1\n", 1)):
        lane = FileLane(place, max_bytes=1 << 20, wait_s=5.0)
        await lane.open()
        if lines:
            await lane.append(lines)
        await lane.close()
        assert len(place.files()) == left
