"""The fallback file: owned by a lock, whole lines only, removed without a race, refused where it cannot be."""

import errno
import os
import stat
import subprocess
import sys

import pytest
from axonflow_audit import AuditDirectoryError
from axonflow_audit.files import FallbackPlace, LockedFile, set_aside

MAX = 1 << 20


@pytest.fixture
def place(tmp_path):
    return FallbackPlace.of(str(tmp_path / "audit" / "audit_fallback.jsonl"), "agent")


@pytest.fixture
def file(place):
    place.check()
    return LockedFile.create(place)


def test_a_file_is_named_after_stem_service_host_and_start_and_private(place, file):
    stem, service, host, start, suffix = file.path.name.split(".")
    assert (stem, service, suffix) == ("audit_fallback", "agent", "jsonl")
    assert host
    assert start.isdigit()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_appended_lines_are_read_back_in_order(file):
    file.append(b"1\n2\n", MAX)
    file.append(b"3\n", MAX)
    first = file.read(0, 2)
    assert first.lines == (b"1", b"2")
    rest = file.read(first.end, 2)
    assert rest.lines == (b"3",)
    assert not rest.torn
    end = file.read(rest.end, 2)
    assert end.lines == ()
    assert not end.torn


def test_lines_longer_than_a_block_are_read_whole(file):
    long = b"x" * 700_000
    file.append(b"a\n" + long + b"\nb\n", 1 << 21)
    lines, offset = [], 0
    while (chunk := file.read(offset, 10)).lines:
        lines += chunk.lines
        offset = chunk.end
    assert lines == [b"a", long, b"b"]


def test_a_last_line_without_its_end_is_torn_and_the_lines_before_it_are_not(file):
    file.append(b'{"a":1}\n{"b":2}\n{"c":', MAX)
    chunk = file.read(0, 10)
    assert chunk.lines == (b'{"a":1}', b'{"b":2}')
    assert chunk.torn
    assert not file.read(chunk.end, 10).torn


def test_a_torn_line_is_reported_once_after_the_whole_ones(file):
    file.append(b"1\n2\n3", MAX)
    first = file.read(0, 1)
    assert (first.lines, first.torn) == ((b"1",), False)
    second = file.read(first.end, 1)
    assert (second.lines, second.torn) == ((b"2",), True)


def test_a_file_in_use_cannot_be_claimed_and_one_let_go_can(place, file):
    file.append(b"1\n", MAX)
    assert LockedFile.claim(file.path) is None
    file.release(remove=False)
    heir = LockedFile.claim(file.path)
    assert heir is not None
    assert heir.read(0, 10).lines == (b"1",)
    assert LockedFile.claim(file.path) is None
    heir.release(remove=True)
    assert place.files() == []


