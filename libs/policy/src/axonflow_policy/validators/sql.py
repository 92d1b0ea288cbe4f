"""Tells SQL at work from SQL talked about: where a statement stands, what breaks out of a literal, what follows it.

Every function looks only at the neighbourhood of the match (`_WINDOW` characters), so its cost does not grow with the
text.
"""

from __future__ import annotations

import re

from axonflow_policy.validators.found import Found

_WINDOW = 300
_CLOSE = 80
_STATEMENT = 4000

# Words that stand where an identifier would, when people write about statements.
_PROSE_WORDS = frozenset(
    [
        "a",
        "about",
        "actually",
        "after",
        "all",
        "also",
        "always",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "before",
        "but",
        "by",
        "can",
        "cannot",
        "command",
        "commands",
        "do",
        "does",
        "doing",
        "done",
        "during",
        "either",
        "else",
        "even",
        "exactly",
        "for",
        "from",
        "get",
        "gets",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "instead",
        "into",
        "is",
        "it",
        "its",
        "just",
        "keyword",
        "keywords",
        "let",
        "like",
        "mean",
        "means",
        "might",
        "more",
        "most",
        "must",
        "my",
        "need",
        "never",
        "no",
        "not",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "permission",
        "privilege",
        "privileges",
        "query",
        "queries",
        "really",
        "right",
        "safely",
        "should",
        "so",
        "some",
        "statement",
        "statements",
        "syntax",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "until",
        "up",
        "use",
        "used",
        "uses",
        "using",
        "usually",
        "versus",
        "very",
        "via",
        "vs",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "whether",
        "which",
        "while",
        "who",
        "whose",
        "why",
        "will",
        "with",
        "within",
        "without",
        "work",
        "works",
        "would",
        "you",
        "your",
    ]
)
_ASKED = re.compile(
    r"\b(?:what|whats|how|why|when|which|does|do|is|are|can|could|should|explain\w*|describe\w*|difference|mean\w*|define"
    r"|understand\w*|teach|tutorial|document\w*|syntax|example|versus|vs|compare|discuss|called|named|keyword|error)\b",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"\b(?:run|running|runs|execute|executes|executing|exec|perform|issue|apply|send|submit|type|enter|paste|then|now|please"
    r"|go ahead and|just|sql|query|statement|command|postgres|mysql|database|db|psql|oracle|sqlite)\s*[:,>-]*\s*$",
    re.IGNORECASE,
)
_TERMINATED = re.compile(r"\s*(?:;|--|#|/\*|cascade\b|restrict\b|purge\b)", re.IGNORECASE)
_STATEMENT_END = re.compile(
    r"\s*(?:$|[;,)(\"'`\]}@]|\.(?:\s|$)|[.:]{1,2}[\w\[\"`*]|--|#|/\*|\n|(?:cascade|restrict|purge|if|on|with|without|add|drop|alter|modify|change"
    r"|rename|set|unset|owner|enable|disable|convert|identified|password|from|to|for|as|sync|continue|restart|in|not"
    r"|wait|nowait|returning|where|using|algorithm|limit|engine|comment|partition|default|no|lock|connection|role|login"
    r"|superuser|option|granted|inherit|force|concurrently|read|character|charset|collate|reset|only|cluster|swap"
    r"|go|union|and|or|function|is|like|ilike)\b)",
    re.IGNORECASE,
)
_OPENERS = frozenset(";\"'`({[:>|=\\,*}")
_QUOTES = "'\"`"
_VERB_START = re.compile(
    r"^\W*(?:select|insert|update|delete|create|alter|drop|with|begin|declare|set|use|truncate|grant|revoke|merge|commit"
    r"|explain|call|exec(?:ute)?|start|show|replace|pragma|go|if|return|end|values|comment|analyze|vacuum|copy)\b",
    re.IGNORECASE,
)
_COMMENT_CUT = re.compile(r"\s*(?:--|#|/\*)")

