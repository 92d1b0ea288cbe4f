"""The two ways to learn which patterns occur in a text: one Vectorscan pass, or google-re2 pattern by pattern.

Both read the same bytes with the same byte semantics and give the same answer. An engine that cannot answer raises;
it never reports "no match" instead.
"""

from __future__ import annotations

import hashlib
import platform
import re
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any, Protocol

import re2

from axonflow_policy import proving

try:
    import hyperscan

    HAS_VECTORSCAN = True
except ImportError:  # no wheel for this machine: re2 alone gives the same matches, slower
    HAS_VECTORSCAN = False

_MAGIC = b"axonflow-policy-dump/2\n"
_DIGEST_SIZE = 32
# Vectorscan misses some matches that end with the text, so for it no text ends where a match may (decision 007).
_PADDING = b"\n\n"
_MULTILINE = re.compile(r"\(\?[a-zA-Z]*m")

RE2_OPTIONS = re2.Options()
# Bytes in, bytes out: the same reading of \w, \b and counted repeats as Vectorscan without UTF-8 mode.
RE2_OPTIONS.encoding = re2.Options.Encoding.LATIN1
RE2_OPTIONS.log_errors = False


class PatternRefused(Exception):
    """A pattern that an engine does not take."""


class Engine(Protocol):
    """Which patterns occur."""

    @property
    def name(self) -> str:
        """``vectorscan`` or ``re2``."""

    def hits(self, data: bytes) -> list[int]:
        """Indexes of the patterns that occur in ``data``, each once.

        A line break may be taken for the end of the text, so some may be named that do not occur; none is left out.
        """

    @property
    def by_re2(self) -> tuple[int, ...]:
        """Indexes of the patterns that the machine's database was not trusted with."""

    def dump(self) -> bytes:
        """The compiled database for a later start, empty where there is none."""


def portable(pattern: str) -> bytes:
    r"""``pattern`` as both engines read alike: ``\s`` spelled out (RE2 leaves out the vertical tab, PCRE does not)."""
    return "".join(_spelled_out(token, in_class=in_class) for token, in_class in _tokens(pattern)).encode("ascii")


def _padded(pattern: str) -> bytes:
    r"""`portable` for texts with `_PADDING` behind them: their end is a line break.

    So is every other line break, which finds too much; spans are looked for without padding, and settle it.
    """
    ends = {r"\z"} if _MULTILINE.search(pattern) else {r"\z", "$"}
    tokens = (r"\n" if token in ends and not in_class else token for token, in_class in _tokens(pattern))
    return portable("".join(tokens))


def _tokens(pattern: str) -> Iterator[tuple[str, bool]]:
    """Every character, escaped ones with their backslash, and whether it stands in a class."""
    in_class = False
    index = 0
    while index < len(pattern):
        token = pattern[index : index + 2] if pattern[index] == "\\" else pattern[index]
        if len(token) == 1:
            in_class = token == "[" if not in_class else token != "]"  # noqa: S105 # of a pattern
        yield token, in_class
        index += len(token)


def _spelled_out(escape: str, *, in_class: bool) -> str:
    if escape == r"\s":
        return r"\x09-\x0d " if in_class else r"[\x09-\x0d ]"
    if escape == r"\S" and not in_class:
        return r"[^\x09-\x0d ]"
    return escape


def engine_version(name: str) -> str:
    """Name and version of the wheel behind an engine, for hashes."""
    return f"{name}-{version('hyperscan' if name == 'vectorscan' else 'google-re2')}"


def regexp(pattern: str) -> re2._Regexp:
    """``pattern`` for re2, reading bytes.

    Raises:
        PatternRefused: it is not RE2 syntax or not ASCII.
    """
    try:
        return re2.compile(portable(pattern), RE2_OPTIONS)
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternRefused(f"the pattern is not valid: {error}") from error


def open_engine(patterns: Sequence[str], compiled: Sequence[re2._Regexp], dump: bytes | None) -> tuple[Engine, bool]:
    """The best engine this machine has for ``patterns``, proven, and whether it came from ``dump``.

    Raises:
        PatternRefused: a pattern is not valid.
    """
    if not HAS_VECTORSCAN:
        return Re2Engine(compiled), False
    loaded = VectorscanEngine.load(patterns, dump) if dump else None
    engine = loaded or VectorscanEngine.compile(patterns)
    engine.prove(list(zip(patterns, compiled, strict=True)))
    return engine, loaded is not None


