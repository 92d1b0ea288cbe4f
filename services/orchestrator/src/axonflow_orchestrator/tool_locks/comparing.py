"""What follows from what a server offers now: pure, from the locks that are kept to those that hold after it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from axonflow_orchestrator.tool_locks.records import ChangedMember, Lock, ToolDiff

LONGEST_NAME_BYTES = 1000  # an index of PostgreSQL takes no more than 2700 in all; the protocol advises 128 characters


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as it is offered now, with its hash and what is wrong with its words, as a lock that nobody decided on."""

    lock: Lock

    @property
    def is_flagged(self) -> bool:
        """Whether a person has to read it first."""
        return bool(self.lock.flags)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A lock that changes, and the word for it: discovered, accepted, quarantined, changed, withdrawn, returned."""

    what: str
    lock: Lock


def can_be_kept(name: str) -> bool:
    """Whether a tool of this name can have a lock; without one it is pending for ever and never called."""
    return 0 < len(name.encode()) <= LONGEST_NAME_BYTES and "\0" not in name


def storable(value: Any) -> Any:
    """A server's words with NUL, which PostgreSQL does not hold, written as an escape; hashes are of the words.

    One tool's text must not keep all others of its server from being heard.
    """
    if isinstance(value, str):
        return value.replace("\0", "\\u0000")
    if isinstance(value, Mapping):
        return {storable(name): storable(member) for name, member in value.items()}
    return [storable(each) for each in value] if isinstance(value, list | tuple) else value


def steps(kept: Mapping[str, Lock], seen: Iterable[Seen], *, accept_first: bool) -> tuple[Step, ...]:
    """What changes; nothing where the server offers what it offered before.

    Args:
        kept: the locks so far, by tool.
        seen: everything that is offered now.
        accept_first: take the tools of the very first listing as accepted, but for flagged ones.
    """
    now = {each.lock.tool: each for each in seen}
    first = accept_first and not kept
    made = [
        step
        for name, each in now.items()
        if (step := _new(each, accept=first) if name not in kept else _known(kept[name], each)) is not None
    ]
    gone = [lock for name, lock in kept.items() if lock.present and name not in now]
    return (*made, *(Step(what="withdrawn", lock=msgspec.structs.replace(lock, present=False)) for lock in gone))


def accepted(lock: Lock, hash_: str = "") -> Lock:
    """``lock`` with what is offered as what is accepted; or back at what was, if ``hash_`` is that."""
    if hash_ == lock.accepted_hash and lock.accepted is not None:
        return msgspec.structs.replace(lock, state="accepted", offered=lock.accepted, offered_hash=hash_)
    return msgspec.structs.replace(lock, state="accepted", accepted=lock.offered, accepted_hash=lock.offered_hash)


def rejected(lock: Lock) -> Lock:
    """``lock`` with what is offered refused; what was accepted of an earlier form stays accepted."""
    if lock.offered_hash != lock.accepted_hash:
        return msgspec.structs.replace(lock, state="rejected")
    return msgspec.structs.replace(lock, state="rejected", accepted=None, accepted_hash=None)


def _new(each: Seen, *, accept: bool) -> Step:
    if accept and not each.is_flagged:
        return Step(what="accepted", lock=accepted(each.lock))
    return Step(what="discovered", lock=each.lock)


def _known(old: Lock, each: Seen) -> Step | None:
    new = each.lock
    if old.present and old.offered_hash == new.offered_hash and old.flags == new.flags:
        return None
    state, what = old.state, "changed"
    if state != "accepted" and new.offered_hash == old.accepted_hash:
        # What was accepted is offered again. The words that came in between stay to be looked at: a server that
        # changes back and forth, or tells each replica something else, must not lift its own quarantine.
        return None if old.present else Step(what="returned", lock=msgspec.structs.replace(old, present=True))
    if new.offered_hash != old.offered_hash:
        state, what = ("pending", "changed") if old.accepted_hash is None else ("quarantined", "quarantined")
    elif not old.present:
        what = "returned"
    changed = msgspec.structs.replace(
        old,
        state=state,
        offered=new.offered,
        offered_hash=new.offered_hash,
        flags=new.flags,
        present=True,
        access=old.access if old.accepted_hash else new.access,
    )
    return Step(what=what, lock=changed)


def diff(lock: Lock) -> ToolDiff:
    """What an administrator is asked to accept."""
    old, new = lock.accepted, lock.offered
    before, after = _lines(old) if old else [], _lines(new)
    return ToolDiff(
        name=lock.tool,
        state=lock.state,
        hash=lock.offered_hash,
        flags=lock.flags,
        old=old,
        new=new,
        changes=tuple(_changes(old or {}, new)),
        unified="\n".join(difflib.unified_diff(before, after, "accepted", "offered", lineterm="")),
    )


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[ChangedMember]:
    for path in sorted(old.keys() | new.keys()):
        before, after = (_shown(side[path]) if path in side else None for side in (old, new))
        if before != after:
            yield ChangedMember(path=path, old=before, new=after)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value.isascii() else json.dumps(value, indent=2, sort_keys=True)


def _lines(tool: Mapping[str, Any]) -> list[str]:
    return json.dumps(tool, indent=2, sort_keys=True).splitlines()  # ASCII alone: what is hidden is seen
