"""Policies as people write them, any number, the same in every run: names, codes, hosts, phrases of a company."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from axonflow_contracts.verdicts import Action, Severity
from axonflow_policy import Policy

from bench.tools import WORDS

_KINDS = ("alpha", "beta", "internal", "secret", "draft", "launch", "merger", "board", "salary", "roadmap")


def written_policies(count: int) -> list[Policy]:
    """``count`` policies, no two alike, in turns of every form that is written often."""
    chance = Random(41)
    words = WORDS.read_text("utf-8").split()
    made: dict[str, Policy] = {}
    while len(made) < count:
        pattern = _FORMS[len(made) % len(_FORMS)](chance, words)
        if pattern not in made:
            made[pattern] = _policy(len(made), pattern, chance)
    return list(made.values())


def _project(chance: Random, words: list[str]) -> str:
    return rf"(?i)\bproject\s+{chance.choice(words)}[ -]?{chance.choice(words)}\b"


def _ticket(chance: Random, _: list[str]) -> str:
    letters = "".join(chance.choices("ABCDEFGHKLMNPRSTUVWXYZ", k=chance.choice((2, 3, 4))))
    return rf"\b{letters}-\d{{{chance.choice((4, 5, 6))}}}\b"


def _number_of(chance: Random, words: list[str]) -> str:
    digits = chance.choice((5, 6, 7, 8))
    return rf"(?i)\b{chance.choice(words)}\s+(?:number|no\.?|id)\s{{0,3}}[:#]?\s{{0,3}}\d{{{digits}}}\b"


def _host(chance: Random, words: list[str]) -> str:
    return rf"\b[a-z0-9-]{{1,40}}\.{chance.choice(words)}-{chance.choice(words)}\.(?:corp|intra|local)\b"


def _phrase(chance: Random, words: list[str]) -> str:
    few = "|".join(sorted(chance.sample(words, 4)))
    return rf"(?i)\b(?:{few})\s+{chance.choice(_KINDS)}\s+(?:plan|report|memo|list|{chance.choice(words)})\b"


def _key(chance: Random, words: list[str]) -> str:
    return rf"\b{chance.choice(words)[:4]}_{chance.choice(words)[:5]}_[A-Za-z0-9]{{20,40}}\b"


_FORMS: tuple[Callable[[Random, list[str]], str], ...] = (_project, _ticket, _number_of, _host, _phrase, _key)


def _policy(number: int, pattern: str, chance: Random) -> Policy:
    return Policy(
        id=f"bench_{number:05}",
        name=f"written policy {number}",
        category="custom",
        severity=chance.choice(list(Severity)),
        priority=chance.randrange(1000),
        pattern=pattern,
        reason="a company's own term",
        action=Action.WARN,
    )
