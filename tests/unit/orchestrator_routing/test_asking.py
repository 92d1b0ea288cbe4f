"""One candidate is asked: retries within their budget, circuits, limits, deadlines, and callers that go away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from axonflow_orchestrator.routing.retrying import RetryBudget, RetryRules
from axonflow_orchestrator.routing.router import Router
from axonflow_providers import FaultKind
from hypothesis import given
from hypothesis import strategies as st
from support.routing import ORG, TENANT, Bench, Configured, Scripted, fault

OF_THE_REQUEST = (FaultKind.INVALID_REQUEST, FaultKind.TOO_LONG, FaultKind.CONTENT_FILTER)
RETRIED = (FaultKind.RATE_LIMITED, FaultKind.OVERLOADED, FaultKind.SERVER, FaultKind.UNREACHABLE)


def provider(*script: Any, **fields: Any) -> Configured:
    then = fields.pop("then", "fine")
    return Configured(**{"name": "p", **fields}, provider=Scripted(*script, then=then))


async def test_an_answer_is_one_try_for_the_candidates_model() -> None:
    bench, asked = Bench(), provider()
    attempt = await bench.ask(asked)
    assert attempt.reply.text == "fine"
    assert [each.outcome for each in attempt.tries] == ["success"]
    assert asked.provider.asked[0].model == "gpt-4o"
    assert bench.calls("p", "success") == 1
    assert bench.source.heard == [("p", True)]
    assert not Router.may_fail_over(attempt)


@pytest.mark.parametrize("kind", RETRIED)
async def test_what_may_pass_is_tried_again_after_growing_pauses(kind: FaultKind) -> None:
    bench = Bench()
    attempt = await bench.ask(provider(fault(kind, status=503), fault(kind, status=503)))
    assert attempt.reply is not None
    assert [(each.outcome, each.status) for each in attempt.tries] == [(kind, 503), (kind, 503), ("success", 200)]
    assert bench.clock.slept == [0.2, 0.4]
    tally = bench.tallies.of(ORG, TENANT, "p")
    assert (tally.requests, tally.errors) == (3, 2)


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind not in RETRIED])
async def test_what_will_not_pass_is_not_tried_again(kind: FaultKind) -> None:
    bench, asked = Bench(), provider(fault(kind))
    attempt = await bench.ask(asked)
    assert attempt.fault.kind is kind
    assert len(asked.provider.asked) == 1
    assert Router.may_fail_over(attempt) == (kind not in OF_THE_REQUEST)
    assert attempt.may_have_run == (kind in {FaultKind.TIMEOUT, FaultKind.MALFORMED})


async def test_jitter_is_full_and_retry_after_is_honoured_up_to_the_cap() -> None:
    bench = Bench()
    bench.chance = 0.0
    await bench.ask(provider(fault(FaultKind.SERVER), fault(FaultKind.RATE_LIMITED, retry_after_s=3.0)))
    assert bench.clock.slept == [0.0, 3.0]
    late = await bench.ask(provider(fault(FaultKind.RATE_LIMITED, retry_after_s=6.0), name="late"))
    assert len(late.tries) == 1
    assert late.fault.retry_after_s == 6.0


async def test_no_pause_runs_over_the_requests_own_time() -> None:
    bench = Bench()
    attempt = await bench.ask(provider(fault(FaultKind.OVERLOADED, retry_after_s=4.0)), timeout_s=3.0)
    assert (len(attempt.tries), bench.clock.slept) == (1, [])


@given(st.lists(st.booleans(), max_size=300))
def test_retries_stay_within_their_share_of_calls(first: list[bool]) -> None:
    rules = RetryRules(budget_ratio=0.2, budget_burst=3)
    budget, calls, retries = RetryBudget(rules), 0, 0
    for is_call in first:
        if is_call:
            budget.earn()
            calls += 1
        else:
            retries += budget.spend()
        assert retries <= 3 + 0.2 * calls + 1e-9


async def test_a_provider_that_struggles_is_not_stormed() -> None:
    bench = Bench(rules=RetryRules(most=2, budget_burst=2), min_calls=10_000, consecutive=10_000)
    asked = provider(then=fault(FaultKind.SERVER))
    for _ in range(50):
        await bench.ask(asked)
    assert 50 + 2 <= len(asked.provider.asked) <= 50 + 2 + 10


async def test_an_open_circuit_asks_nobody_until_one_probe_has_gone_well() -> None:
    bench = Bench(rules=RetryRules(most=0), consecutive=3, open_s=10)
    asked = provider(*[fault(FaultKind.SERVER)] * 3)
    for _ in range(3):
        await bench.ask(asked)
    refused = await bench.ask(asked)
    assert refused.tries == ()
    assert refused.fault.kind is FaultKind.OVERLOADED
    assert refused.fault.retry_after_s == 10
    assert Router.may_fail_over(refused)
    assert len(asked.provider.asked) == 3
    bench.clock.now += 10
    assert (await bench.ask(asked)).reply is not None
    assert (await bench.ask(asked)).reply is not None


@pytest.mark.parametrize("kind", [FaultKind.CREDENTIALS, FaultKind.QUOTA, FaultKind.REFUSED_ADDRESS])
async def test_what_only_an_operator_can_mend_opens_at_once(kind: FaultKind) -> None:
    bench, asked = Bench(unusable_s=30), provider(fault(kind))
    await bench.ask(asked)
    assert (await bench.ask(asked)).tries == ()
    mended = Configured(name="p", endpoint="https://elsewhere.example", provider=Scripted())
    assert (await bench.ask(mended)).reply is not None


@pytest.mark.parametrize("kind", [*OF_THE_REQUEST, FaultKind.UNKNOWN_MODEL])
async def test_faults_of_requests_open_no_circuit(kind: FaultKind) -> None:
    bench = Bench()
    asked = provider(*[fault(kind)] * 20)
    for _ in range(20):
        await bench.ask(asked)
    assert (await bench.ask(asked)).reply is not None
    assert [each for each in bench.source.heard if not each[1]] == []


async def test_the_last_resort_is_asked_now_and_then_although_its_circuit_is_open() -> None:
    bench = Bench(open_s=60, last_resort_s=1)
    asked = provider(fault(FaultKind.CREDENTIALS), fault(FaultKind.CREDENTIALS))
    await bench.ask(asked)
    assert (await bench.ask(asked, last_resort=True)).tries == ()
    bench.clock.now += 1
    assert len((await bench.ask(asked, last_resort=True)).tries) == 1
    bench.clock.now += 1
    assert (await bench.ask(asked, last_resort=True)).reply is not None


async def test_a_limit_of_calls_a_minute_asks_nobody_and_opens_nothing() -> None:
    bench, asked = Bench(), provider()
    bench.limit.wait_s = 7.5
    attempt = await bench.ask(asked)
    assert (attempt.tries, attempt.fault.kind, attempt.fault.retry_after_s) == ((), FaultKind.RATE_LIMITED, 8)
    standing = bench.standings.of(asked)
    assert standing.limited
    bench.clock.now += 8
    assert not standing.limited
    assert standing.breaker.available


async def test_a_full_house_turns_away_after_a_short_wait_and_asks_nobody() -> None:
    release, bench = asyncio.Event(), Bench(most_at_once=1)
    asked = provider(release.wait)
    first = asyncio.create_task(bench.ask(asked))
    await asyncio.sleep(0)
    turned = await bench.ask(asked)
    assert (turned.tries, turned.fault.kind) == ((), FaultKind.OVERLOADED)
    release.set()
    assert (await first).reply is not None
    assert (await bench.ask(asked)).reply is not None
    assert bench.standings.of(asked).busy == 0


async def test_a_cancelled_call_counts_as_nothing_and_gives_its_place_back() -> None:
    bench = Bench(most_at_once=1, rules=RetryRules(most=0), consecutive=1, open_s=10)
    asked = provider(fault(FaultKind.SERVER), asyncio.Event().wait)
    await bench.ask(asked)
    bench.clock.now += 10  # half open: the next call is the probe
    probe = asyncio.create_task(bench.ask(asked))
    await asyncio.sleep(0.001)
    assert (await bench.ask(asked)).tries == ()
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    tally = bench.tallies.of(ORG, TENANT, "p")
    assert (tally.requests, tally.errors) == (1, 1)
    assert bench.calls("p", "cancelled") == 1
    assert (await bench.ask(asked)).reply is not None


async def test_a_caller_who_leaves_while_waiting_for_a_place_takes_none() -> None:
    release, bench = asyncio.Event(), Bench(most_at_once=1)
    asked = provider(release.wait)
    first = asyncio.create_task(bench.ask(asked))
    await asyncio.sleep(0)
    second = asyncio.create_task(bench.ask(asked))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    release.set()
    await first
    assert (await bench.ask(asked)).reply is not None


async def test_a_provider_that_hangs_is_left_when_the_time_is_over() -> None:
    bench = Bench()
    attempt = await bench.ask(provider(asyncio.Event().wait), timeout_s=0.02)
    assert attempt.fault.kind is FaultKind.TIMEOUT
    assert attempt.may_have_run
    short = await bench.ask(provider(asyncio.Event().wait, name="short", timeout_s=0.02))
    assert short.fault.kind is FaultKind.TIMEOUT


async def test_no_time_left_is_no_call() -> None:
    bench, asked = Bench(), provider()
    attempt = await bench.ask(asked, timeout_s=0.0)
    assert attempt.fault is not None
    assert not attempt.may_have_run
    assert asked.provider.asked == []


async def test_a_bug_in_a_wire_format_is_a_fault_whose_words_nobody_logs(caplog: pytest.LogCaptureFixture) -> None:
    attempt = await Bench().ask(provider(ValueError("canary-prompt")))
    assert attempt.fault.kind is FaultKind.MALFORMED
    assert "canary-prompt" not in caplog.text + str(attempt.fault)
    assert "ValueError" in caplog.text


async def test_speed_is_learned_from_answers_and_forgotten_after_a_while() -> None:
    bench = Bench()

    async def slow() -> str:
        bench.clock.now += 0.4
        return "fine"

    asked = provider(slow, fault(FaultKind.INVALID_REQUEST))
    standing = bench.standings.of(asked)
    assert standing.speed_ms is None
    await bench.ask(asked)
    await bench.ask(asked)
    assert standing.speed_ms == pytest.approx(400)
    bench.clock.now += 301
    assert standing.speed_ms is None


async def test_names_beyond_a_bound_are_one_label() -> None:
    bench = Bench()
    for number in range(205):
        await bench.ask(Configured(name=f"p{number}"))
    assert bench.calls("p3", "success") == 1
    assert bench.calls("p204", "success") == 0
    assert bench.calls("other", "success") == 5
    assert bench.around.series.snapshot()["p3"]["total_tokens"] == 7