_TELLTALE = re.compile(
    r"@@\w|\b(?:version|user|database|current_user|system_user|schema)\s*\(\s*\)|\bconcat(?:_ws)?\s*\(|\bgroup_concat\s*\("
    r"|\binformation_schema\b|\bsqlite_master\b|\bmysql\.\w|\bpg_(?:shadow|user|catalog|authid)\b|\b(?:all|user|dba)_(?:tab\w*|users)\b"
    r"|\bsys(?:objects|users|columns|databases)\b|\bcha?r\s*\(\s*\d|\b0x[0-9a-f]{4,}|\bload_file\s*\(|\binto\s+(?:out|dump)file\b"
    r"|\bsleep\s*\(|\bbenchmark\s*\(|\bunhex\s*\(|\bhex\s*\(|\bxmlagg\b|\baes_(?:en|de)crypt\b|\bxp_\w+"
    r"|\b(?:pass(?:word|wd)?|pwd|passhash|password_hash|user_pass|admin_pw|credit_?cards?|secret(?:s|_key)?|api_?keys?)\b",
    re.IGNORECASE,
)
_PADDING = re.compile(r"\b(?:null|\d+|'[^']{0,20}')(?:\s*,\s*(?:null|\d+|'[^']{0,20}')){2,}", re.IGNORECASE)
_SELECT_LIST = re.compile(
    r"(?:\s|\(|\+|/\*[^*]{0,80}\*/)*(?:all\b|distinct\b|top\s+\d+)?(?:\s|\(|\+|/\*[^*]{0,80}\*/)*(?:$|[*'\"`@\d\[-]|0x|null\b|null,|select\b"
    r"|[\w.$\[\]`\"]+\s*(?:[,(|)*+-]|from\b|;|--|#|/\*|$|limit\b|into\b|as\b|as\s+\w+\s*,))",
    re.IGNORECASE,
)


def _line_lead(found: Found) -> str:
    """The text between the last line break or semicolon and the match."""
    lead = found.before(_WINDOW)
    return lead[max(lead.rfind("\n"), lead.rfind(";")) + 1 :]


def _sentence_lead(found: Found) -> str:
    """The text of the sentence before the match."""
    return re.split(r"\n|[.!?]\s", found.before(_WINDOW))[-1]


def _odd_quotes(text: str) -> bool:
    """Whether a quote is open at the end of ``text``; apostrophes inside words do not count."""
    bare = re.sub(r"(?<=[A-Za-z])'(?=[A-Za-z])|\\['\"]|''", "", text)
    return bare.count("'") % 2 == 1 or bare.count('"') % 2 == 1


def statement(found: Found) -> bool:
    """A statement that stands where one is run, with an identifier as its object; not one that is being explained."""
    words = re.findall(r"[A-Za-z_]\w*", found.value)
    if words and words[-1].lower() in _PROSE_WORDS:
        return False
    tail = found.after(_CLOSE)
    return _STATEMENT_END.match(tail) is not None and _stands(found, tail)


def _stands(found: Found, tail: str) -> bool:
    """Whether the place is one where a statement is run: a line's start, a literal, an order, or it ends like one."""
    lead = _line_lead(found).rstrip()
    if not lead:
        return True
    if lead[-1] in _QUOTES and _explained(found):
        return False
    if lead[-1] in _OPENERS or lead.endswith(("--", "*/", "%27", "%3B", "%3b")) or _ORDERED.search(lead):
        return True
    if _TERMINATED.match(tail):
        return True
    return _VERB_START.match(lead) is not None and not _ASKED.search(_sentence_lead(found))


def _explained(found: Found) -> bool:
    """A quoted statement inside a question or an explanation that orders nothing to be run."""
    sentence = _sentence_lead(found)
    head = sentence.rstrip()[:-1]
    return _ASKED.search(head) is not None and not re.search(r"\b(?:run|execute|perform)\b", head, re.IGNORECASE)


def no_where(found: Found) -> bool:
    """A statement that changes rows of a table and ends without a condition."""
    if not statement(found):
        return False
    rest = re.split(r";|\n\s*\n|```|--|\\n", found.after(_STATEMENT), maxsplit=1)[0]
    return re.search(r"\b(?:where|limit|using|join|top)\b|\$\{|\.\.\.", rest, re.IGNORECASE) is None


