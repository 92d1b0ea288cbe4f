"""Makes policy sets and inputs from a seed: small sets, simple patterns, texts that often match, disguised too."""

# ruff: noqa: RUF001 # look-alikes are what these texts hold

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

import msgspec
from axonflow_contracts.posture import Lever, Posture, Profile
from axonflow_contracts.verdicts import Action, Phase, Severity
from axonflow_policy import Content, Part, Phases, Policy, PolicyOverride

CATEGORIES = ("custom", "pii-us", "code-secrets", "security-admin", "security-sqli", "sensitive-data")
VALIDATORS = ("passport", "booking_reference", "us_ssn", "card_number", "email_address", "ip_address", "phone_number")
ENGINES = ("vectorscan", "re2", "re2")  # a Vectorscan database costs most of the time


class Case(msgspec.Struct, frozen=True):
    """One question to both engines; as JSON it is also the form of a reproducer."""

    rows: tuple[Policy, ...]
    posture: Posture
    overrides: dict[str, PolicyOverride]
    content: Content
    phase: Phase
    is_admin: bool
    engine: str


class Expression(NamedTuple):
    """A regular expression, and a maker of texts that it may match."""

    source: str
    sample: Callable[[Random], str]
    may_be_empty: bool = False
    one_way: bool = True  # without alternatives and repeats; only such may repeat, or Python's `re` takes forever


# Alike in RE2, PCRE and Python's `re` on bytes.
ATOMS = (
    *(Expression(letter, lambda _, letter=letter: letter) for letter in ("a", "b", "c", "1", " ", "-", "@", "ab")),
    Expression("[a-c]", lambda chance: chance.choice("abc")),
    Expression("[a-c0-9 ]", lambda chance: chance.choice("abc019 ")),
    Expression("[^a-c]", lambda chance: chance.choice("x1 é\n")),
    Expression(r"\d", lambda chance: chance.choice("0123456789")),
    Expression(r"\w", lambda chance: chance.choice("aZ_9")),
    Expression(r"\s", lambda chance: chance.choice(" \t\n\v")),
    Expression(r"[^\s]", lambda chance: chance.choice("a-é")),
    Expression(".", lambda chance: chance.choice("a1 é")),
)
REPEATS = (("?", 0, 1), ("*", 0, 3), ("+", 1, 3), ("{2}", 2, 2), ("{1,3}", 1, 3), ("+?", 1, 3), ("*?", 0, 3))
IDENTIFIERS = (
    Expression(r"\b\d{3}-\d{2}-\d{4}\b", lambda chance: chance.choice(("123-45-6789", "000-12-3456", "912-11-2222"))),
    Expression(r"\b\d(?:[ -]?\d){11,22}\b", lambda chance: chance.choice(
        ("4111 1111 1111 1111", "4111 1111 1111 1111 123", "12 4111111111111111", "4111111111111112"))),
    Expression(r"[a-z0-9.]+@[a-z0-9.]+\.[a-z]{2,4}", lambda chance: chance.choice(("jane@example.org", "x@y.png"))),
    Expression(r"\d{1,3}(?:\.\d{1,3}){3}", lambda chance: chance.choice(("91.198.174.192", "10.0.0.999", "1.2.3.4"))),
    Expression(r"\+?\d[\d -]{7,16}\d", lambda chance: chance.choice(("+1 415-555-2671", "415 555 2671 22"))),
)  # fmt: skip
FILLERS = (
    "", " ", "  ", ", ", "\n", "x", "é", "🙂", "１２", "ﬁ", "㎏", "\u200b", "\u00a0", "аЬс", "ａｂ", "\u2013", "\u2019",
    "order ", "zip: ", "ssn ", "a b c 1 2 3 ", "a/**/b", "c''a", "%61%62", "&#97;b", "\\x61", "+", "\0", "\U000e0061",
)  # fmt: skip


def expression(chance: Random, depth: int = 2) -> Expression:
    """A sequence, alternative, repeat, group or atom."""
    kind = chance.randrange(8) if depth else 7
    if kind <= 2:
        return sequence([expression(chance, depth - 1) for _ in range(chance.randint(2, 3))])
    if kind == 3:
        one, other = expression(chance, depth - 1), expression(chance, depth - 1)
        return Expression(
            f"(?:{one.source}|{other.source})",
            lambda c: (one if c.random() < 0.5 else other).sample(c),
            one.may_be_empty or other.may_be_empty,
            one_way=False,
        )
    if kind in (4, 5):
        inner = expression(chance, depth - 1)
        # What repeats is never empty: there the engines' readings of groups differ, and nobody means it.
        return inner if inner.may_be_empty else repeated(inner, chance)
    if kind == 6:
        inner = expression(chance, depth - 1)
        return inner._replace(source=f"({inner.source})")
    return chance.choice(ATOMS)


