"""Sealed values: bound to their place, opened under old keys, refused when touched."""

from __future__ import annotations

import base64
import os

import pytest
from axonflow_sealing import CannotOpen, Sealer, SealingContext, SealingUnavailable
from axonflow_settings import Secret
from hypothesis import given
from hypothesis import strategies as st

PLACE = SealingContext(org_id="acme", purpose="connector.credentials", row_id="crm")


def key() -> Secret:
    return Secret(os.urandom(32).hex())


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([key()])


@pytest.mark.parametrize("value", [b"", b"x", b'{"password": "hunter2"}', bytes(range(256)) * 400])
def test_a_value_opens_where_it_was_sealed(sealer: Sealer, value: bytes) -> None:
    assert sealer.open(sealer.seal(value, context=PLACE), context=PLACE) == value


def test_the_same_value_never_looks_the_same_twice_and_is_nowhere_to_be_seen(sealer: Sealer) -> None:
    first, second = (sealer.seal(b"hunter2-hunter2", context=PLACE) for _ in range(2))
    assert first != second
    assert b"hunter2" not in first


@pytest.mark.parametrize(
    "elsewhere",
    [
        SealingContext(org_id="other", purpose=PLACE.purpose, row_id=PLACE.row_id),
        SealingContext(org_id=PLACE.org_id, purpose="webhook.secret", row_id=PLACE.row_id),
        SealingContext(org_id=PLACE.org_id, purpose=PLACE.purpose, row_id="erp"),
        SealingContext(org_id="acmeconnector", purpose=".credentials", row_id="crm"),
    ],
)
def test_a_value_that_was_moved_does_not_open(sealer: Sealer, elsewhere: SealingContext) -> None:
    with pytest.raises(CannotOpen, match="altered, or belongs to another place"):
        sealer.open(sealer.seal(b"value", context=PLACE), context=elsewhere)


@given(
    st.tuples(st.text(max_size=4), st.text(max_size=4), st.text(max_size=4)),
    st.tuples(st.text(max_size=4), st.text(max_size=4), st.text(max_size=4)),
)
def test_two_places_are_never_bound_alike(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (SealingContext(*one).encoded() == SealingContext(*other).encoded()) == (one == other)


def test_no_bit_of_a_sealed_value_may_change(sealer: Sealer) -> None:
    sealed = sealer.seal(b"value", context=PLACE)
    for position in range(len(sealed)):
        touched = bytearray(sealed)
        touched[position] ^= 1
        with pytest.raises(CannotOpen):
            sealer.open(bytes(touched), context=PLACE)


@pytest.mark.parametrize("cut", [0, 1, 9, 36, 52, -1])
def test_a_value_that_was_cut_does_not_open(sealer: Sealer, cut: int) -> None:
    sealed = sealer.seal(b"value", context=PLACE)
    with pytest.raises(CannotOpen):
        sealer.open(sealed[:cut], context=PLACE)


def test_after_a_rotation_old_values_open_and_new_ones_are_under_the_new_key() -> None:
    old, new = key(), key()
    before, after = Sealer([old]), Sealer([new, old])
    sealed = before.seal(b"value", context=PLACE)
    assert after.open(sealed, context=PLACE) == b"value"
    assert not after.is_current(sealed)
    again = after.seal(b"value", context=PLACE)
    assert after.is_current(again)
    with pytest.raises(CannotOpen, match="AXONFLOW_SEALING_KEY_PREVIOUS"):
        before.open(again, context=PLACE)


def test_the_same_key_may_be_given_twice_and_in_either_form() -> None:
    raw = os.urandom(32)
    forms = [raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()]
    sealed = Sealer([Secret(forms[0])]).seal(b"value", context=PLACE)
    for form in forms:
        assert Sealer([Secret(form), Secret(form)]).open(sealed, context=PLACE) == b"value"


def test_without_a_key_sealing_and_opening_are_refused_with_what_to_do() -> None:
    sealer = Sealer([])
    assert not sealer.available
    with pytest.raises(SealingUnavailable, match="set AXONFLOW_SEALING_KEY"):
        sealer.seal(b"value", context=PLACE)
    with pytest.raises(SealingUnavailable, match="openssl rand"):
        sealer.open(b"\x01", context=PLACE)


@pytest.mark.parametrize("text", ["", "short", "zz" * 32, "00" * 31, "00" * 33])
def test_a_key_of_another_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer([Secret(text)])