def union(found: Found) -> bool:
    """A UNION SELECT that was grafted on: there is no query before it, or what it fetches gives it away."""
    tail = found.after(_WINDOW)
    if not _SELECT_LIST.match(tail):
        return False
    lead = found.before(_WINDOW)
    query = lead[lead.rfind(";") + 1 :]
    line = _line_lead(found)
    if re.search(r"\bselect\b", query, re.IGNORECASE):
        grafted = re.search(r"['\")]\s*\)*\s*$|=\s*-?\d+\s*$|\bwhere\b[^;]*$", query, re.IGNORECASE) is not None
        cut = re.search(r"(?:--|#|/\*)\s*\S{0,6}\s*$", tail) is not None and "\n" not in tail.strip()
        return (grafted and (cut or _TELLTALE.search(tail) is not None)) or (
            _PADDING.search(tail) is not None and (grafted or cut)
        )
    if _ASKED.search(line) and not re.search(r"['\"`]\s*\S{0,12}\s*$", line):
        return _TELLTALE.search(tail) is not None or _PADDING.match(tail.lstrip()) is not None
    return True


_BREAKOUT = re.compile(
    r"(?:^|['\"`)\];]|%27|%22|\*/|--|#|(?:^|[\s(=,+-])(?:0x[0-9a-f]+|\d[\w.]*|null|true|false|@\w+|x|xxx|a)|\bwhere\b[^.\n]{0,120}|\bhaving\b[^.\n]{0,80})\s*$",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"[\s'\"`)]*(?:$|--|#|/\*|;|%23|--\+|\b(?:and|or|union|limit|group|order|having|xor|like)\b|&&|\|\||\n)",
    re.IGNORECASE,
)


def condition(found: Found) -> bool:
    """A condition that is always true or false, hung on a literal or number and followed by nothing but syntax."""
    lead, tail = found.before(160), found.after(_CLOSE)
    if not _BREAKOUT.search(lead) and not re.search(r"\b(?:or|and)\b\s*$|[|&]{2}\s*$", lead, re.IGNORECASE):
        return _COMMENT_CUT.match(tail) is not None
    if _quoted_in_explanation(found):
        return False
    return _CUT.match(tail) is not None


def _quoted_in_explanation(found: Found) -> bool:
    """``OR 1=1`` named in a sentence that asks about it."""
    lead = found.before(120).rstrip()
    return bool(lead) and lead[-1] in _QUOTES and len(lead) > 1 and lead[-2] == " " and _explained(found)


def probe(found: Found) -> bool:
    """A function that only attacks call, not one that is being explained: it has arguments, and no question around it."""
    sentence = _sentence_lead(found)
    if not _ASKED.search(sentence):
        return True
    return (
        _odd_quotes(sentence)
        or re.search(r"\b(?:select|and|or|where|union)\b[^a-z]*$", sentence, re.IGNORECASE) is not None
    )


def stacked(found: Found) -> bool:
    """A second statement behind a literal that was closed, not the next one of a script."""
    head = found.before(_WINDOW)
    lead = head[max(head.rfind("\n"), head.rfind(";")) + 1 :].strip()
    tail = found.after(_WINDOW)
    if re.search(r"(?:--|#|/\*)\s*\S{0,6}\s*$", tail.split("\n")[0]):
        return True
    if not lead:
        return False
    if _VERB_START.match(lead) and not _odd_quotes(lead):
        return False
    return re.search(r"['\"`)\d]\s*\)*\s*$", lead) is not None or _odd_quotes(lead)


def comment(found: Found) -> bool:
    """A comment that hides the rest of a statement or splits a keyword, not a comment in a script."""
    lead = found.before(_CLOSE)
    line = lead[lead.rfind("\n") + 1 :]
    if not line.strip():
        return False
    return (re.search(r"['\")\d]\s*$", line) is not None and not _VERB_START.match(line)) or _odd_quotes(line)


