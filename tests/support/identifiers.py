"""Hypothesis strategies for valid identifiers of people, by the policy that finds them."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from stdnum import luhn, verhoeff
from stdnum.iso7064 import mod_97_10

_NRIC_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
_NRIC = {"S": (0, "JZIHGFEDCBA"), "T": (4, "JZIHGFEDCBA"), "F": (0, "XWUTRQPNMLK"), "M": (3, "XWUTRQPNJLK")}
_IBANS = {"DE": ("", 18), "FR": ("", 23), "GB": ("NWBK", 14), "NL": ("ABNA", 10), "BE": ("", 12), "NO": ("", 11)}
_CARDS = {"4": 16, "51": 16, "2221": 16, "37": 15, "6011": 16, "65": 16}


def _digits(size: int) -> st.SearchStrategy[str]:
    return st.integers(0, 10**size - 1).map(lambda number: f"{number:0{size}d}")


def _grouped(value: str) -> str:
    return " ".join(value[place : place + 4] for place in range(0, len(value), 4))


def _either(plain: st.SearchStrategy[str], grouped: Callable[[str], str] = _grouped) -> st.SearchStrategy[str]:
    return plain | plain.map(grouped)


def _card(prefix: str) -> st.SearchStrategy[str]:
    bodies = _digits(_CARDS[prefix] - 1 - len(prefix)).map(lambda rest: prefix + rest)
    cards = bodies.map(lambda body: body + luhn.calc_check_digit(body))
    return _either(cards, lambda card: f"{card[:4]} {card[4:10]} {card[10:]}" if prefix == "37" else _grouped(card))


def _aadhaar(body: str) -> str:
    return body + verhoeff.calc_check_digit(body)


def _iban(country: str) -> st.SearchStrategy[str]:
    bank, size = _IBANS[country]
    bodies = _digits(size).map(lambda rest: bank + rest)
    return bodies.map(lambda body: country + mod_97_10.calc_check_digits(body + country) + body)


def _nric(series: str, digits: str) -> str:
    offset, letters = _NRIC[series]
    total = offset + sum(weight * int(digit) for weight, digit in zip(_NRIC_WEIGHTS, digits, strict=True))
    return series + digits + letters[total % 11]


IDENTIFIERS: dict[str, st.SearchStrategy[str]] = {
    "sys_pii_ssn": st.builds(
        "{:03d}-{:02d}-{:04d}".format, st.integers(667, 899), st.integers(1, 99), st.integers(1, 9999)
    ),
    "sys_pii_credit_card": st.sampled_from(sorted(_CARDS)).flatmap(_card),
    "sys_pii_aadhaar": _either(
        st.builds("{}{}".format, st.integers(2, 9), _digits(10))
        .map(_aadhaar)
        .filter(lambda found: found != found[::-1])
    ),
    "sys_pii_iban": _either(st.sampled_from(sorted(_IBANS)).flatmap(_iban)),
    "sys_pii_indonesia_nik": st.builds(
        "{}{:04d}{:02d}{:02d}{:02d}{:04d}".format,
        st.sampled_from([11, 31, 32, 51, 73, 91]),
        st.integers(1, 9999),
        st.integers(1, 28) | st.integers(41, 68),
        st.integers(1, 12),
        st.integers(0, 99),
        st.integers(1, 9999),
    ),
    "sys_pii_phone": st.builds(
        "+1 {}-{}-{:04d}".format, st.integers(201, 988), st.integers(201, 998), st.integers(0, 9999)
    ),
    "sys_pii_pan": st.builds(
        "ABC{}E{:04d}{}".format, st.sampled_from("PCH"), st.integers(1, 9999), st.sampled_from("KR")
    ),
    "sys_pii_email": st.integers(1, 99).map("jane{}@example.org".format),
    "sys_pii_ip_address": st.builds("91.198.{}.{}".format, st.integers(1, 254), st.integers(1, 254)),
    "sys_pii_singapore_nric": st.builds(_nric, st.sampled_from(sorted(_NRIC)), _digits(7)),
}
ANY_IDENTIFIER = st.one_of(list(IDENTIFIERS.values()))
