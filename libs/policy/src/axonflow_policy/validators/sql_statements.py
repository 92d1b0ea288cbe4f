"""Tells a statement that is run from one that is explained, or from English that sounds like one."""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found
from axonflow_policy.validators.sql_context import (
    ASKED,
    CLOSE,
    QUOTES,
    VERB_START,
    explained,
    line_lead,
    odd_quotes,
    sentence_lead,
)

_STATEMENT = 2000

# Words that stand where an identifier would, when people write about statements.
_PROSE_WORD = re.compile(
    r"(?:a|about|actually|after|all|also|always|an|and|any|are|as|at|be|because|before|but|by|can|cannot|command|"
    r"commands|do|does|doing|done|during|either|else|even|exactly|for|from|get|gets|has|have|how|i|if|in|instead|"
    r"into|is|it|its|just|keyword|keywords|let|like|mean|means|might|more|most|must|my|need|never|no|not|of|off|on|"
    r"once|only|or|other|our|out|over|permission|privilege|privileges|query|queries|really|right|safely|should|so|"
    r"some|statement|statements|syntax|than|that|the|their|them|then|there|these|they|this|those|through|to|too|"
    r"until|up|use|used|uses|using|usually|versus|very|via|vs|was|we|were|what|when|where|whether|which|while|who|"
    r"whose|why|will|with|within|without|work|works|would|you|your)",
    re.IGNORECASE,
)

_ORDERED = re.compile(
    r"\b(?:run|running|runs|execute|executes|executing|exec|perform|issue|apply|send|submit|type|enter|paste|then|now"
    r"|please|go ahead and|just|sql|query|statement|command|postgres|mysql|database|db|psql|oracle|sqlite)"
    r"\s*[:,>-]*\s*$",
    re.IGNORECASE,
)

_TERMINATED = re.compile(r"\s*(?:;|--|#|/\*|cascade\b|restrict\b|purge\b)", re.IGNORECASE)

_STATEMENT_END = re.compile(
    r"\s*(?:$|[;,)(\"'`\]}@]|\.(?:\s|$)|[.:]{1,2}[\w\[\"`*]|--|#|/\*|\n|(?:cascade|restrict|purge|if|without|add|drop"
    r"|alter|modify|change|rename|set|unset|owner|enable|disable|convert|identified|password|sync|continue|restart"
    r"|nowait|returning|using|algorithm|engine|comment|partition|lock|superuser|force|concurrently|character|charset"
    r"|collate|reset|swap|rebuild|require|validate|inherit|cluster|go|account|profile|default)\b"
    r"|with\s+(?:password|login|connection|grant|admin|option|default\w*|encrypted|superuser|createdb|valid|force|(?:no)?check"
    r"|\(|identity)|for\s+(?:login|certificate|user)\b|on\s+(?:cluster\b|[\w.`\"\[\]]+\s*(?:;|$|\n|algorithm|cascade|lock))"
    r"|in\s+role\b|as\s+role\b|read\s+(?:only|write)\b|to\s+(?:role\s+)?[\w\"`]+\s*(?:;|$)|is\s+null\b|(?:not\s+)?i?like\s+['$%\"])",
    re.IGNORECASE,
)

_ACCOUNT_CLAUSE = re.compile(
    r"\s*(?:;|,|@|--|identified|with\s|password|for\s+login|require|default|account|profile|superuser|login\b|from\s)",
    re.IGNORECASE,
)

_OPENERS = frozenset(";\"'`({[:>|=\\,*}")


def statement(found: Found) -> bool:
    """A statement that stands where one is run, with an identifier as its object; not one that is being explained."""
    tail = found.after(CLOSE)
    words = re.findall(r"[A-Za-z_]\w*", found.value)
    if _PROSE_WORD.fullmatch(words[-1]) and (line_lead(found).strip() or not re.match(r"\s*(?:;|$|cascade)", tail)):
        return False
    return _STATEMENT_END.match(tail) is not None and _stands(found, tail)


def _stands(found: Found, tail: str) -> bool:
    """Whether the place is one where a statement is run: a line's start, a literal, an order, or it ends like one."""
    lead = line_lead(found).rstrip()
    if not lead:
        return True
    if lead[-1] in QUOTES and explained(found):
        return False
    if lead[-1] in _OPENERS or lead.endswith(("--", "*/", "%27", "%3B", "%3b")) or _ORDERED.search(lead):
        return True
    if _TERMINATED.match(tail):
        return not ASKED.search(sentence_lead(found)) or odd_quotes(lead)
    return VERB_START.match(lead) is not None and not ASKED.search(sentence_lead(found))


def account(found: Found) -> bool:
    """CREATE USER as SQL: in capitals, or with a clause; "create user stories" is not."""
    return statement(found) and (found.value[:6].isupper() or _ACCOUNT_CLAUSE.match(found.after(CLOSE)) is not None)


def no_where(found: Found) -> bool:
    """A statement that changes rows of a table and ends without a condition."""
    tail = found.after(CLOSE)
    update = found.value[:1] in "uU"
    if not (_stands(found, tail) if update else statement(found) and not tail.startswith("(")):
        return False
    rest = re.split(r";|\n\s*\n|```|--|\\n", found.after(_STATEMENT), maxsplit=1)[0]
    return re.search(r"\b(?:where|limit|using|join|top)\b|\$\{|\.\.\.", rest, re.IGNORECASE) is None


_NOT_A_TABLE = re.compile(
    r"string|text|number|date|the|an?|it|this|that|decimals?|output|input|long|logs?|list|data", re.IGNORECASE
)


def truncate(found: Found) -> bool:
    """TRUNCATE of a table; without the word TABLE only at the start of a statement that ends there."""
    words = re.findall(r"\w+", found.value.lower())
    if _NOT_A_TABLE.fullmatch(words[-1]):
        return False
    if len(words) > 1 and words[1] in {"table", "tables", "all", "if"}:
        return statement(found)
    end = re.match(r"\s*(?:;|$|continue\b|restart\b|cascade\b|on\s+cluster\b)", found.after(CLOSE), re.IGNORECASE)
    return end is not None and not line_lead(found).strip()


_PRIVILEGE = re.compile(
    r"(?:grant|revoke)\s+(?:grant\s+option\s+for\s+)?(?:all(?:\s+privileges)?|select|insert|update|delete|execute|usage"
    r"|references|trigger|create|connect|alter|drop|index|control|ownership|super|process|reload|truncate)\b",
    re.IGNORECASE,
)

_OBJECT = re.compile(
    r"\bon\s+(?:all\s+)?(?:tables?|schema|database|sequences?|functions?|view|warehouse)?\s*\S+\s+(?:to|from)\b"
    r"|\bon\s+all\s+\w+\s+in\b",
    re.IGNORECASE,
)


def privileges(found: Found) -> bool:
    """GRANT or REVOKE with a privilege, an object and a grantee; or of a role, written in capitals as SQL is."""
    if not _stands(found, found.after(CLOSE)):
        return False
    value = found.value
    grantee = re.match(r"\w*", found.after(CLOSE))
    if grantee is not None and _PROSE_WORD.fullmatch(value[-1] + grantee[0]):
        return False
    return value[:5].isupper() or (_PRIVILEGE.match(value) is not None and _OBJECT.search(value) is not None)
