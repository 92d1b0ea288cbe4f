"""Compiles a tenant's policies under limits, tries what came of it on hostile texts, and says so; a process of its own.

Run by `compiling` as a script, so that it starts without the rest of this package. It reads one job from standard
input, writes one outcome to standard output, and knows no secret.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence

import msgspec
from axonflow_policy import Policy, TenantRules, engines, proving
from axonflow_policy.policy_set import InvalidPolicy

PROBE_BYTES = 100 * 1024
# google-re2 takes the patterns one by one, so it may take longer (performance page, table of engines).
RE2_ALLOWANCE = 10
_TRIES = 5  # a busy machine makes one scan slow, rarely five in a row
_MOST_SAMPLED = 16
_FILLERS = (b"a", b"0", b"a0 ", b"aaaa bbbb\n", b"-1, ", b"a.b@", b"(='")


class Job(msgspec.Struct, frozen=True):
    """What to compile, and what it may cost.

    Attributes:
        policies: every policy of the layer.
        cpu_s: seconds of processor time, from the start of the compilation.
        memory_bytes: address space.
        scan_ms: processor time that a text of 100 KB may take.
        dump_bytes: how large the compiled database may be.
    """

    policies: tuple[Policy, ...]
    cpu_s: int
    memory_bytes: int
    scan_ms: float
    dump_bytes: int


class Outcome(msgspec.Struct, frozen=True):
    """The compiled database, empty where google-re2 judges; or why there is none."""

    refused: str = ""
    dump: bytes = b""


def main() -> None:
    """Take the job, limit this process, do it."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    limit(job)
    try:
        outcome = outcome_of(job)
    except MemoryError:
        outcome = Outcome(refused=f"compiling takes more than {job.memory_bytes >> 20} MiB of memory")
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


def limit(job: Job) -> None:
    """Bound what this process can take, from now on and for good; it writes no file either."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = int(used.ru_utime + used.ru_stime) + 1 + job.cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory_bytes, job.memory_bytes))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (0, 0))


def outcome_of(job: Job) -> Outcome:
    """Compile, prove and try; every way to fail but death is an outcome."""
    try:
        rules = TenantRules.compile(job.policies)
    except InvalidPolicy as error:
        return Outcome(refused=str(error))
    dump = rules.dump()
    if len(dump) > job.dump_bytes:
        return Outcome(refused=f"compiled, it takes more than {job.dump_bytes >> 20} MiB")
    most_ms = job.scan_ms * (1 if rules.engine.name == "vectorscan" else RE2_ALLOWANCE)
    slowest_ms = max((_scan_ms(rules.engine, text, most_ms) for text in worst_texts(job.policies)), default=0.0)
    if slowest_ms > most_ms:
        return Outcome(refused=f"a scan of 100 KB takes {slowest_ms:.0f} ms, and may take {most_ms:.0f}")
    return Outcome(dump=dump)


def worst_texts(policies: Sequence[Policy]) -> Iterator[bytes]:
    """Texts that keep a scanner busy: floods of one kind, of what the patterns match, and of what they nearly match."""
    for filler in _FILLERS:
        yield _flood(filler)
    longest = sorted(policies, key=lambda policy: len(policy.pattern), reverse=True)[:_MOST_SAMPLED]
    nearly: list[bytes] = []
    for policy in longest:
        samples = [sample for sample in proving.samples(policy.pattern) if len(sample) > 1][:2]
        nearly += [sample[:-1] for sample in samples]
        if samples:
            yield _flood(samples[0][:-1])
    if nearly:
        yield _flood(b"".join(nearly))
        yield _flood(b" ".join(nearly))
    yield random.Random(0).randbytes(PROBE_BYTES)  # noqa: S311 - a text, no secret


def _flood(piece: bytes) -> bytes:
    return (piece * (PROBE_BYTES // len(piece) + 1))[:PROBE_BYTES]


def _scan_ms(engine: engines.Engine, text: bytes, enough_ms: float) -> float:
    """The best of some scans in this thread's own time; the first that is quick enough will do."""
    best_ms = float("inf")
    for _ in range(_TRIES):
        started = time.thread_time_ns()
        engine.hits(text)
        best_ms = min(best_ms, (time.thread_time_ns() - started) / 1e6)
        if best_ms <= enough_ms:
            break
    return best_ms


if __name__ == "__main__":
    main()
