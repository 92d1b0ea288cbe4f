"""The steps of a request as linked rows: nothing in them can be altered, left out or moved without showing."""

import time
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from axonflow_audit.chains import ChainAnchor, anchor_of, holds, link_hash
from axonflow_audit.encoding import storable
from axonflow_contracts.caller import Caller, CallerKind, User
from axonflow_contracts.chain import ChainStep, StepOutcome, StepType
from axonflow_contracts.verdicts import Plane
from axonflow_governance.chain import MOST_STEPS, chain_rows, continued
from axonflow_governance.decision import Exchange
from axonflow_telemetry import TraceContext

NOW = datetime(2026, 3, 4, 5, 6, 7, 890_123, tzinfo=UTC)
CALLER = Caller(org_id="o", tenant_id="t", client_id="c", kind=CallerKind.CLIENT, user=User(id="7"))
EXCHANGE = Exchange(
    "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", TraceContext.from_headers(None), Plane.PROXY, NOW, time.perf_counter()
)


def step(name="model call", **fields):
    return ChainStep(
        **{
            "step_type": StepType.MODEL,
            "name": name,
            "system_id": "axonflow-orchestrator/8.4.0",
            "outcome": StepOutcome.APPROVED,
            "started_at": NOW,
            "duration_ms": 12.5,
            **fields,
        }
    )


def rows(*steps, chain_id=None):
    return chain_rows(EXCHANGE, CALLER, steps or (step("budget"), step(), step("cost")), chain_id)


def test_a_step_becomes_a_row_of_its_decision():
    first, second = rows(step("budget"), step(provider="openai", model="gpt-4o", metadata={"cost_usd": "0.01"}))
    assert (first.step_number, second.step_number) == (1, 2)
    assert (second.org_id, second.tenant_id, second.client_id, second.user_id) == ("o", "t", "c", "7")
    assert (second.created_at, second.decision_id) == (NOW, EXCHANGE.decision_id)
    assert (second.model_provider, second.model_id, second.metadata) == ("openai", "gpt-4o", {"cost_usd": "0.01"})
    assert second.chain_id == EXCHANGE.decision_id


def test_a_chain_that_goes_on_keeps_its_name():
    assert {row.chain_id for row in rows(chain_id="an-earlier-one")} == {"an-earlier-one"}


def test_a_whole_chain_holds():
    assert holds(rows(), anchor_of(rows()))


@pytest.mark.parametrize("field", [f for f in rows()[0].__struct_fields__ if f != "audit_hash"])
def test_no_column_can_be_altered_unseen(field):
    chain = list(rows())
    value = getattr(chain[1], field)
    altered = {
        str: "x",
        int: 9,
        float: 9.5,
        bool: True,
        dict: {"a": 1},
        tuple: ("x",),
        type(None): "x",
        datetime: NOW + timedelta(microseconds=1),
    }[type(value)]
    chain[1] = msgspec.structs.replace(chain[1], **{field: altered})
    assert not holds(chain, anchor_of(rows()))


def test_a_step_that_is_missing_or_moved_shows():
    chain, anchor = rows(), anchor_of(rows())
    assert not holds(chain[:-1], anchor)
    assert not holds(chain[1:], anchor)
    assert not holds((chain[1], chain[0], chain[2]), anchor)
    assert not holds((), anchor)
    assert not holds(chain, None)


def test_a_chain_made_anew_does_not_fit_the_row_of_its_decision():
    forged = rows(step("budget", outcome=StepOutcome.BLOCKED), step(), step("cost"))
    assert holds(forged, anchor_of(forged))
    assert not holds(forged, anchor_of(rows()))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"n": 3.0}, {"n": 3}),
        ({"n": -0.0}, {"n": 0.0}),
        ({"n": 1e22}, {"n": 10**22}),
        ({"b": 1, "a": {"d": [1, 2.0], "c": None}}, {"a": {"c": None, "d": [1, 2]}, "b": 1}),
        ({"t": True}, {"t": True}),
    ],
)
def test_a_row_hashes_alike_before_it_is_stored_and_after_it_was_read(written, read):
    row = rows(step(metadata=written))[0]
    other = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    found = msgspec.structs.replace(row, metadata=read, created_at=other, started_at=other)
    assert link_hash(found, "") == link_hash(row, "")


def test_true_is_not_one():
    assert link_hash(rows(step(metadata={"n": 1}))[0], "") != link_hash(rows(step(metadata={"n": True}))[0], "")


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "x" * 700])
def test_what_the_database_cannot_hold_is_mended_before_it_is_hashed(text):
    chain = rows(step(policy_triggered=text, metadata={"reason": text}))
    assert [storable(row) for row in chain] == list(chain)
    assert chain[0].metadata["altered"] is True
    assert holds(chain, anchor_of(chain))


@pytest.mark.parametrize("duration_ms", [float("nan"), float("inf")])
def test_a_duration_that_no_clock_gives_costs_no_row(duration_ms):
    assert rows(step(duration_ms=duration_ms))[0].processing_time_ms == 0.0


def test_a_request_has_so_many_steps_and_no_more():
    assert len(rows(*[step()] * (MOST_STEPS + 1))) == MOST_STEPS


def test_no_steps_are_no_chain():
    assert chain_rows(EXCHANGE, CALLER, ()) == ()
    assert anchor_of(()) is None


@pytest.mark.parametrize(
    ("header", "chain"),
    [
        ("6F9619FF-8B86-4D01-B42D-00CF4FC964FF", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"),
        ("6f9619ff8b864d01b42d00cf4fc964ff", None),
        ("{6f9619ff-8b86-4d01-b42d-00cf4fc964f}", None),
        ("not-a-uuid-but-of-the-length-of-one.", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_uuid_goes_on_with_a_chain(header, chain):
    assert continued(header) == chain


def test_a_step_travels_and_comes_back():
    sent = step(metadata={"tokens": 3}, policies_evaluated=("a",))
    assert msgspec.json.decode(msgspec.json.encode(sent), type=ChainStep) == sent


def test_an_anchor_is_plain():
    assert msgspec.to_builtins(ChainAnchor("c", 2, "h")) == {"id": "c", "steps": 2, "hash": "h"}