def catalog_read(found: Found) -> bool:
    """A read of the catalogue from inside another query, not a plain query of it or a question about it."""
    lead = found.before(_WINDOW)
    tail = found.after(_CLOSE)
    inner = re.search(r"\b(?:union|and|or|concat|count\s*\(\*\))\b[^;]*\bfrom\W*$", lead, re.IGNORECASE)
    if inner and not re.search(r"^\s*select\b[^;]*\bfrom\b", lead, re.IGNORECASE):
        return True
    nested = re.search(r"\(\s*select\b[^;)]*\bfrom\W*$", lead, re.IGNORECASE)
    return nested is not None or re.match(r"[\w.`]*[^\n;]{0,60}(?:--|#|/\*)\s*\S{0,4}\s*$", tail) is not None


def hex_literal(found: Found) -> bool:
    """A long hexadecimal literal used as a SQL value, not a hash or an address in prose or code."""
    around = found.before(_CLOSE) + " " + found.after(_CLOSE)
    return (
        re.search(r"\b(?:select|union|cast|exec|declare|char|concat|where|from)\b", around, re.IGNORECASE) is not None
    )


def condition_string(found: Found) -> bool:
    """A comparison of quoted strings hung on a closed literal."""
    lead = found.before(160)
    return _BREAKOUT.search(lead) is not None and not _quoted_in_explanation(found)


def delay(found: Found) -> bool:
    """SLEEP in SQL; ``time.sleep(5)`` and the sleep of a program are not."""
    lead = found.before(_CLOSE)
    if re.search(r"[.:>$]\s*$|\b(?:await|await\s+asyncio|usleep|thread|void|def|function)\s*$", lead, re.IGNORECASE):
        return False
    line = lead[lead.rfind("\n") + 1 :]
    in_sql = re.search(
        r"\b(?:select|and|or|where|if|union|order\s+by|xor|rlike|having)\b[^.\n]{0,60}$|['\"`)&|,+(-]\s*$|^\s*$",
        line,
        re.IGNORECASE,
    )
    tail = found.after(_CLOSE)
    return in_sql is not None and not re.match(r"\s*;\s*(?:\n|\}|//)|\s*\n\s*[\w}]", tail) and probe(found)


def stacked_select(found: Found) -> bool:
    """A SELECT behind a literal that was closed too early."""
    lead = _line_lead(found) + found.value[0]
    return _odd_quotes(lead)


_PROGRAMS = frozenset(
    [
        "string",
        "text",
        "number",
        "date",
        "the",
        "a",
        "an",
        "it",
        "this",
        "that",
        "decimal",
        "decimals",
        "output",
        "input",
        "long",
        "log",
        "logs",
        "list",
    ]
)


def truncate(found: Found) -> bool:
    """TRUNCATE of a table; without the word TABLE only at the start of a statement that ends there."""
    words = re.findall(r"\w+", found.value.lower())
    if words[-1] in _PROGRAMS:
        return False
    if len(words) > 1 and words[1] in {"table", "tables", "all", "if"}:
        return statement(found)
    lead = _line_lead(found).rstrip()
    return (
        not lead
        and re.match(r"\s*(?:;|$|continue\b|restart\b|cascade\b)", found.after(_CLOSE), re.IGNORECASE) is not None
    )


_PRIVILEGE = re.compile(
    r"(?:grant|revoke)\s+(?:grant\s+option\s+for\s+)?(?:all(?:\s+privileges)?|select|insert|update|delete|execute|usage|references|trigger|create|connect"
    r"|alter|drop|index|impersonate|control|view|monitor|operate|ownership|apply|manage|modify|use|read|write|import|take|reload|super|process|role"
    r"|receive|send|administer|backup|truncate|temporary|temp|maintain|add|resolve|imported|authenticate|showplan|unmask|checkpoint|connect|shutdown)\b",
    re.IGNORECASE,
)


def privileges(found: Found) -> bool:
    """GRANT or REVOKE with a privilege, an object and a grantee; or of a role, written as SQL is."""
    value = found.value
    if not _stands(found, found.after(_CLOSE)):
        return False
    if _PRIVILEGE.match(value) and re.search(r"\bon\b", value, re.IGNORECASE):
        return (
            value[:5].isupper()
            or re.search(
                r"\b(?:on\s+(?:all\s+)?(?:table|schema|database|sequence|function|view|warehouse|\S+)\s+(?:\S+\s+)?(?:to|from))\b",
                value,
                re.IGNORECASE,
            )
            is not None
        )
    return value[:5].isupper()