def test_a_file_of_a_killed_process_can_be_claimed(place):
    program = """
import os, signal, sys
from axonflow_audit.files import FallbackPlace, LockedFile
place = FallbackPlace.of(sys.argv[1], "agent")
place.check()
LockedFile.create(place).append(b"left behind\\n", 1 << 20)
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", program, str(place.directory / "audit_fallback.jsonl")], check=False)
    (path,) = place.files()
    heir = LockedFile.claim(path)
    assert heir is not None
    assert heir.read(0, 10).lines == (b"left behind",)
    heir.release(remove=True)


def test_whoever_opened_a_file_that_is_then_removed_does_not_get_it(place, file):
    # Another process opened the path just before the holder removed it, and gets the lock just after.
    late = os.open(file.path, os.O_RDWR)
    file.release(remove=True)
    from axonflow_audit.files import _lock

    assert not _lock(file.path, late)


def test_removing_spares_a_new_file_of_the_same_name(place, file):
    file.path.rename(file.path.with_suffix(".moved"))
    file.path.write_bytes(b"somebody else's")
    file.release(remove=True)
    assert file.path.read_bytes() == b"somebody else's"


def test_a_link_in_place_of_a_file_is_not_followed(place, tmp_path):
    place.check()
    (tmp_path / "target").write_bytes(b"1\n")
    trap = place.directory / "audit_fallback.agent.host.1.jsonl"
    trap.symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic"):
        LockedFile.claim(trap)


def test_a_pipe_in_place_of_a_file_is_left_alone(place):
    place.check()
    trap = place.directory / "audit_fallback.agent.host.1.jsonl"
    os.mkfifo(trap)
    assert LockedFile.claim(trap) is None


def test_a_file_that_is_gone_cannot_be_claimed(place):
    place.check()
    assert LockedFile.claim(place.new_path()) is None


def test_files_of_all_services_are_listed_oldest_first_and_quarantine_is_not(place):
    place.check()
    for name in ("orchestrator.a.30", "agent.b.4", "portal.c.200"):
        (place.directory / f"audit_fallback.{name}.jsonl").touch()
    (place.directory / "audit_fallback.agent.b.5.quarantine").touch()
    (place.directory / "other.agent.b.5.jsonl").touch()
    assert [path.name.split(".")[-2] for path in place.files()] == ["4", "30", "200"]


def test_a_file_does_not_outgrow_its_limit(file):
    file.append(b"x" * 99 + b"\n", 150)
    with pytest.raises(OSError, match="outgrow") as caught:
        file.append(b"x" * 99 + b"\n", 150)
    assert caught.value.errno == errno.EFBIG
    assert file.path.stat().st_size == 100


def test_of_a_failed_append_nothing_stays(place):
    program = """
import resource, signal, sys
from axonflow_audit.files import FallbackPlace, LockedFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
place = FallbackPlace.of(sys.argv[1], "agent")
place.check()
file = LockedFile.create(place)
file.append(b"a" * 99 + b"\\n", 1 << 20)
resource.setrlimit(resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))
try:
    file.append(b"b" * 99 + b"\\n", 1 << 20)
except OSError:
    pass
else:
    sys.exit("the write should have failed half-way")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
file.append(b"c" * 99 + b"\\n", 1 << 20)
"""
    subprocess.run(
        [sys.executable, "-c", program, str(place.directory / "audit_fallback.jsonl")], check=True, timeout=60
    )
    (path,) = place.files()
    assert path.read_bytes() == b"a" * 99 + b"\n" + b"c" * 99 + b"\n"


def test_after_clearing_a_file_begins_anew(file):
    file.append(b"old\n", MAX)
    file.clear()
    file.append(b"new\n", MAX)
    assert file.read(0, 10).lines == (b"new",)


def test_what_is_set_aside_is_private_and_adds_up(tmp_path):
    path = tmp_path / "x.quarantine"
    set_aside(path, b"1\n")
    set_aside(path, b"2\n")
    assert path.read_bytes() == b"1\n2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_missing_directory_is_made(place):
    place.check()
    assert place.directory.is_dir()


def test_a_read_only_directory_is_refused_with_its_path_and_the_remedy(place):
    place.directory.mkdir()
    place.directory.chmod(0o555)
    with pytest.raises(AuditDirectoryError, match="read-only") as caught:
        place.check()
    assert str(place.directory) in str(caught.value)
    assert "chmod" in str(caught.value)


def test_a_directory_of_another_account_is_refused_with_its_path_and_the_remedy(place):
    if os.geteuid() != 0:
        pytest.skip("this process is not root and cannot give a directory away")
    place.directory.mkdir()
    os.chown(place.directory, 12_345, 12_345)
    with pytest.raises(AuditDirectoryError, match="belongs to uid 12345") as caught:
        place.check()
    assert f"chown 0 {place.directory}" in str(caught.value)


def test_a_file_in_place_of_the_directory_is_refused(place):
    place.directory.write_text("")
    with pytest.raises(AuditDirectoryError, match="cannot be made"):
        place.check()
