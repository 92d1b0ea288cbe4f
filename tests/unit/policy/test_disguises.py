"""Every kind of finding in every disguise: what is missed is known, and little."""

from __future__ import annotations

import base64
import tomllib
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from axonflow_contracts.verdicts import Phase, Verdict
from axonflow_policy import Content, PolicySet

FILE = tomllib.loads((Path(__file__).parent / "disguises.toml").read_text("utf-8"))
CYRILLIC = str.maketrans(
    "aeocpiAEOPTIS", "\u0430\u0435\u043e\u0441\u0440\u0456\u0410\u0415\u041e\u0420\u0422\u0406\u0405"
)
SPLIT = ("DROP", "UNION", "previous", "curl")
LEAST_FOUND = 0.9


def cut_words(text: str, knife: str) -> str:
    for word in SPLIT:
        text = text.replace(word, f"{word[:2]}{knife}{word[2:]}")
    return text


DISGUISES: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "url": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "url as browsers write it": urllib.parse.quote,
    "entities": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "zero width": "\u200b".join,
    "bidi": lambda text: f"\u202d{text[:4]}\u2066{text[4:]}\u2069\u202c",
    "look-alikes": lambda text: text.translate(CYRILLIC),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "spaces": lambda text: " ".join(text.replace(" ", "  ")),
    "dots": ".".join,
    "dashes": "-".join,
    "newlines": "\n".join,
    "comments": lambda text: cut_words(text, "/**/"),
    "quotes": lambda text: cut_words(text, "''"),
}


def test_what_is_missed_in_a_disguise_is_known_and_little(catalogue_set: PolicySet) -> None:
    missed: dict[str, list[str]] = {}
    tried = 0
    for name, disguise in DISGUISES.items():
        for payload, (sentence, plain) in FILE["payloads"].items():
            hidden = disguise(plain)
            if hidden == plain:
                continue
            tried += 1
            verdict = catalogue_set.evaluate(Content.of(sentence.format(hidden)), Phase.REQUEST).verdict
            if verdict is not Verdict.BLOCKED:
                missed.setdefault(name, []).append(payload)
    assert missed == FILE["misses"]
    assert sum(map(len, missed.values())) / tried < 1 - LEAST_FOUND
