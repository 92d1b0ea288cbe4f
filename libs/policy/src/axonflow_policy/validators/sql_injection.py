"""Tells SQL that breaks out of a literal or grafts itself on a query from SQL that is written as a whole."""

from __future__ import annotations

import re

from axonflow_policy.engines import regexp
from axonflow_policy.validators.found import Found
from axonflow_policy.validators.sql_context import (
    ASKED,
    CLOSE,
    QUOTES,
    VERB_START,
    WINDOW,
    line_lead,
    odd_quotes,
    quoted_in_explanation,
    sentence_lead,
)

_QUERY = re.compile(r"\b(?:select|insert|update|delete|where|with|create|set|values|returning)\b", re.IGNORECASE)

_COMMENT_CUT = re.compile(r"\s*(?:--|#|/\*)")

_ALL_ROWS = re.compile(r"[\w.`]*\s*(?:$|;|--|#|/\*|['\"`])")

_CUT_OFF = re.compile(r"(?:--|#|/\*)\s*\S{0,6}\s*$")

# What grafted queries fetch and honest reports do not.
_TELLTALE = regexp(
    "(?i)"
    r"@@\w|\b(?:version|user|database|current_user|system_user|schema)\s*\(\s*\)|\bconcat(?:_ws)?\s*\(|\bgroup_concat\s*\("
    r"|\binformation_schema\b|\bsqlite_master\b|\bmysql\.\w|\bpg_(?:shadow|user|catalog|authid)\b"
    r"|\b(?:all|user|dba)_(?:tab\w*|users)\b|\bsys(?:objects|users|columns|databases)\b|\bcha?r\s*\(\s*\d|\b0x[0-9a-f]{4,}"
    r"|\bload_file\s*\(|\binto\s+(?:out|dump)file\b|\bsleep\s*\(|\bbenchmark\s*\(|\bunhex\s*\(|\bhex\s*\(|\bxmlagg\b"
    r"|\baes_(?:en|de)crypt\b|\bxp_\w+|\b(?:pass(?:word|wd)?|pwd|passhash|password_hash|user_pass|admin_pw|credit_?cards?"
    r"|secrets?|secret_key|api_?keys?)\b",
)

_PADDING = re.compile(r"\b(?:null|\d+|'[^']{0,20}')(?:\s*,\s*(?:null|\d+|'[^']{0,20}')){2,}", re.IGNORECASE)

_SKIP = r"(?:[\s(+]|/\*[^*]{0,80}\*/)*"

_SELECT_LIST = re.compile(
    rf"{_SKIP}(?:(?:all\b|distinct\b|top\s+\d+){_SKIP})?(?:$|[*'\"`@\d\[-]|0x|null\b|select\b"
    r"|[\w.$\[\]`\"]+\s*(?:[,(|)*+-]|from\b|;|--|#|/\*|$|limit\b|into\b|as\s+\w+\s*(?:,|from\b)))",
    re.IGNORECASE,
)

_GRAFT = re.compile(r"['\")]\s*\)*\s*$|=\s*-?\d+\s*$|\bwhere\b[^;\n]{0,160}$", re.IGNORECASE)

_BREAKOUT = re.compile(
    r"(?:^|['\"`)\];]|%27|%22|\*/|--|#|(?:^|[\s(=,+-])(?:0x[0-9a-f]+|\d[\w.]*|null|@\w+)"
    r"|\bwhere\b[^.\n]{0,120}|\bhaving\b[^.\n]{0,80}|^\W*\d*\W*[A-Za-z]{1,20}(?:\*\d)?)\s*$",
    re.IGNORECASE,
)

_CUT = re.compile(
    r"[\s'\"`)]*(?:$|--|#|/\*|;|%23|\n|(?:and|or|union|limit|group|order|having|xor|like|then)\b|&&|\|\||[=<>]|,)",
    re.IGNORECASE,
)


def _tells(tail: str) -> bool:
    # re2, since an alternation of this width costs Python's engine forty times as much.
    return _TELLTALE.search(tail.encode("latin-1")) is not None


def union(found: Found) -> bool:
    """A UNION SELECT that was grafted on: there is no query before it, or what it fetches gives it away."""
    tail = found.after(WINDOW)
    if not _SELECT_LIST.match(tail):
        return False
    lead = found.before(WINDOW)
    query = lead[lead.rfind(";") + 1 :]
    if "select" in query.lower():
        cut = "\n" not in tail.strip() and _CUT_OFF.search(tail) is not None
        if _GRAFT.search(query):
            return cut or _PADDING.search(tail) is not None or _tells(tail)
        return cut and _PADDING.search(tail) is not None
    line = line_lead(found)
    if ASKED.search(line) and not re.search(r"['\"`]\s*\S{0,12}\s*$", line):
        return _tells(tail) or _PADDING.match(tail.lstrip()) is not None
    return True


def condition(found: Found) -> bool:
    """A condition that is always true or false, hung on a literal or number and followed by nothing but syntax."""
    lead, tail = found.before(160), found.after(CLOSE)
    if found.value[-4:].lower() in {"true", "rue)"} and not re.search(r"['\"`)]\s*$|^\W*\d*\s*$", lead):
        return False  # ``x or True`` of a program
    if not _BREAKOUT.search(lead) and not re.search(r"\b(?:or|and)\b\s*$|[|&]{2}\s*$", lead, re.IGNORECASE):
        return _COMMENT_CUT.match(tail) is not None
    return not quoted_in_explanation(found) and _CUT.match(tail) is not None


