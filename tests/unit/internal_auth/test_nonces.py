"""Nonces are remembered as long as they matter, and no longer."""

from __future__ import annotations

from axonflow_internal_auth.nonces import SeenNonces


def test_memory_is_given_back_when_tokens_have_expired():
    seen = SeenNonces(60)
    for second in range(1_000):
        for number in range(10):
            assert seen.claim(f"{second}-{number}", second, float(second))
        assert seen._count <= 62 * 10


def test_a_full_memory_accepts_nothing_new_rather_than_forget():
    seen = SeenNonces(60, most=3)
    assert [seen.claim(name, 100, 100.0) for name in "abcd"] == [True, True, True, False]
    assert seen.claim("a", 100, 100.0) is False
    assert seen.claim("e", 170, 170.0) is True


def test_a_clock_set_back_does_not_forget_what_it_saw():
    seen = SeenNonces(60)
    assert seen.claim("a", 10_000, 10_000.0)
    assert seen.claim("b", 6_400, 6_400.0)
    assert not seen.claim("a", 10_000, 9_990.0)
