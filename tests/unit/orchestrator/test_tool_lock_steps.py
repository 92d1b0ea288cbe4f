"""What follows from what a server offers: every way from one state of a lock to the next."""

from __future__ import annotations

import msgspec
from axonflow_orchestrator.tool_locks.comparing import Seen, Step, accepted, diff, rejected, steps
from axonflow_orchestrator.tool_locks.records import Lock
from axonflow_policy.tool_texts import ToolFlag

FLAG = ToolFlag(kind="hidden", path="description", reason="Holds something")


def lock(version: str = "1", *, flags: tuple[ToolFlag, ...] = (), tool: str = "find") -> Lock:
    return Lock(
        tool=tool,
        state="pending",
        access="read",
        accepted=None,
        accepted_hash=None,
        offered={"description": version},
        offered_hash=version,
        flags=flags,
    )


def heard(kept: Lock | None, *offered: Lock, accept_first: bool = False) -> tuple[Step, ...]:
    known = {} if kept is None else {kept.tool: kept}
    return steps(known, [Seen(lock=each) for each in offered], accept_first=accept_first)


def test_a_new_tool_waits_unless_the_install_took_it_and_nothing_is_odd() -> None:
    assert heard(None, lock())[0].lock.state == "pending"
    assert heard(None, lock(), accept_first=True)[0].lock.state == "accepted"
    assert heard(None, lock(flags=(FLAG,)), accept_first=True)[0].lock.state == "pending"
    late = heard(lock(), lock(), lock(tool="late"), accept_first=True)
    assert [(step.what, step.lock.tool, step.lock.state) for step in late] == [("discovered", "late", "pending")]


def test_the_same_offer_changes_nothing() -> None:
    assert heard(accepted(lock()), lock()) == ()


def test_another_form_of_an_accepted_tool_is_quarantined_and_of_a_pending_one_pending() -> None:
    [step] = heard(accepted(lock()), lock("2"))
    assert (step.what, step.lock.state, step.lock.accepted_hash, step.lock.offered_hash) == (
        "quarantined",
        "quarantined",
        "1",
        "2",
    )
    [waiting] = heard(lock(), lock("2"))
    assert (waiting.what, waiting.lock.state) == ("changed", "pending")


def test_only_a_person_ends_a_quarantine_or_a_rejection() -> None:
    [step] = heard(accepted(lock()), lock("2"))
    for closed in (step.lock, rejected(step.lock)):
        assert heard(closed, lock("1")) == ()
        assert accepted(closed).accepted_hash == "2"
        back = accepted(closed, "1")
        assert (back.state, back.offered_hash, back.offered) == ("accepted", "1", {"description": "1"})


def test_rejecting_what_was_accepted_takes_the_acceptance_back() -> None:
    closed = rejected(accepted(lock()))
    assert (closed.state, closed.accepted_hash) == ("rejected", None)
    [step] = heard(closed, lock("2"))
    assert step.lock.state == "pending"


def test_a_withdrawn_tool_keeps_its_lock_and_returns_as_what_it_was() -> None:
    [gone] = heard(accepted(lock()))
    assert (gone.what, gone.lock.present, gone.lock.state) == ("withdrawn", False, "accepted")
    assert heard(gone.lock) == ()
    assert [(step.what, step.lock.state) for step in heard(gone.lock, lock())] == [("returned", "accepted")]
    assert [(step.what, step.lock.state) for step in heard(gone.lock, lock("2"))] == [("quarantined", "quarantined")]


def test_new_findings_about_old_words_are_kept_and_change_no_state() -> None:
    [step] = heard(accepted(lock()), lock(flags=(FLAG,)))
    assert (step.lock.state, step.lock.flags) == ("accepted", (FLAG,))


def test_a_diff_shows_what_nobody_sees() -> None:
    drifted = msgspec.structs.replace(accepted(lock()), offered={"description": "1\u200b"}, offered_hash="2")
    shown = diff(drifted)
    assert shown.changes[0].new == '"1\\u200b"'
    assert '+  "description": "1\\u200b"' in shown.unified.splitlines()
