"""Proves a compiled database on the machine it runs on, before its silence is trusted.

Vectorscan 5.4 misses matches of some patterns on some processors (its issues 317, 358 and 368: vectorised searches for
the first bytes of a pattern), and of others where they end with the text. So texts are made from each pattern, re2
confirms that they match, and the database must find them at many offsets, in the midst and at the end. Patterns it does
not find are left to re2.
"""

from __future__ import annotations

import importlib
import random
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import re2

_SAMPLES = 6
_TRIES = 4
# Around the widths of vector registers, where the known faults begin and end.
_OFFSETS = (0, 1, 15, 17, 31, 34, 63, 66, 130)
_FILLER = b" a"
_TAILS = (b"", b" " * 70)
_ALPHABET = "a0 x_-'\";=(Z/*\n"

# The standard library's own parser of regular expressions; private, but the same in Python 3.11 to 3.14.
_parse: Callable[[str], Any] = importlib.import_module("re._parser").parse


def samples(pattern: str, seed: int = 0) -> list[bytes]:
    """Texts that ``pattern`` is likely to match, others for other seeds; none if it uses syntax that only re2 has."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = _parse(pattern.replace(r"\z", r"\Z"))
    except (re.error, Warning, OverflowError, RecursionError):
        return []
    chance = random.Random(f"{seed} {pattern}")  # noqa: S311 # chooses test texts, keeps no secret
    return [_text(tree, chance).encode("utf-8") for _ in range(_SAMPLES * _TRIES)]


def unproven(
    hits: Callable[[bytes], list[int]], patterns: Sequence[tuple[str, re2._Regexp]], seed: int = 0
) -> list[int]:
    """Indexes of the patterns that ``hits`` misses in a text that re2 says they match, or that no text was made for."""
    missed: list[int] = []
    for index, (source, compiled) in enumerate(patterns):
        matching = [text for text in samples(source, seed) if compiled.search(text)][:_SAMPLES]
        placed = (
            (_FILLER * offset)[:offset] + text + tail for text in matching for offset in _OFFSETS for tail in _TAILS
        )
        if not matching or any(index not in hits(text) for text in placed if compiled.search(text)):
            missed.append(index)
    return missed


def _text(tree: Any, chance: random.Random) -> str:
    return "".join(_one(str(op), argument, chance) for op, argument in tree)


def _one(op: str, argument: Any, chance: random.Random) -> str:
    match op:
        case "LITERAL":
            text = chr(argument)
        case "NOT_LITERAL":
            text = next(character for character in _ALPHABET if ord(character) != argument)
        case "IN":
            text = _member(argument, chance)
        case "ANY":
            text = chance.choice("a ;")
        case "BRANCH":
            text = _text(chance.choice(argument[1]), chance)
        case "SUBPATTERN":
            text = _text(argument[3], chance)
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, most, inner = argument
            count = min(int(most), int(least) + chance.choice((0, 0, 1, 2)))
            text = "".join(_text(inner, chance) for _ in range(count))
        case _:  # anchors take no text
            text = ""
    return text


def _member(items: Any, chance: random.Random) -> str:
    if str(items[0][0]) == "NEGATE":
        allowed = [character for character in _ALPHABET if not any(_holds(item, character) for item in items[1:])]
        return chance.choice(allowed) if allowed else "b"
    op, argument = chance.choice(items)
    match str(op):
        case "LITERAL":
            return chr(argument)
        case "RANGE":
            return chr(chance.randint(*argument))
        case _:
            return {"CATEGORY_DIGIT": "7", "CATEGORY_WORD": "w", "CATEGORY_SPACE": " "}.get(str(argument), "-")


def _holds(item: Any, character: str) -> bool:
    op, argument = str(item[0]), item[1]
    if op == "LITERAL":
        return bool(ord(character) == argument)
    if op == "RANGE":
        return bool(argument[0] <= ord(character) <= argument[1])
    categories = {
        "CATEGORY_DIGIT": character.isdigit(),
        "CATEGORY_WORD": character.isalnum() or character == "_",
        "CATEGORY_SPACE": character.isspace(),
    }
    return categories.get(str(argument), True)