def condition_string(found: Found) -> bool:
    """A comparison hung on a closed literal."""
    if quoted_in_explanation(found):
        return False
    if found.value[0] in QUOTES:
        lead = found.before(WINDOW)
        return odd_quotes(lead[lead.rfind("\n") + 1 :] + found.value[0]) and not VERB_START.match(line_lead(found))
    return _BREAKOUT.search(found.before(160)) is not None


def probe(found: Found) -> bool:
    """A function that only attacks call, unless the sentence asks about it without breaking out of anything."""
    sentence = sentence_lead(found)
    if not ASKED.search(sentence):
        return True
    return (
        odd_quotes(sentence) or re.search(r"\b(?:select|and|or|union)\b[^a-z]*$", sentence, re.IGNORECASE) is not None
    )


_IN_SQL = re.compile(
    r"\b(?:select|and|or|union|order\s+by|rlike|xor|having|benchmark)\b[^.\n]{0,60}$|\bif\s*\([^)\n]{0,60}$"
    r"|['\"`]\s*[&|+,);-]*\s*$|^\W*\d*[-+&|,;)]+\s*$",
    re.IGNORECASE,
)


def delay(found: Found) -> bool:
    """SLEEP in SQL; ``time.sleep(5)`` and the sleep of a program are not."""
    lead = found.before(CLOSE)
    if re.search(r"[.:>$]\s*$|\b(?:await|usleep|thread|void|def|function)\s*$", lead, re.IGNORECASE):
        return False
    line = lead[lead.rfind("\n") + 1 :]
    tail = found.after(CLOSE)
    cut = not line.strip() and re.match(r"\s*(?:#|--|['\"])", tail) is not None
    return (cut or _IN_SQL.search(line) is not None) and probe(found)


def stacked(found: Found) -> bool:
    """A second statement behind a literal that was closed, not the next one of a script."""
    lead = line_lead(found).strip()
    if _CUT_OFF.search(found.after(WINDOW).split("\n")[0]):
        return True
    if not lead or (VERB_START.match(lead) and not odd_quotes(lead)):
        return False
    return re.search(r"['\"`)\d]\s*\)*\s*$", lead) is not None or odd_quotes(lead)


def stacked_select(found: Found) -> bool:
    """A SELECT behind a literal that was closed too early."""
    return odd_quotes(line_lead(found) + found.value[0])


def stacked_exec(found: Found) -> bool:
    """EXEC behind a closed literal, or of a procedure that reaches the system."""
    return stacked(found) if found.value.startswith(";") else probe(found)


_FRAGMENT = re.compile(r"\W{0,3}-?\d*['\")]*\s*")


def comment(found: Found) -> bool:
    """A comment that cuts a fragment or an open literal, not one in a script or a program."""
    if found.value[:5].lower() == "order" or found.value.lstrip()[:1] == "(":
        return _QUERY.search(found.before(WINDOW)) is None
    lead = found.before(CLOSE)
    line = lead[lead.rfind("\n") + 1 :] + re.split(r"--|#", found.value)[0]
    return odd_quotes(line) or _FRAGMENT.fullmatch(line) is not None


def login(found: Found) -> bool:
    """A quote that ends a login name too early: it is the odd one, or the comment behind it hides a literal."""
    lead = found.before(CLOSE)
    quote = re.split(r"--|#|/\*|;", found.value)[0]
    if odd_quotes(lead[lead.rfind("\n") + 1 :] + quote):
        return True
    return "--" in found.value and re.match(r"\s*(?:$|['\"])", found.after(CLOSE)) is not None


def nested_select(found: Found) -> bool:
    """A SELECT used as an operand where no query is around it, or inside a function that only attacks give one to."""
    if not probe(found):
        return False
    if re.match(r"(?i)concat|\(\s*select\s*\(?\s*(?:sleep|benchmark)", found.value):
        return True
    return _QUERY.search(found.before(WINDOW)) is None and not re.search(
        r"\bunion\b", found.after(WINDOW), re.IGNORECASE
    )


def catalog_read(found: Found) -> bool:
    """A read of the catalogue from inside another query, or one of all there is; not a filtered query or a question."""
    lead, tail = found.before(WINDOW), found.after(CLOSE)
    inner = re.search(r"\b(?:union|and|or|concat|count\s*\(\*\))\b[^;]*\bfrom\W*$", lead, re.IGNORECASE)
    if inner and not re.search(r"^\s*select\b[^;]*\bfrom\b", lead, re.IGNORECASE):
        return True
    if re.search(r"\(\s*select\b[^;)]*\bfrom\W*$", lead, re.IGNORECASE):
        return True
    everything = re.search(r"(?:^|[\n;\"'`:])\s*select\b[^;\n]{1,80}\bfrom\W*$", lead, re.IGNORECASE)
    return everything is not None and not ASKED.search(sentence_lead(found)) and _ALL_ROWS.match(tail) is not None


def hex_literal(found: Found) -> bool:
    """A long hexadecimal literal used as a SQL value, not a hash or an address in prose or code."""
    around = found.before(CLOSE) + " " + found.after(CLOSE)
    return re.search(r"\b(?:select|union|cast|exec|declare|concat)\b", around, re.IGNORECASE) is not None