class Re2Engine:
    """Pattern by pattern; the fallback, and the judge that tests hold Vectorscan against."""

    name = "re2"
    by_re2: tuple[int, ...] = ()

    def __init__(self, patterns: Sequence[re2._Regexp]) -> None:
        self._patterns = tuple(patterns)

    def hits(self, data: bytes) -> list[int]:
        """Indexes of the patterns that occur in ``data``."""
        return [index for index, pattern in enumerate(self._patterns) if pattern.search(data) is not None]

    def dump(self) -> bytes:
        """Nothing: these patterns compile in milliseconds."""
        return b""


def _collect(index: int, _start: int, _end: int, _flags: int, found: Any) -> None:
    found.append(index)


class VectorscanEngine:
    """All patterns in one pass, ids only; a scratch space per thread, since two scans may not share one."""

    name = "vectorscan"

    def __init__(self, database: hyperscan.Database, head: bytes) -> None:
        self._database = database
        self._head = head
        self._local = threading.local()
        self._left: tuple[tuple[int, re2._Regexp], ...] = ()
        self.by_re2: tuple[int, ...] = ()

    @classmethod
    def compile(cls, patterns: Sequence[str]) -> VectorscanEngine:
        """Compile, which takes seconds for a hundred patterns.

        Raises:
            PatternRefused: a pattern is not valid for Vectorscan.
        """
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            database.compile(
                expressions=[_padded(pattern) for pattern in patterns],
                ids=list(range(len(patterns))),
                elements=len(patterns),
                # SINGLEMATCH is what keeps a flood of matches from costing quadratic time.
                flags=[hyperscan.HS_FLAG_SINGLEMATCH] * len(patterns),
            )
        except hyperscan.error as error:
            raise PatternRefused(f"Vectorscan refuses a pattern of this set: {error}") from error
        return cls(database, _head(patterns))

    @classmethod
    def load(cls, patterns: Sequence[str], dump: bytes) -> VectorscanEngine | None:
        """Load what `dump` gave; None when it is of other patterns, another wheel or machine, or damaged."""
        head = _head(patterns)
        body = dump[len(head) + _DIGEST_SIZE :]
        if dump[: len(head)] != head or dump[len(head) : len(head) + _DIGEST_SIZE] != hashlib.sha256(body).digest():
            return None
        try:
            return cls(hyperscan.loadb(body, hyperscan.HS_MODE_BLOCK), head)
        except hyperscan.error:
            return None

    def prove(self, patterns: Sequence[tuple[str, re2._Regexp]]) -> None:
        """Leave to re2 whatever this machine's database does not find reliably."""
        self.by_re2 = tuple(proving.unproven(self.hits, patterns))
        self._left = tuple((index, patterns[index][1]) for index in self.by_re2)

    def hits(self, data: bytes) -> list[int]:
        """Indexes of the patterns that occur in ``data``.

        Raises:
            hyperscan.error: the scan did not finish.
        """
        found: list[int] = []
        scratch = getattr(self._local, "scratch", None) or self._new_scratch()
        self._database.scan(data + _PADDING, _collect, context=found, scratch=scratch)
        if self._left:
            found += [index for index, pattern in self._left if index not in found and pattern.search(data) is not None]
        return found

    def dump(self) -> bytes:
        """The compiled database, headed by what it is for and its digest."""
        body = bytes(hyperscan.dumpb(self._database))
        return self._head + hashlib.sha256(body).digest() + body

    def _new_scratch(self) -> hyperscan.Scratch:
        scratch = hyperscan.Scratch(self._database)
        self._local.scratch = scratch
        return scratch


def _head(patterns: Sequence[str]) -> bytes:
    return _MAGIC + bytes.fromhex(dump_key(patterns))


def dump_key(patterns: Sequence[str]) -> str:
    """Key under which a compiled database may be stored: patterns, flags, wheel and machine (sha-256, hex)."""
    digest = hashlib.sha256()
    for pattern in patterns:
        digest.update(_padded(pattern) + b"\0")
    digest.update(f"singlematch {engine_version('vectorscan')} {platform.machine()}".encode())
    return digest.hexdigest()