def sequence(parts: Sequence[Expression]) -> Expression:
    """One after the other."""
    return Expression(
        "".join(part.source for part in parts),
        lambda chance: "".join(part.sample(chance) for part in parts),
        all(part.may_be_empty for part in parts),
        all(part.one_way for part in parts),
    )


def repeated(inner: Expression, chance: Random) -> Expression:
    """``inner`` some times over."""
    mark, least, most = chance.choice(REPEATS) if inner.one_way else REPEATS[0]
    return Expression(
        f"(?:{inner.source}){mark}",
        lambda c: "".join(inner.sample(c) for _ in range(c.randint(least, most))),
        least == 0,
        one_way=False,
    )


def pattern(chance: Random) -> Expression:
    """A pattern for a policy: never one that matches nothing at all; sometimes anchored."""
    if chance.random() < 0.25:
        return chance.choice(IDENTIFIERS)
    made = expression(chance)
    if made.may_be_empty:
        made = sequence((made, chance.choice(ATOMS)))
    dressing = chance.randrange(10)
    if dressing == 0:
        return made._replace(source=rf"\b(?:{made.source})\b")
    if dressing == 1:
        return made._replace(source=f"^(?:{made.source})")
    if dressing == 2:
        return made._replace(source=rf"(?:{made.source})\z")
    if dressing == 3:
        return made._replace(source=f"(?i){made.source}")
    return made


def policy(chance: Random, name: str, source: str) -> Policy:
    """A row with everything else by chance."""
    return Policy(
        id=name,
        name=f"name of {name}",
        category=chance.choice(CATEGORIES),
        severity=chance.choice(list(Severity)),
        priority=chance.choice((0, 50, 50, 1000)),
        pattern=source,
        reason=f"{name} found",
        action=chance.choice(list(Action)),
        validator=chance.choice(VALIDATORS) if chance.random() < 0.4 else None,
        phases=chance.choice((Phases.BOTH, Phases.BOTH, Phases.REQUEST, Phases.RESPONSE)),
        action_request=chance.choice((None, *Action)),
        action_response=chance.choice((None, *Action)),
        lever=chance.choice((None, None, *Lever)),
        enabled=chance.random() < 0.85,
    )


def posture(chance: Random) -> Posture:
    """Some levers, a profile, an enforce list, skipped categories."""

    def levers() -> dict[Lever, Action]:
        return {lever: chance.choice(list(Action)) for lever in Lever if chance.random() < 0.15}

    return Posture(
        profile=chance.choice(list(Profile)),
        enforce=frozenset(lever for lever in Lever if chance.random() < 0.15),
        global_levers=levers(),
        mode_levers=levers(),
        mode=chance.choice(("GATEWAY", "MCP")),
        skip_categories=frozenset(category for category in CATEGORIES if chance.random() < 0.05),
    )


def overrides(chance: Random, names: Sequence[str]) -> dict[str, PolicyOverride]:
    """For some of ``names`` and one that is not in the set."""
    return {
        name: PolicyOverride(f"o-{name}", chance.choice((None, *Action)), chance.choice((None, None, True, False)))
        for name in (*names, "unknown")
        if chance.random() < 0.2
    }


def disguised(chance: Random, text: str) -> str:  # noqa: PLR0911 # a table, one line a disguise
    """``text`` as it is, or in one of the forms that a reader undoes."""
    match chance.randrange(14):
        case 0:
            return base64.b64encode(f"{text} and more".encode()).decode()
        case 1:
            return "".join(f"%{byte:02x}" for byte in text.encode())
        case 2:
            return "".join(f"&#{ord(character)};" for character in text)
        case 3:
            return " ".join(text)
        case 4:
            return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
        case 5:
            return "\u200b".join(text)
        case 6:
            return f"{text} and more".encode().hex()
        case 7:
            return text.upper()
        case _:
            return text


def text(chance: Random, expressions: Sequence[Expression]) -> str:
    """What the patterns may match, once in a while in disguise, with fillers between."""
    made: list[str] = []
    for _ in range(chance.randint(1, 5)):
        made.append(chance.choice(FILLERS))
        made.append(disguised(chance, chance.choice((*expressions, *ATOMS)).sample(chance)))
    made.append(chance.choice(FILLERS))
    return "".join(made)


def cases(seed: int, per_set: int) -> Iterator[Case]:
    """``per_set`` inputs, postures and overrides for the set of ``seed``."""
    chance = Random(seed)
    expressions = [pattern(chance) for _ in range(chance.randint(1, 5))]
    rows = [policy(chance, f"p{place}", made.source) for place, made in enumerate(expressions)]
    engine = chance.choice(ENGINES)
    for _ in range(per_set):
        parts = [Part(f"m[{place}]", text(chance, expressions)) for place in range(chance.choice((1, 1, 2, 3)))]
        yield Case(
            tuple(rows),
            posture(chance),
            overrides(chance, [row.id for row in rows]),
            Content(tuple(parts)),
            chance.choice(list(Phase)),
            chance.random() < 0.2,
            engine,
        )
